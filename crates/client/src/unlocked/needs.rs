//! What opening a message needs and the server gives: keys of its sender, and the safes.

use crate::answers::Answer;
use crate::failure::Failure;
use crate::flows::parse;
use crate::id::UserId;
use crate::io::Io;
use crate::state::inbox::Await;
use crate::state::inbox::parked::Need;
use crate::unlocked::Unlocked;
use crate::wire::Person;
use api::Code;

impl Unlocked {
    /// Somebody's keys came, or the server could not give them.
    pub(crate) fn sender_came(&mut self, io: &mut Io, sender: UserId, answer: Answer) {
        let awaited = self.inbox.awaits() == Some(Await::Keys(sender));
        let gone = matches!(&answer, Some((404, body))
            if Failure::from_answer(404, body).code == Code::NoSuchUser.name());
        if !gone && !matches!(answer, Some((200, _))) {
            self.contacts.lookup_failed(io, sender, &answer);
            if awaited {
                self.inbox.sender_unknown();
                self.open_current(io);
            }
            return;
        }
        if let Some((200, body)) = answer
            && let Ok(found) = parse::<Person>(&body)
            && found.user_id == sender
        {
            self.contacts.note_person(&found);
            if let Ok(keys) = self.contacts.decode_keys(io, sender, &found.public_keys) {
                // Other keys than the pinned ones never block reading; the next send asks.
                self.contacts.pin_holds(io, sender, keys, &mut self.safe);
            }
        }
        self.contacts.lookup_answered(io, sender, !gone);
        self.inbox.keys_answered(sender);
        if awaited {
            self.open_current(io);
        }
    }

    /// The safes could not be read: what needs them rests, and the others go on.
    pub(crate) fn leave_for_safe(&mut self, io: &mut Io) {
        if self.inbox.awaits() == Some(Await::Safe) {
            let need = Need::Safe(self.safe.reading().next_number());
            self.inbox.park(io, need, &mut self.contacts, &self.safe);
        }
    }

    /// The safe was read again: what waited for it goes on.
    pub(crate) fn reopen_blocked(&mut self, io: &mut Io) {
        if self.inbox.awaits() == Some(Await::Safe) {
            self.open_current(io);
        }
    }
}
