//! Messages that the server claimed for this session without being asked.
//!
//! The server says first which one it is, and the parcel follows. They take their turns among the others and
//! are opened as if their claims had been answered at that moment. What the server did not speak of, or what
//! is for another session, is refused.
//!
//! Specification: `docs/protocol/messages.md#pushed-messages`.

use std::collections::BTreeSet;

use protocol::envelope::{ParcelRef, Target};
use protocol::link::Ticket;
use zeroize::Zeroizing;

use super::claims::ANSWER_MS;
use super::{Await, Current, Lease, Why};
use crate::effects::Effect;
use crate::id::MessageId;
use crate::io::Io;
use crate::purpose::{Open, Purpose};
use crate::refusal::Refusal;
use crate::state::inbox::Inbox;
use crate::state::outbox::tickets::path_of;
use crate::timers::Timer;
use crate::wire::{Blob, Waiting};

/// Most pushed messages that are kept until their turn; of those before them the parcels are dropped, and they
/// are claimed.
const MOST: usize = 8;

/// A message that was pushed, until its turn.
pub(crate) struct Pushed {
    item: Waiting,
    /// `None` until its parcel comes.
    claim: Option<(Lease, Body)>,
}

/// The parcel of a pushed message.
pub(super) enum Body {
    /// It came.
    Here(Vec<u8>),
    /// It is fetched under this ticket.
    Under(Box<Ticket>),
}

impl Inbox {
    /// The server says that a parcel follows.
    pub(crate) fn push_told(&mut self, item: Waiting) {
        if self.pushed.iter().any(|pushed| pushed.item.id == item.id) {
            return;
        }
        if self.pushed.len() >= MOST {
            self.pushed.pop_front();
        }
        self.pushed.push_back(Pushed { item, claim: None });
    }

    /// A parcel came that is no answer to a claim.
    pub(super) fn parcel_pushed(&mut self, io: &mut Io, parcel: &ParcelRef<'_>, bytes: &[u8]) {
        let own = Target::Live {
            account: self.user,
            live_id: self.live,
        };
        let lease = Lease {
            token: Zeroizing::new(parcel.token),
            until_ms: io.after_ms(u64::from(parcel.lease_ms)),
        };
        let id = parcel.message_id;
        if parcel.target != own || !self.keep_pushed(io, id, lease, Body::Here(bytes.to_vec())) {
            io.refused(Refusal::CrossDelivered, None, Some(id));
        }
    }

    /// A message was pushed whose parcel is to be fetched.
    pub(super) fn large_pushed(
        &mut self,
        io: &mut Io,
        id: MessageId,
        (token, lease_ms): (&Blob, u64),
        ticket: Ticket,
    ) {
        if let Ok(token) = <[u8; 16]>::try_from(token.as_ref()) {
            let token = Zeroizing::new(token);
            let until_ms = io.after_ms(lease_ms);
            let lease = Lease { token, until_ms };
            self.keep_pushed(io, id, lease, Body::Under(Box::new(ticket)));
        }
    }

    /// Keeps what was pushed until its turn, unless it is known; false if the server did not speak of it.
    fn keep_pushed(&mut self, io: &mut Io, id: MessageId, lease: Lease, parcel: Body) -> bool {
        let mut pushed = self.pushed.iter_mut();
        let Some(pushed) = pushed.find(|pushed| pushed.item.id == id) else {
            return false;
        };
        if pushed.claim.is_none() {
            pushed.claim = Some((lease, parcel));
            let item = pushed.item.clone();
            if self.is_known(id) {
                self.drop_pushed(id);
            } else {
                self.enqueue(io, &item);
                io.ask(Effect::Claim);
            }
        }
        true
    }

    /// Whether a message is open, under way, resting or finished.
    fn is_known(&self, id: MessageId) -> bool {
        self.has(id)
            || self.is_done(id)
            || self.is_parked(id)
            || self.current.as_ref().is_some_and(|it| it.id == id)
    }

    /// The pushed messages that wait for their turns.
    pub(super) fn pushed_ids(&self) -> BTreeSet<MessageId> {
        let pushed = self.pushed.iter().filter(|it| it.claim.is_some());
        pushed.map(|it| it.item.id).collect()
    }

    /// Forgets that a message was pushed: its claim has ended.
    pub(super) fn drop_pushed(&mut self, id: MessageId) {
        self.pushed.retain(|pushed| pushed.item.id != id);
    }

    /// It is the turn of a message: takes the claim that came with it, if that still holds.
    pub(super) fn take_pushed(&mut self, io: &Io, id: MessageId) -> Option<(Lease, Body)> {
        let has_come = |pushed: &Pushed| pushed.item.id == id && pushed.claim.is_some();
        let at = self.pushed.iter().position(has_come)?;
        let claim = self.pushed.remove(at)?.claim;
        claim.filter(|(lease, _)| lease.until_ms > io.now_ms)
    }

    /// Goes on with a pushed message as with one whose claim was answered; true if it can be opened.
    pub(super) fn begin_pushed(
        &mut self,
        io: &mut Io,
        id: MessageId,
        (lease, body): (Lease, Body),
    ) -> bool {
        let (parcel, ticket) = match body {
            Body::Here(parcel) => (parcel, None),
            Body::Under(ticket) => (Vec::new(), Some(ticket)),
        };
        self.current = Some(Current {
            id,
            why: Why::First,
            awaits: Await::Parcel,
            parcel,
            fetched_sender: false,
            fetched_safe: false,
        });
        match ticket {
            None => {
                self.lease = Some(lease);
                io.timers.set(Timer::Claim, io.now_ms + ANSWER_MS);
                true
            }
            Some(ticket) => {
                fetch(io, id, ticket);
                false
            }
        }
    }
}

/// Fetches the parcel of a claim over HTTP.
pub(super) fn fetch(io: &mut Io, id: MessageId, ticket: Box<Ticket>) {
    io.timers.set(Timer::Claim, io.now_ms + 3 * ANSWER_MS);
    let path = path_of(&ticket);
    io.get(&path, Purpose::Open(Open::Parcel(id, ticket)));
}
