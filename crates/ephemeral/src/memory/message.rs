//! The state machine of one message: no locks, no clock, no randomness of its own.
//!
//! Specification: `docs/protocol/messages.md#claims-and-leases`.

use std::sync::Arc;

use subtle::ConstantTimeEq;

use crate::event::Change;
use crate::{
    Ciphertext, ClaimError, ClaimToken, Event, LeaseError, LiveId, MessageId, MessageState,
    NewSlot, Target, UserId, WaitingItem, cost,
};

/// A slot and its state.
pub(crate) struct Slot {
    pub(crate) target: Target,
    pub(crate) prekey: Option<u32>,
    /// `None` once wiped.
    pub(crate) bytes: Option<Arc<Ciphertext>>,
    pub(crate) state: SlotState,
    /// When the live session that it is for disconnected.
    pub(crate) left_ms: Option<u64>,
}

/// The state of a slot.
pub(crate) enum SlotState {
    /// Can be claimed.
    Waiting,
    /// A reader has claimed it.
    Claimed {
        token: ClaimToken,
        until_ms: u64,
        /// The live session that claimed; `None` if the claim came without one.
        by: Option<LiveId>,
        /// The reader extended the lease in order to show it.
        shown: bool,
    },
    /// The reader could not open it: wiped, waiting to be replaced.
    Unopenable,
    /// Read or expired; wiped.
    Done,
}

/// A message that is held.
pub(crate) struct Held {
    pub(crate) id: MessageId,
    /// Unique for each put, so that a reused id is not confused in the index.
    pub(crate) sequence: u64,
    pub(crate) poster: UserId,
    pub(crate) expires_ms: u64,
    /// The entry in the schedule that belongs to this message.
    pub(crate) scheduled_ms: u64,
    /// Bytes charged to the poster.
    pub(crate) charged: u64,
    pub(crate) burn_on_read: bool,
    /// Whether a recipient acknowledged it.
    pub(crate) acknowledged: bool,
    pub(crate) body: Arc<Ciphertext>,
    pub(crate) slots: Vec<Slot>,
}

impl Slot {
    pub(crate) fn new(new: NewSlot) -> Self {
        Self {
            target: new.target,
            prekey: new.prekey,
            bytes: Some(Arc::new(new.bytes)),
            state: SlotState::Waiting,
            left_ms: None,
        }
    }

    fn is_claimed(&self, now_ms: u64) -> bool {
        matches!(self.state, SlotState::Claimed { until_ms, .. } if now_ms < until_ms)
    }

    pub(crate) fn is_done(&self) -> bool {
        matches!(self.state, SlotState::Done)
    }

    /// Returns whether it can be claimed; an expired lease counts as none, purged or not.
    fn is_waiting(&self, now_ms: u64) -> bool {
        let open = matches!(self.state, SlotState::Waiting | SlotState::Claimed { .. });
        open && !self.is_claimed(now_ms)
    }

    /// Returns whether another slot for the same target may replace it: it is neither claimed nor read.
    fn is_replaceable(&self) -> bool {
        matches!(self.state, SlotState::Waiting | SlotState::Unopenable)
    }

    fn size(&self) -> u64 {
        self.bytes.as_ref().map_or(0, |bytes| bytes.len() as u64)
    }

    pub(crate) fn end(&mut self, state: SlotState) {
        self.state = state;
        self.bytes = None;
    }
}

impl Held {
    /// Lists each account with a slot once.
    pub(crate) fn accounts(&self) -> Vec<UserId> {
        let mut accounts: Vec<_> = self.slots.iter().map(|s| s.target.account()).collect();
        accounts.sort_unstable();
        accounts.dedup();
        accounts
    }

    /// Counts the bytes that have not been wiped.
    pub(crate) fn bytes(&self) -> u64 {
        self.body.len() as u64 + self.slots.iter().map(Slot::size).sum::<u64>()
    }

    fn index_of(&self, target: Target) -> Option<usize> {
        self.slots.iter().position(|slot| slot.target == target)
    }

    /// Counts the bytes after these slots are added.
    pub(crate) fn bytes_with(&self, new: &[NewSlot]) -> u64 {
        new.iter().fold(self.bytes(), |bytes, slot| {
            let size = slot.bytes.len() as u64;
            match self.index_of(slot.target).map(|index| &self.slots[index]) {
                None => bytes + size,
                Some(there) if there.is_replaceable() => bytes - there.size() + size,
                Some(_) => bytes,
            }
        })
    }

    /// Counts the bytes that it takes, which are charged to the poster.
    pub(crate) fn cost(&self) -> u64 {
        cost(self.bytes(), self.slots.len())
    }

    /// Returns whether nothing is left to claim, acknowledge or replace.
    pub(crate) fn is_over(&self) -> bool {
        self.slots.iter().all(Slot::is_done)
    }

    /// Returns when [`tick`](Self::tick) next changes something.
    pub(crate) fn due_ms(&self) -> u64 {
        let due = |slot: &Slot| match slot.state {
            SlotState::Waiting | SlotState::Unopenable => {
                Some(self.expires_ms.min(self.useless_ms(slot)))
            }
            SlotState::Claimed { until_ms, .. } => Some(until_ms),
            SlotState::Done => None,
        };
        self.slots
            .iter()
            .filter_map(due)
            .min()
            .unwrap_or(self.expires_ms)
    }

    pub(crate) fn change(&self, index: usize) -> Change {
        Change {
            id: self.id,
            poster: self.poster,
            target: self.slots[index].target,
        }
    }

    fn item(&self, index: usize) -> WaitingItem {
        let slot = &self.slots[index];
        WaitingItem {
            id: self.id,
            poster: self.poster,
            burn_on_read: self.burn_on_read,
            size: self.body.len() as u64 + slot.size(),
            expires_at: self.expires_ms / 1000,
            target: slot.target,
        }
    }

    fn available(&self, index: usize, is_new: bool) -> Event {
        Event::Available {
            target: self.slots[index].target,
            item: self.item(index),
            is_new,
        }
    }

    /// Announces every slot that waits.
    pub(crate) fn announce(&self, events: &mut Vec<Event>) {
        for (index, slot) in self.slots.iter().enumerate() {
            if matches!(slot.state, SlotState::Waiting) {
                events.push(self.available(index, true));
            }
        }
    }

    /// Announces what the end of a claim makes claimable again.
    pub(crate) fn announce_after_claim(&self, index: usize, events: &mut Vec<Event>) {
        let account = self.slots[index].target.account();
        for (other, slot) in self.slots.iter().enumerate() {
            let freed = other == index || (self.burn_on_read && slot.target.account() == account);
            if freed && matches!(slot.state, SlotState::Waiting) {
                events.push(self.available(other, false));
            }
        }
    }

    /// Ends expired leases, and the message if its life is over.
    pub(crate) fn tick(&mut self, now_ms: u64, events: &mut Vec<Event>) {
        let expired = now_ms >= self.expires_ms;
        for index in 0..self.slots.len() {
            let ended = match self.slots[index].state {
                SlotState::Claimed { until_ms, .. } if until_ms <= now_ms => {
                    self.slots[index].state = SlotState::Waiting;
                    if !expired {
                        events.push(Event::Returned(self.change(index)));
                        self.announce_after_claim(index, events);
                    }
                    expired
                }
                SlotState::Waiting | SlotState::Unopenable => expired,
                SlotState::Claimed { .. } | SlotState::Done => false,
            };
            if ended {
                events.push(Event::Expired(self.change(index)));
                self.slots[index].end(SlotState::Done);
            }
        }
        for index in 0..self.slots.len() {
            let slot = &self.slots[index];
            let idle = matches!(slot.state, SlotState::Waiting | SlotState::Unopenable);
            if idle && self.useless_ms(slot) <= now_ms {
                self.slots[index].end(SlotState::Done);
            }
        }
    }

    /// Returns whether an account has an unread slot.
    pub(crate) fn is_unread_by(&self, account: UserId) -> bool {
        let mut slots = self.slots.iter();
        slots.any(|slot| slot.target.account() == account && !slot.is_done())
    }

    /// Returns whether an account posted this or has a slot in it.
    pub(crate) fn concerns(&self, account: UserId) -> bool {
        self.poster == account || self.slots.iter().any(|s| s.target.account() == account)
    }

    /// Expires the slots of an erased account, and every slot if it posted the message.
    pub(crate) fn forget(&mut self, account: UserId, events: &mut Vec<Event>) {
        for index in 0..self.slots.len() {
            let slot = &self.slots[index];
            let its_own = self.poster == account || slot.target.account() == account;
            if its_own && !slot.is_done() {
                events.push(Event::Expired(self.change(index)));
                self.slots[index].end(SlotState::Done);
            }
        }
    }

    /// Finds the slot that this reader may claim now; `live` is `None` for a reader without a live
    /// session.
    pub(crate) fn claimable(
        &self,
        account: UserId,
        live: Option<LiveId>,
        now_ms: u64,
    ) -> Result<usize, ClaimError> {
        let mut own_live = None;
        let mut any_session = None;
        let mut taken = false;
        let mut for_account = false;
        for (index, slot) in self.slots.iter().enumerate() {
            if slot.target.account() != account {
                continue;
            }
            for_account = true;
            taken |= slot.is_claimed(now_ms);
            match slot.target {
                Target::Live { live: of, .. } if Some(of) == live => own_live = Some(index),
                Target::Live { .. } => {}
                Target::Account(_) => any_session = Some(index),
            }
        }
        if !for_account {
            return Err(ClaimError::NotForYou);
        }
        if now_ms >= self.expires_ms {
            return Err(if taken {
                ClaimError::Taken
            } else {
                ClaimError::Gone
            });
        }
        if self.burn_on_read && taken {
            return Err(ClaimError::Taken);
        }
        let unopenable = |index: &usize| matches!(self.slots[*index].state, SlotState::Unopenable);
        let index = own_live
            .filter(|index| !(unopenable(index) && any_session.is_some()))
            .or(any_session)
            .ok_or(ClaimError::NotForYou)?;
        match &self.slots[index] {
            slot if slot.is_waiting(now_ms) => Ok(index),
            slot if slot.is_claimed(now_ms) => Err(ClaimError::Taken),
            _ => Err(ClaimError::Gone),
        }
    }

    /// Describes what a reader would get; without a live session, anything that waits for the account.
    pub(crate) fn waiting_item(
        &self,
        account: UserId,
        live: Option<LiveId>,
        now_ms: u64,
    ) -> Option<WaitingItem> {
        let anything = || {
            let waits = |slot: &Slot| slot.target.account() == account && slot.is_waiting(now_ms);
            let index = self.slots.iter().position(waits)?;
            let target = self.slots[index].target;
            let of = match target {
                Target::Live { live, .. } => Some(live),
                Target::Account(_) => None,
            };
            self.claimable(account, of, now_ms).ok()
        };
        self.claimable(account, live, now_ms)
            .ok()
            .or_else(|| if live.is_none() { anything() } else { None })
            .map(|index| self.item(index))
    }

    /// Gives a slot to a reader; call [`tick`](Self::tick) first.
    pub(crate) fn claim(
        &mut self,
        index: usize,
        by: Option<LiveId>,
        token: ClaimToken,
        until_ms: u64,
        events: &mut Vec<Event>,
    ) {
        self.slots[index].state = SlotState::Claimed {
            token,
            until_ms,
            by,
            shown: false,
        };
        events.push(Event::Claimed(self.change(index)));
    }

    /// Finds the running claim that a token belongs to.
    pub(crate) fn claimed_by(
        &self,
        account: UserId,
        token: &ClaimToken,
        now_ms: u64,
    ) -> Result<usize, LeaseError> {
        let mut found = None;
        for (index, slot) in self.slots.iter().enumerate() {
            if let SlotState::Claimed {
                token: of,
                until_ms,
                ..
            } = &slot.state
                && slot.target.account() == account
                && now_ms < *until_ms
                && bool::from(of.ct_eq(token))
            {
                found = Some(index);
            }
        }
        found.ok_or(LeaseError::StaleClaim)
    }

    /// Extends a claim up to a lease from now, never beyond one lease after the message's life.
    pub(crate) fn extend(&mut self, index: usize, now_ms: u64, lease_ms: u64) -> u64 {
        let latest = (now_ms + lease_ms).min(self.expires_ms + lease_ms);
        if let SlotState::Claimed {
            until_ms, shown, ..
        } = &mut self.slots[index].state
        {
            *until_ms = latest;
            *shown = true;
        }
        latest.saturating_sub(now_ms)
    }

    /// Ends a claim as read; returns whether the whole message is wiped with it.
    ///
    /// The poster's own copy never burns the message for the others, except in a message to oneself.
    /// The account's own slot ends too, because one of its sessions has read the message.
    pub(crate) fn acknowledge(&mut self, index: usize, events: &mut Vec<Event>) -> bool {
        let account = self.slots[index].target.account();
        let to_oneself = self.slots.iter().all(|s| s.target.account() == self.poster);
        let by_recipient = account != self.poster || to_oneself;
        let burned = self.burn_on_read && by_recipient;
        self.acknowledged |= by_recipient;
        if burned {
            for slot in &mut self.slots {
                slot.end(SlotState::Done);
            }
        } else {
            self.slots[index].end(SlotState::Done);
            for slot in &mut self.slots {
                if slot.target == Target::Account(account) {
                    slot.end(SlotState::Done);
                }
            }
        }
        events.push(Event::Acknowledged {
            change: self.change(index),
            burned,
        });
        self.announce_after_claim(index, events);
        burned
    }

    /// Ends a claim as unreadable: the slot is wiped and waits to be replaced.
    pub(crate) fn cannot_open(&mut self, index: usize, events: &mut Vec<Event>) {
        self.slots[index].end(SlotState::Unopenable);
        events.push(Event::CannotOpen(self.change(index)));
        self.announce_after_claim(index, events);
    }

    /// Adds slots, or replaces those of the same target that nobody is reading or has read.
    pub(crate) fn add_slots(&mut self, new: Vec<NewSlot>, events: &mut Vec<Event>) {
        for slot in new {
            let slot = Slot::new(slot);
            let index = match self.index_of(slot.target) {
                None => {
                    self.slots.push(slot);
                    self.slots.len() - 1
                }
                Some(index) if self.slots[index].is_replaceable() => {
                    self.slots[index] = slot;
                    index
                }
                Some(_) => continue,
            };
            events.push(self.available(index, true));
        }
    }

    /// Returns the state for the poster.
    pub(crate) fn state(&self, now_ms: u64) -> MessageState {
        if self.slots.iter().any(|slot| slot.is_claimed(now_ms)) {
            MessageState::Claimed
        } else if self.acknowledged {
            MessageState::Acknowledged
        } else if now_ms >= self.expires_ms {
            MessageState::Expired
        } else {
            MessageState::Waiting
        }
    }
}
