//! Messages that had reached a session of ours which went before they were read.
//!
//! Only that session had the keys. The sender's client seals such a message anew while it is there;
//! where it does not, somebody has to be told.

use crate::io::Io;
use crate::state::inbox::Inbox;
use crate::timers::Timer;
use crate::wire::Stranded;

/// How long the sender's client is given, milliseconds: longer than it takes to notice and to seal.
const PATIENCE_MS: u64 = 30_000;

impl Inbox {
    /// The server lists, at connecting, what no session of ours can open.
    pub(crate) fn stranded_listed(&mut self, io: &mut Io, stranded: Vec<Stranded>) {
        if stranded.is_empty() {
            io.timers.cancel(Timer::Stranded);
        } else {
            io.timers.set(Timer::Stranded, io.now_ms + PATIENCE_MS);
        }
        self.stranded = stranded;
    }

    pub(crate) fn take_stranded(&mut self) -> Vec<Stranded> {
        std::mem::take(&mut self.stranded)
    }
}
