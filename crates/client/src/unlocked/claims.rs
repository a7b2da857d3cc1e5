//! Claims: one under way, the rest in order.
//!
//! Specification: `docs/protocol/messages.md#claims-and-leases`.

use crate::answers::Answer;
use crate::event::MessageState;
use crate::failure::Failure;
use crate::id::MessageId;
use crate::io::Io;
use crate::state::inbox::Await;
use crate::state::inbox::claims::{Came, is_passing, is_taken};
use crate::unlocked::Unlocked;
use api::Own;

impl Unlocked {
    /// No answer came.
    pub(crate) fn claim_timed_out(&mut self, io: &mut Io) {
        match self.inbox.awaits() {
            Some(Await::Keys(of)) => self.sender_came(io, of, None),
            Some(Await::Safe) => {
                self.safe.read_unanswered();
                self.leave_for_safe(io);
            }
            _ => self.inbox.claim_lost(io),
        }
    }

    /// A parcel over the socket.
    pub(crate) fn parcel(&mut self, io: &mut Io, bytes: &[u8]) {
        match self.inbox.parcel_came(io, bytes) {
            Came::Nothing => {}
            Came::Malformed => self.claim_timed_out(io),
            Came::ToOpen => self.open_current(io),
            Came::ToAcknowledge(id) => {
                self.acknowledge(io, id);
                self.inbox.claim_done(io);
            }
        }
    }

    pub(crate) fn parcel_fetched(&mut self, io: &mut Io, id: MessageId, answer: Answer) {
        match answer {
            Some((200, body)) => self.parcel(io, &body),
            Some((status, body)) => {
                let failure = Failure::from_answer(status, &body);
                self.claim_refused(io, id, &failure);
            }
            None => self.claim_timed_out(io),
        }
    }

    /// The server did not give it: for now, or because it is not there any more.
    pub(crate) fn claim_refused(&mut self, io: &mut Io, id: MessageId, failure: &Failure) {
        if self.inbox.claim_refused(io, id, failure) {
            self.reveal_refused(io, id, failure);
        }
    }

    /// Another session won, the server could not give it now, or it is gone.
    pub(crate) fn reveal_refused(&mut self, io: &mut Io, id: MessageId, failure: &Failure) {
        let Some((chat, sender)) = self.inbox.said_by(id) else {
            return;
        };
        let name = self.chats.name(chat, sender, id).unwrap_or(id);
        let told = match (is_passing(failure), is_taken(failure)) {
            (true, _) => failure.clone(),
            (false, true) => Failure::new(Own::MessageTaken),
            (false, false) => Failure::new(Own::MessageGone),
        };
        io.failed_at("reveal", told, Some(chat), Some(name));
        if !is_taken(failure) && !is_passing(failure) {
            self.inbox.finish(id);
            if let Some(view) = self.chats.message_mut(chat, name) {
                view.sealed = false;
            }
            self.set_state(io, chat, name, MessageState::Gone, true);
        }
    }
}
