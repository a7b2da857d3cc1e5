//! Claimed messages that cannot be opened yet: keys of their sender, or a newer prekey safe, did not
//! come.
//!
//! A request that failed says nothing about a message. It is neither refused nor given up, and raises no
//! alarm: it rests here under its claim, the others go on, and it is opened when the answer has come.
//! Where its claim has ended by then, it is claimed once more.

use crate::effects::Effect;
use crate::io::Io;
use crate::unlocked::Unlocked;

impl Unlocked {
    /// Opens what rested and can go on, in the order in which it was claimed.
    pub(crate) fn resume_parked(&mut self, io: &mut Io) {
        if !self.inbox.rests() {
            return;
        }
        while self.inbox.resume(io, &self.contacts, &self.safe) {
            self.open_current(io);
        }
        io.ask(Effect::Claim);
    }
}
