//! Whether the server took what was given to it.
//!
//! Specification: `docs/protocol/messages.md#submissions`.

use crate::answers::Answer;
use crate::effects::Effect;
use crate::event::MessageState;
use crate::failure::Failure;
use crate::id::MessageId;
use crate::io::Io;
use crate::state::outbox::Outgoing;
use crate::state::outbox::states::rank;
use crate::unlocked::Unlocked;
use crate::wire::Sent;
use api::{Code, Own};

impl Unlocked {
    /// The server has it.
    pub(crate) fn sent(&mut self, io: &mut Io, id: MessageId, expires_at: u64) {
        let Some((chat, life)) = self.outbox.accepted(io, id, expires_at) else {
            return;
        };
        self.chats.keep_life(id, life);
        if let Some(view) = self.chats.message_mut(chat, id) {
            view.expires_at = Some(expires_at);
            if rank(view.state) < rank(MessageState::Delivered) {
                self.set_state(io, chat, id, MessageState::Waiting, false);
            }
        }
    }

    /// The answer to a submission over HTTP.
    pub(crate) fn posted(&mut self, io: &mut Io, id: MessageId, answer: Answer) {
        match answer {
            Some((200..=299, body)) => {
                let expires_at = serde_json::from_slice::<Sent>(&body).map(|sent| sent.expires_at);
                let fallback = self.outbox.item(id).map_or(0, Outgoing::expires_at);
                self.sent(io, id, expires_at.unwrap_or(fallback));
            }
            Some((status, body)) => {
                let failure = Failure::from_answer(status, &body);
                self.send_refused(io, id, failure);
            }
            // The timer tries again.
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
        if !self.outbox.resend(io, id) {
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
            self.set_state(io, chat, id, MessageState::Failed, false);
        }
        if let Some(during) = item.during() {
            io.failed_at(during, failure.clone(), Some(chat), Some(id));
        }
    }
}
