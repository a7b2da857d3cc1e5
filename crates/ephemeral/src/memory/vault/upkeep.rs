//! Upkeep: expires what is due, forgets fates, returns memory to the operating system.

use std::sync::atomic::Ordering;

use crate::memory::platform::{After, Lock, Platform, Table};
use crate::memory::vault::Vault;
use crate::{PurgeReport, UserId};
use ambient::alloc::trim;

/// Wiped bytes after which memory is returned although the vault is busy.
const MUCH: u64 = 64 * 1024 * 1024;

impl<P: Platform> Vault<P> {
    /// Ends expired leases and lives, soonest first, of at most `limit` messages.
    pub fn purge_due(&self, limit: usize) -> PurgeReport {
        let now_ms = self.clock.now_ms();
        let mut report = PurgeReport::default();
        self.tombstones.with(|t| t.expire(now_ms));
        self.forgotten.with(|f| f.expire(now_ms));
        loop {
            let first = self.schedule.with(|s| s.first());
            let Some((due_ms, id)) = first.filter(|(due_ms, _)| *due_ms <= now_ms) else {
                return report;
            };
            if report.wiped + report.changed >= limit {
                report.more = true;
                return report;
            }
            // The tick does the work; another thread may have done it just before.
            match self.transition(id, now_ms, |_, _| ()) {
                Some(()) => report.changed += 1,
                None => report.wiped += 1,
            }
            // Normally gone or moved by now. Never look at the same entry twice, whatever happened.
            self.schedule.with(|s| s.remove(due_ms, id));
        }
    }

    /// Forgets what became of an account's messages, for when its last session ends.
    pub fn forget_fates(&self, poster: UserId) {
        self.tombstones.with(|t| t.forget(poster));
    }

    /// Wipes everything, for shutting down; returns how many messages there were.
    pub fn wipe_all(&self) -> usize {
        let now_ms = self.clock.now_ms();
        let mut wiped = 0;
        for id in self.messages.keys() {
            let removed = self.messages.update(&id, |held| {
                for slot in &mut held.slots {
                    slot.state = crate::memory::message::SlotState::Done;
                }
                self.settle(held, now_ms);
                ((), After::Remove)
            });
            wiped += usize::from(removed.is_some());
        }
        self.tombstones.with(|t| t.clear());
        self.give_back();
        wiped
    }

    /// Returns memory to the operating system if it is worth it; returns whether it did.
    ///
    /// It does so if something was wiped and nothing has happened since the last call, or if much was
    /// wiped in a busy vault. Call it about every second, not on the threads that serve: it takes
    /// milliseconds.
    pub fn give_back_when_idle(&self) -> bool {
        let operations = self.operations.load(Ordering::Relaxed);
        let idle = self.seen_at_last_call.swap(operations, Ordering::Relaxed) == operations;
        let freed = self.freed.load(Ordering::Relaxed);
        let worth_it = freed > MUCH || (idle && freed > 0);
        if worth_it {
            self.give_back();
        }
        worth_it
    }

    /// Shrinks every table and gives free memory back to the operating system.
    pub fn give_back(&self) {
        self.freed.store(0, Ordering::Relaxed);
        self.messages.shrink();
        self.inboxes.shrink();
        self.ledger.with(|l| l.shrink());
        self.tombstones.with(|t| t.shrink());
        trim();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::memory::tests::{Bench, bench};
    use crate::tests::{BOB, MINUTE, message, message_id};
    use crate::{PurgeReport, Target};

    #[test]
    fn an_entry_of_the_schedule_without_a_message_is_looked_at_once_and_holds_nothing_up() {
        let b: Bench = bench();
        let posted = b.post(message(1, false, &[Target::Account(BOB)]));
        assert!(posted.is_ok());
        b.vault.schedule.with(|s| s.insert(7, message_id(2)));
        b.clock.advance(MINUTE - Duration::from_millis(1));
        let passed_over = PurgeReport {
            wiped: 1,
            ..PurgeReport::default()
        };
        assert_eq!(b.vault.purge_due(100), passed_over);
        assert_eq!(b.vault.purge_due(100), PurgeReport::default());
        b.clock.advance(Duration::from_millis(1));
        b.vault.purge_due(100);
        assert!(b.is_pristine());
    }
}
