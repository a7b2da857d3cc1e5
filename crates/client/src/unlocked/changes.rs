//! What is said of earlier messages: receipts, edits, deletions.
//!
//! Specification: `docs/protocol/messages.md#edits-and-deletions`.

use protocol::envelope::{Content, Receipt};

use crate::command::Burn;
use crate::effects::Effect;
use crate::event::MessageState;
use crate::id::{ConversationId, MessageId};
use crate::io::Io;
use crate::refusal::Refusal;
use crate::secret_text::SecretText;
use crate::state::conversations::Origin;
use crate::state::inbox::authority::{Standing, may_change};
use crate::timers::Timer;
use crate::unlocked::Unlocked;

impl Unlocked {
    /// Takes sealed receipts. Those of messages in another chat are refused.
    pub(super) fn receipts_came(
        &mut self,
        io: &mut Io,
        chat: ConversationId,
        receipts: &[Receipt],
    ) {
        for receipt in receipts {
            let id = receipt.message_id;
            match self.chats.own_message(id) {
                Some((at, name)) if at == chat => self.receipt_heard(io, chat, name, receipt.state),
                Some(_) => io.refused(Refusal::ForgedReceipt, Some(chat), Some(id)),
                None if self.chats.bears(id) => {
                    io.refused(Refusal::ForgedReceipt, Some(chat), Some(id));
                }
                // Sent before this session's memory began.
                None => {}
            }
        }
    }

    /// Takes an edit or a deletion. It must come from the writer of the message, under the same keys.
    pub(super) fn change_came(
        &mut self,
        io: &mut Io,
        change: &Origin,
        standing: Standing,
        content: &Content,
    ) {
        let Origin { chat, id, .. } = *change;
        let (of, text) = match content {
            Content::Edit { message_id, text } => (message_id, Some(text.as_str())),
            Content::Delete { message_id } => (message_id, None),
            _ => return,
        };
        let of = *of;
        let original = self
            .chats
            .name(chat, change.sender, of)
            .and_then(|name| Some((name, *self.chats.origin(name)?)));
        let allowed = match &original {
            Some((_, original)) => may_change(standing, &change.writer, original),
            // The message is not in this session's memory any more.
            None => !self.chats.bears(of),
        };
        if !allowed {
            let refusal = if standing.is_trusted() {
                Refusal::ForgedEdit
            } else {
                Refusal::UnacceptedKeys
            };
            io.refused(refusal, Some(chat), Some(of));
        }
        match original {
            Some((name, _)) if allowed => match text {
                Some(text) => self.edit_heard(io, chat, name, id, text),
                None => self.taken_back(io, chat, name, id),
            },
            _ => self.finish_incoming(io, id),
        }
    }

    /// Its sender took a message back, by the message `by`.
    pub(crate) fn taken_back(
        &mut self,
        io: &mut Io,
        chat: ConversationId,
        name: MessageId,
        by: MessageId,
    ) {
        // The request may show it.
        io.ask(Effect::TellRequests);
        self.finish_named(io, name);
        self.finish_incoming(io, by);
        io.timers.cancel(Timer::Burn(name));
        io.timers.cancel(Timer::Expire(name));
        if let Some(view) = self.chats.message_mut(chat, name) {
            view.text = None;
            view.sealed = false;
            view.edited = false;
        }
        self.chats
            .set_state(io, chat, name, MessageState::Deleted, false, &self.safe);
    }

    /// Its sender changed a message, by the message `by`.
    pub(crate) fn edit_heard(
        &mut self,
        io: &mut Io,
        chat: ConversationId,
        name: MessageId,
        by: MessageId,
        text: &str,
    ) {
        // The request may show it.
        io.ask(Effect::TellRequests);
        if let Some(view) = self.chats.message_mut(chat, name)
            && view.text.is_some()
            && view.burn == Burn::Never
        {
            view.text = Some(SecretText::from(text));
            view.edited = true;
        }
        self.chats.emit_message(io, chat, name, &self.safe);
        let unread = self.unacknowledged(name);
        // The server still has the unchanged text: both go together.
        if !unread.is_some_and(|of| self.inbox.follow(of, by)) {
            self.finish_incoming(io, by);
        }
    }
}
