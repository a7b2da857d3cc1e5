//! What follows when the safes were written or read.
//!
//! Specification: `docs/protocol/accounts.md#writing-and-reading-the-safes`.

use crate::answers::Answer;
use crate::io::Io;
use crate::state::inbox::Await;
use crate::state::safes::sync::SafesCame;
use crate::unlocked::Unlocked;

impl Unlocked {
    /// The key safe or the prekey safe was written, or not.
    pub(crate) fn written(&mut self, io: &mut Io, prekeys: bool, answer: Answer) {
        let joined = match prekeys {
            true => self.safe.prekey_safe_written(io, answer),
            false => self.safe.safe_written(io, answer),
        };
        if joined {
            self.after_join(io);
        }
    }

    /// Both safes came.
    pub(crate) fn safes_came(&mut self, io: &mut Io, number: u32, answer: Answer) {
        match self.safe.safes_came(io, number, answer) {
            SafesCame::Nothing => {}
            SafesCame::Failed => {
                self.inbox
                    .leave_for_safe(io, &mut self.contacts, &self.safe);
            }
            SafesCame::Read { joined, again } => {
                if joined {
                    self.after_join(io);
                }
                self.inbox.safes_answered(number);
                if again {
                    self.safe.read_safes(io);
                } else if self.inbox.awaits() == Some(Await::Safe) {
                    // What waited for the safe goes on.
                    self.open_current(io);
                }
            }
        }
    }

    /// Another session's safe was joined into ours.
    pub(crate) fn after_join(&mut self, io: &mut Io) {
        self.contacts.pins_joined(io, &self.safe);
        self.requests_joined(io);
        self.contacts.emit_blocked(io, &self.safe);
    }
}
