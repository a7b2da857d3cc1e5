//! Claimed messages that cannot be opened yet, because keys of their sender or a newer prekey safe did not come.
//!
//! A request that failed says nothing about a message. The message is neither refused nor given up. It rests here
//! under its claim, the others go on, and it is opened when the answer has come. If its claim has ended by then,
//! it is claimed once more.

use protocol::epoch::SenderClaim;

use super::claims::ANSWER_MS;
use super::{Await, Current, Lease, Why};
use crate::effects::Effect;
use crate::id::{MessageId, UserId};
use crate::io::Io;
use crate::purpose::{Open, Purpose};
use crate::state::contacts::Contacts;
use crate::state::inbox::Inbox;
use crate::state::safes::Safe;
use crate::timers::Timer;

/// Most messages that rest with their parcels, and most bytes of these: the others are claimed once
/// more.
const MOST_PARCELS: usize = 64;
const MOST_BYTES: usize = 1 << 20;

/// The shortest time between two reads of the safes for unknown prekeys, milliseconds: anybody can name prekeys
/// that do not exist.
const BETWEEN_READS_MS: u64 = 5_000;

/// What a message rests for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// Somebody's public keys; of its sender, with what it claims.
    Keys(UserId, Option<SenderClaim>),
    /// A read of the safes with this number or a later one.
    Safe(u32),
}

/// A message that rests.
pub(crate) struct Parked {
    id: MessageId,
    why: Why,
    need: Need,
    /// The server has said what it needs.
    answered: bool,
    fetched_safe: bool,
    /// Ciphertext; empty where it is to be claimed once more.
    parcel: Vec<u8>,
    lease: Option<Lease>,
}

impl Parked {
    /// Whether it is this message.
    pub(super) fn is(&self, id: MessageId) -> bool {
        self.id == id
    }
}

impl Inbox {
    /// Lays the message under way aside, and goes on with the others.
    pub(crate) fn park(&mut self, io: &mut Io, need: Need, contacts: &mut Contacts, safe: &Safe) {
        let lease = self.lease.take();
        let Some(current) = self.current.take() else {
            return;
        };
        let parked = &self.parked;
        let kept: usize = parked.iter().map(|parked| parked.parcel.len()).sum();
        let room = parked.len() < MOST_PARCELS && kept + current.parcel.len() <= MOST_BYTES;
        self.parked.push(Parked {
            id: current.id,
            why: current.why,
            need,
            answered: false,
            fetched_safe: current.fetched_safe,
            parcel: if room { current.parcel } else { Vec::new() },
            lease,
        });
        match need {
            Need::Keys(of, _) => contacts.want_keys(io, of),
            Need::Safe(_) => {
                let asked_ms = self.safe_asked_ms.unwrap_or(io.now_ms);
                let at_ms = asked_ms
                    .saturating_add(BETWEEN_READS_MS)
                    .max(safe.reading().rests_until_ms());
                io.timers.set_earlier(Timer::SafeReread, at_ms);
            }
        }
        io.ask(Effect::Claim);
    }

    /// Asks for somebody's public keys for the message under way, once for each message.
    pub(crate) fn ask_keys(
        &mut self,
        io: &mut Io,
        (of, claim): (UserId, Option<SenderClaim>),
        parcel: Vec<u8>,
        contacts: &mut Contacts,
        safe: &Safe,
    ) {
        self.wait_for(Await::Keys(of), parcel);
        if contacts.lookups().rest(io.now_ms) {
            self.park(io, Need::Keys(of, claim), contacts, safe);
        } else {
            io.get(&format!("/users/{of}"), Purpose::Open(Open::Sender(of)));
        }
    }

    /// The safes could not be read: the message that needs them rests.
    pub(crate) fn leave_for_safe(&mut self, io: &mut Io, contacts: &mut Contacts, safe: &Safe) {
        if self.awaits() == Some(Await::Safe) {
            let need = Need::Safe(safe.reading().next_number());
            self.park(io, need, contacts, safe);
        }
    }

    /// The server says that a message can be claimed: true if it rests here.
    pub(super) fn parked_returned(&mut self, id: MessageId) -> bool {
        let parked = self.parked.iter_mut().find(|parked| parked.id == id);
        parked.is_some_and(|parked| {
            parked.parcel = Vec::new();
            parked.lease = None;
            true
        })
    }

    /// Whether a message rests.
    pub(crate) fn is_parked(&self, id: MessageId) -> bool {
        self.parked.iter().any(|parked| parked.id == id)
    }

    /// Whether an unknown prekey may cause a read of the safes now; if so, that is noted.
    pub(crate) fn may_read_for_prekey(&mut self, io: &Io) -> bool {
        let asked_ms = self.safe_asked_ms;
        let may = asked_ms.is_none_or(|at| io.now_ms.saturating_sub(at) >= BETWEEN_READS_MS);
        if may {
            self.safe_asked_ms = Some(io.now_ms);
        }
        may
    }

    /// The safes are to be read again: after a read that failed, or for what rests.
    pub(crate) fn reread_due(&mut self, io: &mut Io, safe: &mut Safe) {
        let mut needs = self.parked.iter().map(|parked| parked.need);
        if needs.any(|need| matches!(need, Need::Safe(_))) {
            let slow_ms = self.reread_ms.unwrap_or(0).saturating_add(ANSWER_MS);
            if safe.reading().is_under_way() && io.now_ms < slow_ms {
                io.timers.set(Timer::SafeReread, slow_ms);
                return;
            }
            safe.read_unanswered();
            self.safe_asked_ms = Some(io.now_ms);
            self.reread_ms = Some(io.now_ms);
            io.timers.set(Timer::SafeReread, io.now_ms + ANSWER_MS);
        } else if !safe.reading().has_failed() {
            return;
        }
        safe.read_safes(io);
    }

    /// A read of the safes was answered.
    pub(crate) fn safes_answered(&mut self, number: u32) {
        for parked in &mut self.parked {
            parked.answered |= matches!(parked.need, Need::Safe(first) if first <= number);
        }
    }

    /// The server said what it knows of a sender's keys.
    pub(crate) fn keys_answered(&mut self, sender: UserId) {
        for parked in &mut self.parked {
            parked.answered |= matches!(parked.need, Need::Keys(of, _) if of == sender);
        }
    }

    /// The first that can go on.
    pub(super) fn first_ready(&self, io: &Io, contacts: &Contacts, safe: &Safe) -> Option<usize> {
        self.parked.iter().position(|parked| {
            parked.answered
                || matches!(parked.need, Need::Keys(_, Some(claim)) if contacts.has_fresh_keys(io, &claim, safe))
        })
    }

    /// Whether anything rests.
    pub(crate) fn rests(&self) -> bool {
        !self.parked.is_empty()
    }

    /// Takes up the first that can be opened; false where there is none, or a claim is under way.
    pub(crate) fn resume(&mut self, io: &mut Io, contacts: &Contacts, safe: &Safe) -> bool {
        while self.current.is_none()
            && let Some(index) = self.first_ready(io, contacts, safe)
        {
            let parked = self.parked.remove(index);
            let lease = parked.lease.filter(|lease| lease.until_ms > io.now_ms);
            if parked.parcel.is_empty() || lease.is_none() {
                self.queue.push_front((parked.id, parked.why));
                continue;
            }
            let keys = matches!(parked.need, Need::Keys(..));
            self.current = Some(Current {
                id: parked.id,
                why: parked.why,
                awaits: Await::Parcel,
                parcel: parked.parcel,
                fetched_sender: keys && parked.answered,
                fetched_safe: parked.fetched_safe,
            });
            self.lease = lease;
            io.timers.set(Timer::Claim, io.now_ms + ANSWER_MS);
            return true;
        }
        false
    }
}
