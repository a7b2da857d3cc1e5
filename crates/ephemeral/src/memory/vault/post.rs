//! Posting: reserve room, put a message, add slots to it.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::memory::ledger::Ledger;
use crate::memory::message::{Held, Slot};
use crate::memory::platform::{Lock, Platform, Table};
use crate::memory::vault::Vault;
use crate::reservation::slots_cost;
use crate::types::repeats;
use crate::{
    AddSlotsError, Full, MessageId, NewMessage, NewSlot, PutError, PutOutcome, Reservation, UserId,
    cost,
};

impl<P: Platform> Vault<P> {
    /// Reserves room for a message of `payload` bytes, body and slots together, with this many slots,
    /// before it is read from the connection.
    pub fn reserve(&self, poster: UserId, payload: u64, slots: usize) -> Result<Reservation, Full> {
        if payload > self.config.message_bytes {
            let limit = self.config.message_bytes;
            return Err(Full::TooLarge {
                bytes: payload,
                limit,
            });
        }
        let bytes = cost(payload, slots);
        self.charge(poster, 1, bytes)?;
        let ledger: Arc<P::Lock<Ledger>> = Arc::clone(&self.ledger);
        Ok(Reservation::new(poster, bytes, ledger))
    }

    fn charge(&self, poster: UserId, messages: u64, bytes: u64) -> Result<(), Full> {
        let charge = |retry_after| {
            let charge =
                |l: &mut Ledger| l.charge(&self.config, poster, messages, bytes, retry_after);
            self.ledger.with(charge)
        };
        charge(Duration::ZERO).map_err(|full| {
            let retry_after = self.retry_after();
            match full {
                Full::Account { .. } => Full::Account { retry_after },
                Full::Vault { .. } => Full::Vault { retry_after },
                Full::TooLarge { .. } => full,
            }
        })
    }

    /// Estimates when there may be room: when something is next due, at least a second, at most an hour.
    fn retry_after(&self) -> Duration {
        let now_ms = self.clock.now_ms();
        let due_ms = self.schedule.with(|s| s.first()).map_or(0, |(due, _)| due);
        let wait_ms = due_ms.saturating_sub(now_ms).clamp(1000, 3_600_000);
        Duration::from_secs(wait_ms.div_ceil(1000))
    }

    /// Takes a message; its poster is the one who reserved.
    pub fn put(
        &self,
        mut reservation: Reservation,
        message: NewMessage,
    ) -> Result<PutOutcome, PutError> {
        self.operations.fetch_add(1, Ordering::Relaxed);
        message.check(&self.config)?;
        let now_ms = self.clock.now_ms();
        let expires_ms = now_ms + message.life.as_millis() as u64;
        let id = message.id;
        let held = Box::new(Held {
            id,
            sequence: self.sequence.fetch_add(1, Ordering::Relaxed),
            poster: reservation.poster(),
            expires_ms,
            scheduled_ms: expires_ms,
            charged: reservation.bytes(),
            burn_on_read: message.burn_on_read,
            acknowledged: false,
            body: Arc::new(message.body),
            slots: message.slots.into_iter().map(Slot::new).collect(),
        });
        let bytes = held.cost();
        let reserved = reservation.bytes();
        if bytes > reserved {
            return Err(PutError::OverReserved { bytes, reserved });
        }
        let mut events = Vec::new();
        let admitted = self.messages.insert(id, held, |held| {
            if self.tombstones.with(|t| t.holds(id, now_ms)) {
                return Err(PutError::Duplicate);
            }
            // Under the message's lock: whoever erases looks at the table after having said so.
            let accounts = held.accounts();
            if self.is_forgotten(held.poster, &accounts) {
                return Err(PutError::Erased);
            }
            reservation.spend();
            self.schedule.with(|s| s.insert(expires_ms, id));
            for account in accounts {
                self.enter_inbox(account, held);
            }
            self.settle(held, now_ms);
            held.announce(&mut events);
            Ok(())
        });
        admitted.map_err(|refused| refused.unwrap_or(PutError::Duplicate))?;
        self.publish(&events);
        Ok(PutOutcome {
            expires_at: expires_ms / 1000,
        })
    }

    /// Adds slots to a message of the same poster, or replaces the slots of the same targets.
    ///
    /// A slot that is claimed or was read stays as it is.
    pub fn add_slots(
        &self,
        id: MessageId,
        poster: UserId,
        slots: Vec<NewSlot>,
    ) -> Result<(), AddSlotsError> {
        let limit = self.config.slots_per_message;
        if slots.len() > limit {
            return Err(AddSlotsError::TooManySlots { limit });
        }
        if repeats(&slots) {
            return Err(AddSlotsError::RepeatedTarget);
        }
        let bytes: u64 = slots.iter().map(|slot| slot.bytes.len() as u64).sum();
        // Looked at before it is charged, so that a wrong id costs nothing; decided again below.
        self.messages
            .read(&id, |held| held.poster == poster)
            .filter(|own| *own)
            .ok_or(AddSlotsError::Gone)?;
        let charged = bytes.saturating_add(slots_cost(slots.len()));
        self.charge(poster, 0, charged)?;
        let now_ms = self.clock.now_ms();
        let readers: Vec<_> = slots.iter().map(|slot| slot.target.account()).collect();
        let added = self.transition(id, now_ms, |held, events| {
            if held.poster != poster {
                return Err(AddSlotsError::Gone);
            }
            if self.is_forgotten(poster, &readers) {
                return Err(AddSlotsError::Erased);
            }
            let new = |slot: &&NewSlot| held.slots.iter().all(|s| s.target != slot.target);
            if held.slots.len() + slots.iter().filter(new).count() > limit {
                return Err(AddSlotsError::TooManySlots { limit });
            }
            let limit = self.config.message_bytes;
            let bytes = held.bytes_with(&slots);
            if bytes > limit {
                return Err(Full::TooLarge { bytes, limit }.into());
            }
            // What was charged too much is refunded when the transition settles.
            held.charged += charged;
            held.add_slots(slots, events);
            for account in held.accounts() {
                self.enter_inbox(account, held);
            }
            Ok(())
        });
        let added = added.unwrap_or(Err(AddSlotsError::Gone));
        if added.is_err() {
            self.ledger.with(|l| l.refund(poster, 0, charged));
        }
        added
    }
}
