//! What the core tells all tabs: one JSON object per event with the tag `e`.
//!
//! `{"e":"state","state":"unlocked","me":{"user_id":"…","handle":"alice",…}}`
//!
//! Events carry whole small views: a tab replaces what it shows and keeps no state of its own
//! beyond the last event of each kind. `code` fields are stable kebab-case strings; `text` fields are
//! English sentences that say what to do next.

use serde::{Deserialize, Serialize};

use crate::command::Burn;
use crate::id::Id;
use crate::secret_text::SecretText;

/// One piece of news for all tabs, tagged `e`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "e", rename_all = "snake_case")]
pub enum Event {
    /// `server` — what the server says of itself.
    Server(ServerView),
    /// `state` — signed out, locked or unlocked, and whose account it is.
    State(StateView),
    /// `connection` — whether the socket is up.
    Connection {
        /// Whether messages can be sent and received at this moment.
        online: bool,
        /// When the core tries again, unix milliseconds.
        #[serde(skip_serializing_if = "Option::is_none")]
        retry_at_ms: Option<u64>,
    },
    /// `failed` — a command was not carried out; show `text`.
    Failed {
        /// The tag of the command (`sign_in`, `send`, …).
        during: String,
        /// A stable code (`sign-in-failed`, `handle-taken`, `offline`, …).
        code: String,
        /// What to do next, for people.
        text: String,
        /// The chat it was about.
        #[serde(skip_serializing_if = "Option::is_none")]
        chat: Option<Id>,
        /// The message it was about.
        #[serde(skip_serializing_if = "Option::is_none")]
        message: Option<Id>,
        /// Seconds until another try makes sense, where the server said so.
        #[serde(skip_serializing_if = "Option::is_none")]
        retry_after_secs: Option<u32>,
    },
    /// `refused` — something the server or a sender delivered was refused by a security check.
    Refused {
        /// A stable code: `swapped-key`, `stale-batch`, `reordered`, `dropped`, `replayed`,
        /// `cross-delivered`, `moved-slot`, `forged-receipt`, `rolled-back-safe`, `lowered-kdf`,
        /// `unknown-suite`, `resend-other-key`, …
        code: String,
        /// What it means and what to do, for people.
        text: String,
        /// The chat it was about.
        #[serde(skip_serializing_if = "Option::is_none")]
        chat: Option<Id>,
        /// The message it was about.
        #[serde(skip_serializing_if = "Option::is_none")]
        message: Option<Id>,
    },
    /// `notice` — something worth knowing that needs no decision (`clock-skew`, `server-restarted`,
    /// `last-resort-used`, `safe-merged`, …); show as a passing line.
    Notice {
        /// A stable code.
        code: String,
        /// For people.
        text: String,
        /// The chat it was about.
        #[serde(skip_serializing_if = "Option::is_none")]
        chat: Option<Id>,
    },

    /// `passphrase_offered` — six random words.
    PassphraseOffered {
        /// The words, separated by single spaces.
        passphrase: SecretText,
        /// Exact entropy in whole bits.
        bits: u32,
    },
    /// `recovery_key` — shown once; ask the person to keep it and to type it back.
    RecoveryKey {
        /// Groups separated by dashes.
        recovery_key: SecretText,
        /// `register` or `recover`.
        during: String,
        /// When the server forgets this attempt, unix milliseconds.
        expires_ms: u64,
    },
    /// `passphrase_changed` — the change is stored.
    PassphraseChanged,
    /// `identity_replaced` — the new identity is stored; other sessions of the account lock.
    IdentityReplaced,

    /// `restored` — the server delivers an older state than this browser remembers, and says that it
    /// came out of a backup. Show both and ask: `accept_restored` or `cancel`.
    Restored {
        /// Of when the backup is, as the server says, unix seconds.
        at: u64,
        /// What it means and what to do, for people.
        text: String,
    },

    /// `settings` — the account's settings.
    Settings(SettingsView),
    /// `sessions` — where the account is signed in.
    Sessions {
        /// The current one first, then by last activity.
        sessions: Vec<SessionView>,
    },

    /// `looked_up` — answer to `lookup`; `person` is null when nobody has that handle.
    LookedUp {
        /// The handle asked for.
        handle: String,
        /// Who has it.
        person: Option<PersonView>,
    },
    /// `invite_created` — a new invite link.
    InviteCreated {
        /// The path with its fragment (`/i#…`); put the page's origin before it.
        link: String,
        /// The whole link as a QR code, an SVG document; null where the origin is not known.
        qr_svg: Option<String>,
        /// When it stops working, unix seconds.
        expires_at: u64,
    },
    /// `invites` — the links that have not been used.
    Invites {
        /// Newest first.
        invites: Vec<InviteView>,
    },
    /// `invite_opened` — answer to `open_invite`.
    InviteOpened {
        /// The inviter.
        user_id: Id,
        /// True when signed in and the inviter's keys match the pin in the link; the chat exists now.
        added: bool,
        /// True when the person has to register or sign in first; pass the fragment to `register`, or
        /// send `open_invite` again after signing in.
        needs_account: bool,
    },
    /// `safety_number` — for comparing out loud or by camera.
    SafetyNumber {
        /// The person.
        chat: Id,
        /// Twelve groups of five digits.
        groups: Vec<String>,
        /// The same as a QR code, an SVG document.
        qr_svg: String,
        /// Whether it was marked as compared.
        verified: bool,
    },
    /// `scan_checked` — answer to `check_scan`.
    ScanChecked {
        /// The person.
        chat: Id,
        /// Whether the numbers are equal; if so the person is marked verified.
        equal: bool,
    },

    /// `chats` — the whole list, latest activity first; contacts and open requests of one's own.
    Chats {
        /// One row per chat.
        chats: Vec<ChatView>,
    },
    /// `requests` — unknown people who wrote: accept, refuse or block.
    Requests {
        /// Newest first.
        requests: Vec<RequestView>,
    },
    /// `blocked` — people whose messages are dropped.
    Blocked {
        /// By name.
        people: Vec<PersonView>,
    },
    /// `conversation` — all messages of one chat that are in memory, oldest first.
    Conversation {
        /// The chat.
        chat: Id,
        /// The messages.
        messages: Vec<MessageView>,
    },
    /// `message` — one message is new or changed; replace the one with the same `id`.
    Message {
        /// The chat.
        chat: Id,
        /// The message.
        message: MessageView,
    },
    /// `message_removed` — take it out of the list.
    MessageRemoved {
        /// The chat.
        chat: Id,
        /// The message.
        message: Id,
    },
    /// `typing` — the other person types; take the sign away at `until_ms`.
    Typing {
        /// The chat.
        chat: Id,
        /// Unix milliseconds; now or earlier means they stopped.
        until_ms: u64,
    },
}

/// What the server says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerView {
    /// The server's version.
    pub version: String,
    /// `closed`, `invite` or `open`.
    pub registration: String,
    /// Whether the first administrator exists.
    pub setup_done: bool,
    /// Hash of the page bundle the server says it serves.
    pub bundle_hash: Option<String>,
    /// Random id of this run of the server, 32 hex digits.
    pub boot_id: String,
    /// Of when the backup is that the server came out of, as it says, unix seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restored_at: Option<u64>,
    /// This device's clock minus the server's, in seconds; warn beyond 3,600 either way.
    pub clock_skew_secs: i64,
}

/// Where the person stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Nothing is known yet.
    Starting,
    /// No session.
    SignedOut,
    /// A session, but no keys in memory: ask for the passphrase.
    Locked,
    /// A session and keys.
    Unlocked,
}

/// The phase, why it is so, and whose account it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StateView {
    /// The phase.
    pub state: Phase,
    /// Why: `user`, `idle`, `expired`, `reload`, `recovered`, `registered`, `started`.
    pub reason: String,
    /// The account when there is one.
    pub me: Option<Me>,
}

/// The account that is signed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Me {
    /// The user id.
    pub user_id: Id,
    /// The handle.
    pub handle: String,
    /// The name others see.
    pub alias: String,
    /// `user` or `admin`.
    pub role: String,
}

/// The account's settings, kept in the key safe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettingsView {
    /// Whether read receipts are sent at all.
    pub receipts: bool,
    /// Whether others see typing.
    pub typing: bool,
    /// Idle seconds until the lock; 0 means only the server's 30 minutes.
    pub lock_after_secs: u32,
    /// Default life of a message, seconds.
    pub life_secs: u32,
    /// Default burn rule.
    pub burn: Burn,
}

/// One place where the account is signed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionView {
    /// For `revoke_session`.
    pub id: String,
    /// Whether it is this one.
    pub current: bool,
    /// Unix seconds.
    pub created_at: u64,
    /// Unix seconds.
    pub last_activity: u64,
    /// How it was signed in: `passphrase`, `recovery_key`, `registration`.
    #[serde(default)]
    pub method: String,
    /// The name given at sign-in.
    #[serde(default)]
    pub device_name: Option<String>,
    /// Address it came from.
    #[serde(default)]
    pub ip: Option<String>,
    /// The browser's own words.
    #[serde(default)]
    pub user_agent: Option<String>,
}

/// Somebody, without any judgement on their keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonView {
    /// The user id.
    pub user_id: Id,
    /// The handle.
    pub handle: String,
    /// The name they chose.
    pub alias: String,
    /// `none`, `requested`, `contact`, `asking` (they wait for our answer), `blocked` or `self`.
    pub relation: String,
}

/// An invite link that has not been used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InviteView {
    /// For `revoke_invite`.
    pub id: String,
    /// When it stops working, unix seconds.
    pub expires_at: u64,
    /// When it was made, unix seconds.
    #[serde(default)]
    pub created_at: u64,
}

/// One row of the chat list and the header of its conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChatView {
    /// The other person's user id.
    pub chat: Id,
    /// Their handle.
    pub handle: String,
    /// Their name.
    pub alias: String,
    /// `requested` (we asked, no answer yet) or `contact`.
    pub relation: String,
    /// Safety number compared.
    pub verified: bool,
    /// Their keys are not the pinned ones: ask before the next send (`accept_changed_key`), never
    /// block reading.
    pub key_changed: bool,
    /// Whether the last send found them live.
    pub live: bool,
    /// Last line, null when it is sealed, gone or not there.
    pub preview: Option<SecretText>,
    /// Whether the last line is one's own.
    pub preview_mine: bool,
    /// Time of the last activity, unix milliseconds; 0 for none.
    pub last_ms: u64,
    /// Incoming messages not shown yet.
    pub unread: u32,
    /// No badge.
    pub muted: bool,
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
    pub chat: Id,
    /// Their handle, as the server says.
    pub handle: String,
    /// Their name, as they say.
    pub alias: String,
    /// Their first line; empty while only another session of the account has opened it.
    pub greeting: SecretText,
    /// When they asked, unix milliseconds.
    pub received_ms: u64,
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
    /// Own: the server restarted while it waited; offer "send again".
    Vanished,
    /// Own: the server refused it or could not be reached; offer "send again".
    Failed,
    /// Incoming: not shown yet.
    Unread,
    /// Incoming: another session of this account read it, or it is gone from the server.
    Gone,
    /// Taken back by its sender.
    Deleted,
}

/// One message as a tab shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageView {
    /// The message id.
    pub id: Id,
    /// Whether it is one's own (this or another session of the account).
    pub mine: bool,
    /// The text; null when sealed, burned, expired, deleted or gone.
    pub text: Option<SecretText>,
    /// Incoming and burning: send `reveal` to read it (a button for `on_read`; a tab may reveal
    /// `{"after":…}` by itself once its place in the list is visible).
    pub sealed: bool,
    /// When it was sent, by its sender's clock, unix milliseconds.
    pub sent_ms: u64,
    /// When it was first seen here, unix milliseconds; sort by this.
    pub seen_ms: u64,
    /// What has become of it.
    pub state: MessageState,
    /// True when the state rests on the server's word only ("according to the server"); never for an
    /// own message that is read or burned.
    pub by_server: bool,
    /// `live` or `waiting`: which path carried it; own messages may change from live to waiting.
    pub path: String,
    /// When it goes unread, unix seconds; null once it was read.
    pub expires_at: Option<u64>,
    /// Its burn rule.
    pub burn: Burn,
    /// When its text burns here, unix milliseconds; null while no timer runs.
    pub burns_ms: Option<u64>,
    /// The text was replaced by its sender.
    pub edited: bool,
    /// Why it failed, a stable code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// Warnings that belong to this message: `dropped` (messages before it are missing), `reordered`,
    /// `last-resort` (weaker protection while away), `key-changed` (sent under keys that are not the
    /// pinned ones).
    #[serde(default)]
    pub warnings: Vec<String>,
    /// The tab's own text from `send`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
}
