//! Sealed receipts for those who wrote what was opened, read or burned here.
//!
//! A message is acknowledged only once the receipt of its reading is on its way, over the same socket and
//! before it. A page that goes in between loses both or neither: its sender is never left without a word
//! about a message that nobody can read any more.
//!
//! Specification: `docs/protocol/messages.md#receipts`.

use crate::command::Burn;
use crate::effects::Effect;
use crate::io::Io;
use crate::state::outbox::receipts::{LIFE_SECS, MAX_RECEIPTS};
use crate::timers::Timer;
use crate::unlocked::Unlocked;
use protocol::envelope::Content;

impl Unlocked {
    /// Messages were shown: sends what is due of that, and at once where one of them burns, which nobody
    /// can be shown a second time.
    pub(crate) fn receipts_of_reading(&mut self, io: &mut Io, burning: bool) {
        if burning || io.timers.is_due(Timer::Receipts, io.now_ms) {
            self.send_receipts(io);
        }
    }

    /// Sends what was collected, one message per person.
    pub(crate) fn send_receipts(&mut self, io: &mut Io) {
        for (chat, all) in self.receipts.take(io, &self.safe) {
            for part in all.chunks(MAX_RECEIPTS) {
                let content = Content::Receipt(part.to_vec());
                self.outbox
                    .enqueue(io, chat, content, Burn::Never, LIFE_SECS);
            }
        }
        io.ask(Effect::Send);
    }

    /// After every input: acknowledges what waited for a receipt that is on its way now.
    pub(crate) fn acknowledge_receipted(&mut self, io: &mut Io) {
        for id in self.receipts.withheld(&self.inbox) {
            self.acknowledge(io, id);
        }
        self.receipts.watch(io);
    }
}
