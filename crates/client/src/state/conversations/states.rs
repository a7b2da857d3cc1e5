//! How messages in memory move from state to state, and what follows from where they are from.

use protocol::epoch::EpochRecord;

use super::Conversations;
use crate::command::Burn;
use crate::event::{MessageState, MessageView};
use crate::id::{ConversationId, MessageId};
use crate::io::Io;
use crate::state::outbox::LIFE_SECS;
use crate::state::safes::Safe;

/// How long a receipt can be late after its message was taken for good, milliseconds.
pub(crate) const UNTOLD_MS: u64 = 10_000;

/// How far a state is on the way to "read"; 0 for states that end the way.
const fn rank(state: MessageState) -> u8 {
    match state {
        MessageState::Sending => 1,
        MessageState::Waiting | MessageState::Vanished | MessageState::Expired => 2,
        MessageState::Delivered => 3,
        MessageState::Read => 4,
        _ => 0,
    }
}

impl Conversations {
    /// Moves an own message on, never back; a sealed receipt replaces the server's word.
    ///
    /// The server's word is not shown of somebody who has not answered a request: it says whether they are
    /// there, which is theirs to tell.
    pub(crate) fn progress(
        &mut self,
        io: &mut Io,
        chat: ConversationId,
        id: MessageId,
        to: MessageState,
        by_server: bool,
        safe: &Safe,
    ) {
        if by_server && safe.unanswered(chat) {
            return;
        }
        let Some(view) = self.message_mut(chat, id) else {
            return;
        };
        let (now, then) = (rank(view.state), rank(to));
        let better = then > now || (then == now && view.by_server && !by_server);
        if !view.mine || !better || now == 0 {
            return;
        }
        if to == MessageState::Read {
            view.expires_at = None;
        }
        self.set_state(io, chat, id, to, by_server, safe);
    }

    /// The server has an own message, until a time in server seconds.
    pub(crate) fn sent(
        &mut self,
        io: &mut Io,
        chat: ConversationId,
        id: MessageId,
        expires_at: u64,
        safe: &Safe,
    ) {
        if let Some(view) = self.message_mut(chat, id) {
            view.expires_at = Some(expires_at);
            if rank(view.state) < rank(MessageState::Delivered) {
                self.set_state(io, chat, id, MessageState::Waiting, false, safe);
            }
        }
    }

    /// A claim of an own message ended without an acknowledgement: it waits again.
    pub(crate) fn returned(
        &mut self,
        io: &mut Io,
        chat: ConversationId,
        id: MessageId,
        safe: &Safe,
    ) {
        let by_server =
            |view: &MessageView| view.state == MessageState::Delivered && view.by_server;
        if self.message(chat, id).is_some_and(by_server) {
            self.set_state(io, chat, id, MessageState::Waiting, false, safe);
        }
    }

    /// No receipt came of what was taken for good. The writer of a message that burns learns that nobody
    /// can read it any more; whether it was read is its reader's to tell.
    pub(crate) fn untold(&mut self, io: &mut Io, id: MessageId, safe: &Safe) {
        let chat = self.chat_of(id);
        let Some(chat) = chat.filter(|chat| !safe.unanswered(*chat)) else {
            return;
        };
        if let Some(view) = self.message_mut(chat, id)
            && view.state == MessageState::Delivered
            && view.burn != Burn::Never
        {
            view.taken = true;
            self.emit_message(io, chat, id, safe);
        }
    }

    /// A message that no session of ours can open, to be shown as lost.
    pub(crate) fn lost(&mut self, io: &Io, name: MessageId) -> MessageView {
        let now_ms = io.shown_ms();
        MessageView {
            sent_ms: now_ms,
            seen_ms: self.next_seen_ms(now_ms),
            by_server: true,
            path: "live".to_owned(),
            ..MessageView::bare(name, false, MessageState::Lost)
        }
    }

    /// The life of a change in seconds: what its message has left, or the default of the chat.
    pub(crate) fn life_left(
        &self,
        io: &Io,
        chat: ConversationId,
        id: MessageId,
        default: u32,
    ) -> u32 {
        let ends = self.message(chat, id).and_then(|view| view.expires_at);
        let left = ends.map_or(u64::from(default), |at| at.saturating_sub(io.now()));
        let left = u32::try_from(left).unwrap_or(u32::MAX);
        left.clamp(*LIFE_SECS.start(), *LIFE_SECS.end())
    }

    /// Whether an own message was written under the identity that is ours now. Others let no other identity
    /// change it.
    pub(crate) fn is_ours_still(&self, name: MessageId, safe: &Safe) -> bool {
        let origin = self.origin(name);
        origin.is_some_and(|origin| origin.writer == *safe.fingerprint())
    }

    /// Whether a message came under the keys that are pinned now.
    pub(crate) fn is_by_the_pin(&self, name: MessageId, safe: &Safe) -> bool {
        let origin = self.origin(name);
        origin.is_some_and(|origin| safe.is_pinned(origin.sender, &origin.writer))
    }

    /// Whether an opened message leaves a mark in the safes. One of a stranger that was never shown does not:
    /// a replay of it does nothing either, and strangers must not fill the safes unseen.
    pub(crate) fn leaves_mark(
        &self,
        chat: ConversationId,
        id: MessageId,
        epoch: &EpochRecord,
        safe: &Safe,
    ) -> bool {
        let sender = epoch.sender.user_id;
        sender == self.user || safe.contact(chat).is_some() || self.name(chat, sender, id).is_some()
    }
}
