//! Messages held back because the recipient's keys are not the pinned ones any more.
//!
//! Specification: `docs/protocol/messages.md#more-slots-for-a-message`.

use crate::effects::Effect;
use crate::event::MessageState;
use crate::id::{ConversationId, MessageId};
use crate::io::Io;
use crate::unlocked::Unlocked;
use protocol::envelope::Content;

impl Unlocked {
    /// Holds a message back until the person accepts changed keys.
    pub(crate) fn hold(&mut self, io: &mut Io, id: MessageId) {
        if let Some(chat) = self.outbox.hold(io, id) {
            self.set_state(io, chat, id, MessageState::Held, false);
        }
    }

    /// What was held although the server had it reached somebody after all: it is not sent again.
    pub(crate) fn arrived_while_held(&mut self, io: &mut Io, chat: ConversationId, id: MessageId) {
        if self.outbox.arrived_while_held(io, id)
            && let Some(view) = self.chats.message_mut(chat, id)
        {
            view.state = MessageState::Waiting;
        }
    }

    /// Changed keys were accepted: what was held goes out, in the order in which it was written.
    pub(crate) fn release_held(&mut self, io: &mut Io, chat: ConversationId) {
        for id in self.outbox.held(chat, &self.safe) {
            self.release(io, chat, id);
        }
        io.ask(Effect::Send);
    }

    /// Lets one go: as it is, or as a new message with a key of its own where it was sealed before.
    pub(crate) fn release(&mut self, io: &mut Io, chat: ConversationId, id: MessageId) {
        let Some(item) = self.outbox.release(id) else {
            self.set_state(io, chat, id, MessageState::Sending, false);
            return;
        };
        let Some(mut view) = self.chats.message(chat, id).cloned() else {
            self.outbox.enqueue_again(io, item, None);
            return;
        };
        self.forget_message(io, chat, id);
        if let Some(text) = &view.text {
            // As it was changed since, and at its place among the others.
            view.id = self
                .outbox
                .enqueue_again(io, item, Some(Content::text(text.expose())));
            view.state = MessageState::Sending;
            view.edited = false;
            self.chats.put_message(io, chat, view, &self.safe);
        }
    }
}
