//! Claims: one under way, the rest in order.
//!
//! Specification: `docs/protocol/messages.md#claims-and-leases`.

use super::pushed::fetch;
use super::{Await, Current, Lease, Progress, Why};
use crate::effects::Effect;
use crate::failure::Failure;
use crate::id::MessageId;
use crate::io::Io;
use crate::refusal::Refusal;
use crate::refuse::of_decode;
use crate::state::contacts::Contacts;
use crate::state::inbox::Inbox;
use crate::state::safes::Safe;
use crate::timers::Timer;
use crate::wire::{Blob, ClientFrame};
use api::Code;
use protocol::envelope::ParcelRef;
use protocol::link::{Direction, Ticket};

/// An answer to a claim takes at most this long, milliseconds.
pub(crate) const ANSWER_MS: u64 = 10_000;
/// A lease is 30 s; after a bit more a message that another session had taken is free again.
const RETURN_MS: u64 = 31_000;
/// Claims without an answer before a message is left alone until the next connection.
const MAX_TRIES: u32 = 3;

/// What to do with a parcel that came.
pub(crate) enum Came {
    Nothing,
    Malformed,
    ToOpen,
    ToAcknowledge(MessageId),
}

/// Whether another session has the message for a while.
pub(crate) fn is_taken(failure: &Failure) -> bool {
    failure.code == Code::Taken.name()
}

/// Whether a refusal says nothing about the message.
pub(crate) fn is_passing(failure: &Failure) -> bool {
    failure.is_passing() || failure.code == Code::StaleClaim.name()
}

impl Inbox {
    /// Puts a claim in front of the others: a person waits for it.
    pub(crate) fn claim_soon(&mut self, io: &mut Io, id: MessageId, why: Why) {
        self.queue.retain(|(queued, _)| *queued != id);
        self.queue.push_front((id, why));
        io.ask(Effect::Claim);
    }

    /// Begins the next claim unless one is under way; true if the message was pushed, and can be opened.
    pub(crate) fn next_claim(&mut self, io: &mut Io, contacts: &Contacts, safe: &Safe) -> bool {
        // What rests and can go on is first; the end of this input sees to it.
        if self.current.is_some() || !io.online || self.first_ready(io, contacts, safe).is_some() {
            return false;
        }
        let Some((id, why)) = self.take_turn(safe) else {
            io.timers.cancel(Timer::Claim);
            return false;
        };
        if why == Why::First
            && let Some(claim) = self.take_pushed(io, id)
        {
            return self.begin_pushed(io, id, claim);
        }
        // What this session holds the claim of is read from what it has: the server would say that it is taken.
        let held = match why {
            Why::Reveal => self.held(id, io.now_ms),
            Why::First | Why::Acknowledge => None,
        };
        let (awaits, parcel, frame) = match held {
            Some((token, parcel)) => {
                let token = Blob::from(token.as_slice());
                (Await::Extension, parcel, ClientFrame::Extend { id, token })
            }
            None => (Await::Parcel, Vec::new(), ClientFrame::Claim { id }),
        };
        let opened_before = awaits == Await::Extension;
        self.current = Some(Current {
            id,
            why,
            awaits,
            parcel,
            fetched_sender: opened_before,
            fetched_safe: opened_before,
        });
        io.timers.set(Timer::Claim, io.now_ms + ANSWER_MS);
        io.frame(&frame);
        false
    }

    /// The claim under way is over.
    pub(crate) fn claim_done(&mut self, io: &mut Io) {
        self.current = None;
        self.lease = None;
        io.ask(Effect::Claim);
    }

    /// The parcel is too long for the socket: fetch it, now or in its turn.
    pub(crate) fn claimed_large(
        &mut self,
        io: &mut Io,
        id: MessageId,
        lease: (&Blob, u64),
        ticket: &[u8],
    ) {
        let ticket = Ticket::decode(ticket).ok();
        let Some(ticket) = ticket.filter(|ticket| ticket.direction() == Direction::Down) else {
            // The claim is made again when its time is over.
            return io.refused(Refusal::Malformed, None, Some(id));
        };
        if self.is_awaited(id, Await::Parcel) {
            self.drop_pushed(id);
            fetch(io, id, Box::new(ticket));
        } else {
            self.large_pushed(io, id, lease, ticket);
        }
    }

    /// Tells the server that it is about to be on the screen: then it stays ours although the
    /// connection breaks, and no other session can show it as well.
    fn keep_for_reading(&mut self, io: &mut Io, id: MessageId, lease: Lease) {
        let token = Blob::from(lease.token.as_slice());
        if let Some(item) = self.items.get_mut(&id) {
            item.lease = Some(lease);
        }
        if let Some(current) = self.current.as_mut() {
            current.awaits = Await::Extension;
        }
        io.timers.set(Timer::Claim, io.now_ms + ANSWER_MS);
        io.frame(&ClientFrame::Extend { id, token });
    }

    /// Claims a message again that another session had claimed, or that the server could not give.
    pub(crate) fn retry_due(&mut self, io: &mut Io, id: MessageId) {
        let why = match self.items.get(&id).map(|item| item.progress) {
            Some(Progress::Marked) => Why::Acknowledge,
            Some(_) => return,
            None => Why::First,
        };
        self.queue.push_back((id, why));
        io.ask(Effect::Claim);
    }

    /// What the claim under way waits for.
    pub(crate) fn awaits(&self) -> Option<Await> {
        self.current.as_ref().map(|current| current.awaits)
    }

    /// Whether a message is under way, and waits for this.
    pub(crate) fn is_awaited(&self, id: MessageId, awaits: Await) -> bool {
        let current = self.current.as_ref();
        current.is_some_and(|current| current.id == id && current.awaits == awaits)
    }

    /// No answer came to the claim under way: it is made again, some times.
    pub(crate) fn claim_lost(&mut self, io: &mut Io) {
        if let Some(current) = self.current.take() {
            if current.awaits == Await::Extension
                && let Some(item) = self.items.get_mut(&current.id)
            {
                item.parcel = current.parcel;
            }
            let tries = self.tries.entry(current.id).or_insert(0);
            *tries += 1;
            if *tries < MAX_TRIES {
                self.queue.push_back((current.id, current.why));
            }
        }
        io.ask(Effect::Claim);
    }

    /// A parcel came; says how it goes on.
    pub(crate) fn parcel_came(&mut self, io: &mut Io, bytes: &[u8]) -> Came {
        let parcel = match ParcelRef::decode(bytes) {
            Ok(parcel) => parcel,
            Err(error) => {
                io.refused(of_decode(&error), None, None);
                return Came::Malformed;
            }
        };
        let id = parcel.message_id;
        let current = self.current.as_mut();
        let asked = |current: &&mut Current| current.id == id && current.awaits == Await::Parcel;
        let Some(current) = current.filter(asked) else {
            self.parcel_pushed(io, &parcel, bytes);
            return Came::Nothing;
        };
        if !parcel.target.is_for(&self.user, &self.live) {
            io.refused(Refusal::CrossDelivered, None, Some(id));
            self.done.insert(id);
            self.claim_done(io);
            return Came::Nothing;
        }
        let lease = Lease {
            token: zeroize::Zeroizing::new(parcel.token),
            until_ms: io.after_ms(u64::from(parcel.lease_ms)),
        };
        current.parcel = bytes.to_vec();
        let why = current.why;
        self.drop_pushed(id);
        match (why, self.items.get_mut(&id)) {
            (Why::Acknowledge, Some(item)) => {
                item.lease = Some(lease);
                return Came::ToAcknowledge(id);
            }
            (Why::Reveal, _) => {
                self.keep_for_reading(io, id, lease);
                return Came::Nothing;
            }
            _ => {}
        }
        self.lease = Some(lease);
        Came::ToOpen
    }

    /// The server did not give the message under way; true if it was to be revealed.
    pub(crate) fn claim_refused(&mut self, io: &mut Io, id: MessageId, failure: &Failure) -> bool {
        // If it has come in the meantime, it was pushed: the claim was lost to that.
        let current = self.current.as_ref().filter(|c| c.id == id);
        let Some(current) = current.filter(|c| c.awaits == Await::Parcel) else {
            return false;
        };
        let why = current.why;
        match why {
            Why::Reveal => {}
            Why::First | Why::Acknowledge if is_taken(failure) => {
                io.timers.set(Timer::Retry(id), io.now_ms + RETURN_MS);
            }
            Why::First | Why::Acknowledge if is_passing(failure) => {
                io.timers
                    .set(Timer::Retry(id), io.now_ms + failure.wait_ms());
            }
            Why::First => {
                self.elsewhere = self.elsewhere.saturating_add(1);
                self.finish(id);
            }
            Why::Acknowledge => self.finish(id),
        }
        self.claim_done(io);
        why == Why::Reveal
    }

    /// The keys of the sender of the message under way could not be fetched.
    pub(crate) fn sender_unknown(&mut self) {
        if let Some(current) = self.current.as_mut() {
            current.fetched_sender = false;
        }
    }
}
