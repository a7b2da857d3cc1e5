//! More slots for a message that the server has: for somebody who went away, or could not open it.
//!
//! Specification: `docs/protocol/messages.md#more-slots-for-a-message`.

use crate::failure::Failure;
use crate::id::{ConversationId, MessageId};
use crate::io::Io;
use crate::refusal::Refusal;
use crate::state::outbox::Outgoing;
use crate::state::outbox::Wanted;
use crate::state::outbox::slots::{Choice, More, RECHECK_MS};
use crate::timers::Timer;
use crate::unlocked::Unlocked;
use api::Own;

impl Unlocked {
    /// Ten seconds are over and nobody has read it.
    pub(crate) fn fallback_due(&mut self, io: &mut Io, id: MessageId) {
        let collected = self.chats.is_collected(id);
        if let Some(wanted) = self.outbox.fallback_due(io, id, collected, &self.safe) {
            self.add_slot(io, id, wanted);
        }
    }

    /// Seals a slot with the keys that were fetched.
    pub(crate) fn add_slot(&mut self, io: &mut Io, id: MessageId, wanted: Wanted) {
        let Some(chat) = self.outbox.item(id).map(Outgoing::chat) else {
            return;
        };
        let (wanted, targets) = match self.outbox.choose(io, id, wanted) {
            Choice::Asked => return,
            Choice::Found(target) => (wanted, vec![target]),
            // Not even the same message under the same key may go to other keys: the person decides.
            Choice::None
                if self.contacts.key_changed(chat.peer(), &self.safe)
                    && !self.outbox.has_arrived(id, &self.chats) =>
            {
                self.hold(io, id);
                return;
            }
            // What went to a live session goes to live sessions only, whoever says that it does not
            // open; what nobody has read in ten seconds rests with the account.
            Choice::None if wanted.is_live() => (Wanted::Recheck, self.outbox.new_live(io, id)),
            Choice::None if matches!(wanted, Wanted::Reseal(_)) => {
                self.stays_closed(io, chat, id);
                return;
            }
            Choice::None => {
                io.timers.set(Timer::Fallback(id), io.now_ms + RECHECK_MS);
                return;
            }
        };
        for target in targets {
            match self.outbox.seal_more(io, id, wanted, &target, &self.safe) {
                More::Given => {}
                More::Waits => {
                    self.show_path(chat, id);
                    self.chats.emit_message(io, chat, id, &self.safe);
                }
                More::StaysClosed => self.stays_closed(io, chat, id),
                More::NoKeys => self.fail(io, id, &Failure::new(Own::NoKeys)),
            }
        }
    }

    /// Other keys than those first sent to, or none: nobody opens it any more, and people are told.
    pub(crate) fn stays_closed(&mut self, io: &mut Io, chat: ConversationId, id: MessageId) {
        io.refused(Refusal::ResendOtherKey, Some(chat), Some(id));
        if !self.outbox.has_arrived(id, &self.chats) {
            self.fail(io, id, &Failure::from(Refusal::ResendOtherKey));
        }
    }
}
