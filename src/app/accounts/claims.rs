//! Claimed prekeys: a repeated claim within a bucket gets the same prekey, and each account's claims are
//! limited.
//!
//! Specification: `docs/protocol/messages.md#fetching-keys-to-write-to`.

use std::sync::Arc;

use dashmap::DashMap;
use store::{Claim, Fault, SessionId, Store, UserId};
use tokio::sync::Mutex;

use super::tree::Tree;

/// Seconds of a bucket.
const BUCKET: u64 = 300;

/// Seconds of a day.
const DAY: u64 = 86_400;

/// The most one-time prekeys of one account that another account may claim in a day.
const PER_DAY: u32 = 25;

type Slot = Arc<Mutex<Option<Vec<u8>>>>;

/// Remembers claims for as long as a repeated claim must get the same answer.
#[derive(Default)]
pub struct Claims {
    given: DashMap<(SessionId, UserId), (u64, Slot)>,
    taken: DashMap<(UserId, UserId), (u64, u32)>,
}

impl Claims {
    /// Claims an encoded prekey of `recipient`, or returns the one that was claimed in this bucket.
    ///
    /// Returns `None` if the recipient has no valid batch.
    pub async fn claim(
        &self,
        store: &Store,
        session: SessionId,
        claimer: UserId,
        recipient: UserId,
        now: u64,
    ) -> Result<Option<Vec<u8>>, Fault> {
        let slot = self.slot(session, recipient, now / BUCKET);
        // Whoever asks at the same time waits here and is given the same prekey.
        let mut given = slot.lock().await;
        if let Some(bytes) = given.as_ref() {
            return Ok(Some(bytes.clone()));
        }
        let kind = if self.may_take(claimer, recipient, now / DAY) {
            Claim::OneTime
        } else {
            Claim::LastResort
        };
        let Some(row) = store.claim_prekey(recipient, kind, now).await? else {
            return Ok(None);
        };
        if !row.last_resort {
            self.took(claimer, recipient, now / DAY);
        }
        *given = Tree::claimed(&row);
        Ok(given.clone())
    }

    /// Forgets claims on an identity that was replaced.
    pub fn forget_recipient(&self, recipient: UserId) {
        self.given.retain(|(_, of), _| *of != recipient);
    }

    /// Forgets claims on an erased account, and claims that it made.
    pub fn forget_account(&self, account: UserId, sessions: &[SessionId]) {
        self.forget_recipient(account);
        self.given.retain(|(by, _), _| !sessions.contains(by));
        self.taken
            .retain(|(by, of), _| *by != account && *of != account);
    }

    /// Forgets past buckets and days.
    pub fn forget_old(&self, now: u64) {
        self.given.retain(|_, (bucket, _)| *bucket >= now / BUCKET);
        self.taken.retain(|_, (day, _)| *day >= now / DAY);
    }

    fn slot(&self, session: SessionId, recipient: UserId, bucket: u64) -> Slot {
        let mut entry = self.given.entry((session, recipient)).or_default();
        if entry.0 != bucket {
            *entry = (bucket, Slot::default());
        }
        Arc::clone(&entry.1)
    }

    fn may_take(&self, claimer: UserId, recipient: UserId, today: u64) -> bool {
        self.taken
            .get(&(claimer, recipient))
            .is_none_or(|entry| entry.0 != today || entry.1 < PER_DAY)
    }

    fn took(&self, claimer: UserId, recipient: UserId, today: u64) {
        let mut entry = self.taken.entry((claimer, recipient)).or_default();
        if entry.0 == today {
            entry.1 += 1;
        } else {
            *entry = (today, 1);
        }
    }
}
