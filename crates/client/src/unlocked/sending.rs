//! Queued messages on their way: sent, held, tried again, or failed.
//!
//! Specification: `docs/protocol/messages.md#submissions`.

use crate::answers::Answer;
use crate::effects::Effect;
use crate::event::MessageState;
use crate::failure::Failure;
use crate::id::{ConversationId, MessageId};
use crate::io::Io;
use crate::state::outbox::Outgoing;
use crate::state::outbox::seal::Dispatched;
use crate::unlocked::Unlocked;
use api::{Code, Own};
use protocol::envelope::Content;

impl Unlocked {
    /// Moves everything on that can be moved.
    pub(crate) fn pump(&mut self, io: &mut Io) {
        for id in self.outbox.take_queue() {
            let Some(chat) = self.outbox.queued(id) else {
                continue;
            };
            if self.contacts.key_changed(chat.peer(), &self.safe) {
                self.hold(io, id);
                self.contacts.ask_for_keys_again(io, chat.peer());
                continue;
            }
            match self.outbox.dispatch(io, id, &self.safe) {
                Dispatched::Waits => {}
                Dispatched::Done => self.outbox.show_path(chat, id, &mut self.chats),
                Dispatched::Failed(failure) => self.fail(io, id, &failure),
            }
        }
    }

    /// The server has it.
    pub(crate) fn sent(&mut self, io: &mut Io, id: MessageId, expires_at: u64) {
        let Some((chat, life)) = self.outbox.accepted(io, id, expires_at) else {
            return;
        };
        self.chats.keep_life(id, life);
        self.chats.sent(io, chat, id, expires_at, &self.safe);
    }

    /// The answer to a submission under a ticket; what became of it is told in a frame.
    pub(crate) fn posted(&mut self, io: &mut Io, id: MessageId, answer: Answer) {
        let failure = match answer {
            Some((200..=299, _)) => return,
            Some((status, body)) => Some(Failure::from_answer(status, &body)),
            None => None,
        };
        match failure.filter(|failure| failure.code != Code::Gone.name()) {
            Some(failure) => self.send_refused(io, id, failure),
            // The timer tries again, under another ticket.
            None => drop(self.outbox.let_go(io, id)),
        }
    }

    /// The server did not take it.
    pub(crate) fn send_refused(&mut self, io: &mut Io, id: MessageId, failure: Failure) {
        if failure.code == Code::DuplicateMessage.name() {
            // It has it already: our first try arrived.
            let at = self.outbox.item(id).map_or(0, Outgoing::expires_at);
            self.sent(io, id, at);
        } else if failure.asks_to_wait() && !self.outbox.is_taken_back(id) {
            self.outbox.send_later(io, id, &failure);
        } else {
            self.outbox.take_back_number(id, &self.safe);
            if !self.outbox.let_go(io, id) {
                self.fail(io, id, &failure);
            }
        }
    }

    /// No answer came.
    pub(crate) fn resend_due(&mut self, io: &mut Io, id: MessageId) {
        if let Some(failure) = self.outbox.take_refusal(id) {
            self.send_refused(io, id, failure);
        } else if !self.outbox.resend(io, id) {
            self.fail(io, id, &Failure::new(Own::Offline));
            io.ask(Effect::Send);
        }
    }

    /// A message cannot be sent; people may send its text again.
    pub(crate) fn fail(&mut self, io: &mut Io, id: MessageId, failure: &Failure) {
        let Some(item) = self.outbox.give_up(io, id) else {
            return;
        };
        self.chats.keep_life(id, item.life_secs());
        let chat = item.chat();
        if let Some(view) = self.chats.message_mut(chat, id) {
            view.failure = Some(failure.code.clone());
            view.failure_text = Some(failure.text.clone());
            self.chats
                .set_state(io, chat, id, MessageState::Failed, false, &self.safe);
        }
        if let Some(during) = item.during() {
            io.failed_at(during, failure.clone(), Some(chat), Some(id));
        }
    }

    /// Holds a message back until the person accepts changed keys.
    pub(crate) fn hold(&mut self, io: &mut Io, id: MessageId) {
        if let Some(chat) = self.outbox.hold(io, id) {
            self.chats
                .set_state(io, chat, id, MessageState::Held, false, &self.safe);
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
            self.chats
                .set_state(io, chat, id, MessageState::Sending, false, &self.safe);
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
