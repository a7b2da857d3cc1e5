//! How a message changes when live sessions connect and disconnect: no locks, no clock of its own.

use crate::memory::message::{Held, Slot, SlotState};
use crate::{Event, LiveId, Target, UserId};

/// How long a disconnected session keeps its slot of a message that its account has read.
const AWAY_MS: u64 = 60_000;

impl Held {
    /// Whether a session of this account has read it.
    fn was_read_by(&self, account: UserId) -> bool {
        let mut slots = self.slots.iter();
        slots.any(|slot| slot.target.account() == account && slot.is_done())
    }

    /// Returns when a slot is of no use any more: its session is gone, and its account has read the message.
    pub(crate) fn useless_ms(&self, slot: &Slot) -> u64 {
        match slot.left_ms {
            Some(left_ms) if self.was_read_by(slot.target.account()) => left_ms + AWAY_MS,
            _ => u64::MAX,
        }
    }

    /// Returns the slots that a session has claimed and not shown.
    ///
    /// A message that burns and was being shown keeps its lease: it may be on the screen.
    fn give_back(&mut self, account: UserId, live: LiveId, events: &mut Vec<Event>) {
        for index in 0..self.slots.len() {
            let slot = &self.slots[index];
            let on_screen = self.burn_on_read && slot.is_shown();
            if slot.target.account() != account || !slot.claimed_by_session(live) || on_screen {
                continue;
            }
            self.slots[index].state = SlotState::Waiting;
            events.push(Event::Returned(self.change(index)));
            self.announce_after_claim(index, events);
        }
    }

    /// Notes that the session disconnected.
    pub(crate) fn session_left(
        &mut self,
        account: UserId,
        live: LiveId,
        now_ms: u64,
        events: &mut Vec<Event>,
    ) {
        self.give_back(account, live, events);
        let own = Target::Live { account, live };
        for index in 0..self.slots.len() {
            let slot = &mut self.slots[index];
            if slot.target == own && !slot.is_done() && slot.left_ms.is_none() {
                slot.left_ms = Some(now_ms);
                if !self.was_read_by(account) {
                    events.push(Event::Left(self.change(index)));
                }
            }
        }
    }

    /// Notes that the session is connected again; it keeps claims only of what it shows.
    pub(crate) fn session_back(&mut self, account: UserId, live: LiveId, events: &mut Vec<Event>) {
        self.give_back(account, live, events);
        let own = Target::Live { account, live };
        for slot in &mut self.slots {
            if slot.target == own {
                slot.left_ms = None;
            }
        }
    }

    /// Whether only sessions that are gone could open this for the account, and none has read it.
    pub(crate) fn is_stranded_for(&self, account: UserId, now_ms: u64) -> bool {
        let mut own = self.slots.iter().filter(|s| s.target.account() == account);
        self.poster != account
            && now_ms < self.expires_ms
            && !self.was_read_by(account)
            && own.all(|slot| slot.left_ms.is_some())
    }
}

impl Slot {
    fn claimed_by_session(&self, live: LiveId) -> bool {
        matches!(self.state, SlotState::Claimed { by, .. } if by == Some(live))
    }

    fn is_shown(&self) -> bool {
        matches!(self.state, SlotState::Claimed { shown: true, .. })
    }
}
