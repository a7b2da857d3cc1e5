//! From the screen back to the server: reveal, mark, acknowledge, burn.

use api::Code;
use protocol::epoch::EpochRecord;

use super::{Await, Progress, Why};
use crate::effects::Effect;
use crate::failure::Failure;
use crate::id::{ConversationId, MessageId};
use crate::io::Io;
use crate::state::inbox::Inbox;
use crate::timers::Timer;
use crate::wire::{Blob, ClientFrame};

/// A message that burns on reading is shown at most this long, milliseconds.
pub(crate) const ON_READ_MS: u64 = 120_000;

impl Inbox {
    /// The lease was not extended: the message is claimed again.
    pub(crate) fn extension_refused(&mut self, io: &mut Io, id: MessageId) {
        if let Some(item) = self.items.get_mut(&id) {
            item.lease = None;
        }
        if self.is_awaited(id, Await::Extension) {
            self.current = None;
            self.claim_soon(io, id, Why::Reveal);
        }
    }

    /// The lease was extended; true if the message under way waits for it.
    pub(crate) fn extended(&mut self, io: &Io, id: MessageId, lease_ms: u64) -> bool {
        let item = self.items.get_mut(&id);
        let Some(lease) = item.and_then(|item| item.lease.as_mut()) else {
            return false;
        };
        lease.until_ms = io.after_ms(lease_ms);
        let lease = lease.clone();
        let awaited = self.is_awaited(id, Await::Extension);
        if awaited {
            self.lease = Some(lease);
        }
        awaited
    }

    /// An opened message is done with: gives its chat, epoch and counter, and changes of it.
    pub(crate) fn begin_marking(
        &mut self,
        id: MessageId,
    ) -> Option<(ConversationId, EpochRecord, u8, Vec<MessageId>)> {
        let item = self.items.get_mut(&id);
        let item = item.filter(|item| item.progress == Progress::Opened)?;
        item.progress = Progress::Marking;
        item.parcel = Vec::new();
        let followers = std::mem::take(&mut item.followers);
        Some((item.chat, item.epoch, item.counter, followers))
    }

    /// The mark of a message is stored; false if it is not here.
    pub(crate) fn marked(&mut self, id: MessageId) -> bool {
        let item = self.items.get_mut(&id);
        item.is_some_and(|item| {
            item.progress = Progress::Marked;
            true
        })
    }

    /// The chat of a message that is to be acknowledged.
    pub(crate) fn is_marked(&self, id: MessageId) -> Option<ConversationId> {
        let item = self.items.get(&id);
        let marked = item.filter(|item| item.progress == Progress::Marked);
        marked.map(|item| item.chat)
    }

    /// Acknowledges under a lease that holds, or claims once more to do so.
    pub(crate) fn acknowledge(&mut self, io: &mut Io, id: MessageId) {
        match self.token(id, io.now_ms) {
            Some(token) => io.frame(&ClientFrame::Ack {
                id,
                token: Blob::from(token.as_slice()),
            }),
            None => {
                self.queue.push_back((id, Why::Acknowledge));
                io.ask(Effect::Claim);
            }
        }
    }

    /// The server did not take an acknowledgement; true if it is to be tried again at once.
    pub(crate) fn ack_refused(&mut self, io: &mut Io, id: MessageId, failure: &Failure) -> bool {
        if failure.is_passing() {
            // It is claimed once more and then acknowledged.
            io.timers
                .set(Timer::Retry(id), io.now_ms + failure.wait_ms());
        } else if failure.code == Code::StaleClaim.name()
            && let Some(item) = self.items.get_mut(&id)
        {
            item.lease = None;
            return true;
        } else {
            self.finish(id);
        }
        false
    }
}
