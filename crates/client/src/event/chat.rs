//! Chats, requests and messages, as tabs show them.

use serde::{Deserialize, Serialize};

use crate::command::Burn;
use crate::id::{ConversationId, MessageId};
use crate::secret_text::SecretText;

/// One row of the chat list and the header of its conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChatView {
    /// The other person's user id.
    pub chat: ConversationId,
    /// What a page's address may call this chat: it tells nobody anything, and is the same after a
    /// reload.
    pub spot: String,
    /// Their handle.
    pub handle: String,
    /// Their name.
    pub alias: String,
    /// `requested` (we asked, no answer yet) or `contact`.
    pub relation: String,
    /// Safety number compared.
    pub verified: bool,
    /// Their keys are those that the invite link named by which one came to them.
    #[serde(default)]
    pub linked: bool,
    /// Their keys are not the pinned ones: ask before the next send (`accept_changed_key`), never
    /// block reading.
    pub key_changed: bool,
    /// Other keys than the pinned ones were shown or used for this person, and the pinned ones are back.
    /// Keep it in sight until the person has seen it (`acknowledge_keys`).
    #[serde(default)]
    pub key_changed_back: bool,
    /// Whether the last send found them live.
    pub live: bool,
    /// Last line, null when it burns, is gone or not there.
    pub preview: Option<SecretText>,
    /// Whether the last line is one's own.
    pub preview_mine: bool,
    /// What has become of the last message; null for none. Says why there is no last line.
    #[serde(default)]
    pub last_state: Option<MessageState>,
    /// When the last message was sent, unix milliseconds; 0 for none.
    pub last_ms: u64,
    /// Incoming messages not shown yet.
    pub unread: u32,
    /// No badge.
    pub muted: bool,
    /// Texts go to live sessions or nowhere.
    pub live_only: bool,
    /// Read receipts in this chat; null follows the account.
    pub receipts: Option<bool>,
    /// Life of messages here; null follows the account.
    pub life_secs: Option<u32>,
    /// Burn rule here; null follows the account.
    pub burn: Option<Burn>,
}

/// Somebody unknown who wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestView {
    /// Their user id.
    pub chat: ConversationId,
    /// Their handle, as the server says.
    pub handle: String,
    /// Their name, as they say.
    pub alias: String,
    /// Their first line; empty while only another session of the account has opened it.
    pub greeting: SecretText,
    /// When they asked, unix milliseconds.
    pub received_ms: u64,
    /// Something of it came under other keys than those that were seen first of this person.
    #[serde(default)]
    pub key_changed: bool,
    /// They came by an invite link of this account, as they and the server say.
    #[serde(default)]
    pub by_link: bool,
}

/// What has become of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MessageState {
    /// Own: on its way to the server.
    Sending,
    /// Own: held back until `accept_changed_key`.
    Held,
    /// Own: in the server's memory until `expires_at`.
    Waiting,
    /// Own: opened by a session of the other person. By the server's word also when it was taken for
    /// good: without a receipt nothing more is known.
    Delivered,
    /// Own: shown to the other person, by their receipt. Incoming: shown here.
    Read,
    /// Read and gone as its burn rule says. Either direction.
    Burned,
    /// Its time ran out before it was read. Either direction.
    Expired,
    /// Own: gone before it was read; offer "send again". The server restarted while it waited, which it
    /// has signed; with `by_server` it says only that it does not know the message any more.
    Vanished,
    /// Own: the server refused it or could not be reached; offer "send again".
    Failed,
    /// Incoming: not shown yet.
    Unread,
    /// Incoming: another session of this account read it, or it is gone from the server.
    Gone,
    /// Incoming, by the server's word: it had reached a tab of ours that went before it was read, and
    /// its sender has not sent it again.
    Lost,
    /// Taken back by its sender.
    Deleted,
}

/// In which session of its sender a message was said, and as which; tabs are not told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Spoken {
    /// The sending session.
    pub session: [u8; 16],
    /// Its number among those of the session in this chat; 0 is uncounted.
    pub number: u64,
    /// When, by its sender's clock, unix seconds.
    pub at: u64,
}

/// One message as a tab shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageView {
    /// The message id.
    pub id: MessageId,
    /// Whether it is one's own (this or another session of the account).
    pub mine: bool,
    /// The text; null when sealed, burned, expired, deleted or gone.
    pub text: Option<SecretText>,
    /// Incoming and burning: send `reveal` to read it (a button for `on_read`; a tab may reveal
    /// `{"after":…}` by itself once its place in the list is visible).
    pub sealed: bool,
    /// When it was sent, by its sender's clock, unix milliseconds.
    pub sent_ms: u64,
    /// When it was first seen here, unix milliseconds.
    pub seen_ms: u64,
    /// Where it stands in its chat; sort by this. It may change when an earlier message comes late.
    pub place: u64,
    /// What has become of it.
    pub state: MessageState,
    /// True when the state rests on the server's word only ("according to the server"); never for an
    /// own message that is read or burned.
    pub by_server: bool,
    /// Own and burning: by the server's word it was taken for good and is wiped there, and for a while no
    /// receipt has said that it was read. Nobody else can read it any more.
    #[serde(default)]
    pub taken: bool,
    /// `live` or `waiting`: which path carried it; own messages may change from live to waiting.
    pub path: String,
    /// When it goes unread, unix seconds; null once it was read.
    pub expires_at: Option<u64>,
    /// Its burn rule.
    pub burn: Burn,
    /// When its text burns here, unix milliseconds; null while no timer runs. Of an own message that is
    /// burned already: when it burns at its reader, at the latest.
    pub burns_ms: Option<u64>,
    /// The text was replaced by its sender.
    pub edited: bool,
    /// Why it failed, a stable code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// Why it failed and what to do next, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure_text: Option<String>,
    /// Warnings that belong to this message: `dropped` (messages before it are missing), `reordered`,
    /// `expired-before`, `elsewhere` and `first` (they are missing, which is ordinary: they expired, another
    /// session had taken them, or this one has seen none of them), `late` (it came after later ones),
    /// `last-resort` (weaker protection while away), `key-changed` (sent under keys that are not the
    /// pinned ones).
    #[serde(default)]
    pub warnings: Vec<String>,
    /// The tab's own text from `send`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
    /// What its place follows from; not written.
    #[serde(skip)]
    pub spoken: Option<Spoken>,
}

impl MessageView {
    /// A message without a text, of which nothing has been heard.
    pub(crate) const fn bare(id: MessageId, mine: bool, state: MessageState) -> Self {
        Self {
            id,
            mine,
            text: None,
            sealed: false,
            sent_ms: 0,
            seen_ms: 0,
            place: 0,
            state,
            by_server: false,
            taken: false,
            path: String::new(),
            expires_at: None,
            burn: Burn::Never,
            burns_ms: None,
            edited: false,
            failure: None,
            failure_text: None,
            warnings: Vec::new(),
            tag: None,
            spoken: None,
        }
    }

    /// An own message that is on its way.
    pub(crate) fn written(
        id: MessageId,
        text: SecretText,
        burn: Burn,
        sent_ms: u64,
        seen_ms: u64,
    ) -> Self {
        Self {
            text: Some(text),
            path: "live".to_owned(),
            sent_ms,
            seen_ms,
            burn,
            ..Self::bare(id, true, MessageState::Sending)
        }
    }

    /// Whether its sender said it before another one.
    pub(crate) fn is_before(&self, other: &Self) -> bool {
        let (Some(one), Some(two)) = (self.spoken, other.spoken) else {
            return false;
        };
        self.mine == other.mine
            && if one.session == two.session {
                one.number < two.number
            } else {
                one.at < two.at
            }
    }
}

#[cfg(test)]
mod tests {
    use super::{MessageId, MessageState, MessageView, Spoken};

    /// Said in a session, as its so-manieth message, at a time.
    fn said(mine: bool, session: u8, number: u64, at: u64) -> MessageView {
        let id = MessageId::from_bytes([0; 16]);
        let spoken = Spoken {
            session: [session; 16],
            number,
            at,
        };
        MessageView {
            spoken: Some(spoken),
            ..MessageView::bare(id, mine, MessageState::Delivered)
        }
    }

    #[test]
    fn one_session_goes_by_its_numbers_and_two_by_their_clocks() {
        let first = said(false, 1, 1, 50);
        for (other, before) in [
            (said(false, 1, 2, 40), true),
            (said(false, 1, 1, 60), false),
            (said(false, 1, 0, 60), false),
            (said(false, 2, 1, 51), true),
            (said(false, 2, 9, 50), false),
            (said(false, 2, 9, 49), false),
            (said(true, 1, 2, 60), false),
        ] {
            assert_eq!(first.is_before(&other), before, "{:?}", other.spoken);
        }
        let mut unknown = said(false, 1, 2, 60);
        unknown.spoken = None;
        assert!(!first.is_before(&unknown) && !unknown.is_before(&first));
    }
}
