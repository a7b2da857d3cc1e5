//! Buckets of attempts, by the generic cell rate algorithm: each row has the time at which its bucket
//! is full again.

use std::time::Duration;

use dashmap::DashMap;

use super::Memory;
use crate::{Answer, Attempt, Key, RateLimits, Rule, TooSoon, UserId};

/// An attempt costs at most two to this power times as much as the first.
const STEEPEST: u32 = 4;

/// After so long without an attempt the next one costs as much as the first.
const FORGIVEN: Duration = Duration::from_secs(3_600);

/// How long attempts are remembered that are too few to cost more.
const FEW: Duration = Duration::from_secs(60);

/// The attempts of one key.
struct Row {
    rule: Rule,
    /// When the bucket is full again.
    full_at: Duration,
    /// Attempts that cost more and more.
    count: u32,
    last: Duration,
}

impl Row {
    /// Counts an attempt.
    fn take(&mut self, now: Duration) -> Result<(), TooSoon> {
        if now.saturating_sub(self.last) >= FORGIVEN {
            self.count = 0;
        }
        let burst = self.rule.burst.max(1);
        let dearer = 1 << (self.count / burst).min(STEEPEST);
        let cost = if self.rule.growing {
            burst.min(dearer)
        } else {
            1
        };
        let full_at = self.full_at.max(now) + self.rule.per / burst * cost;
        let over = full_at.saturating_sub(now + self.rule.per / burst * burst);
        if !over.is_zero() {
            return Err(TooSoon(over));
        }
        self.full_at = full_at;
        self.count = self.count.saturating_add(1);
        self.last = now;
        Ok(())
    }

    /// Whether the next attempt is judged as if there had been none.
    fn is_idle(&self, now: Duration) -> bool {
        let life = match self.rule.growing {
            false => Duration::ZERO,
            true if self.count < self.rule.burst => FEW,
            true => FORGIVEN,
        };
        self.full_at <= now && now.saturating_sub(self.last) >= life
    }
}

/// Every bucket.
#[derive(Default)]
pub(super) struct Buckets(DashMap<(&'static str, Key), Row>);

impl Buckets {
    pub(super) fn take(&self, attempt: &Attempt, now: Duration) -> Result<(), TooSoon> {
        let Attempt { rule, key } = *attempt;
        let mut row = self.0.entry((rule.name, key)).or_insert(Row {
            rule,
            full_at: now,
            count: 0,
            last: now,
        });
        row.rule = rule;
        row.take(now)
    }

    pub(super) fn tidy(&self, now: Duration) {
        self.0.retain(|_, row| !row.is_idle(now));
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

impl RateLimits for Memory {
    fn take(&self, attempts: &[Attempt]) -> Answer<'_, Result<(), TooSoon>> {
        let now = self.since_epoch();
        let mut attempts = attempts.iter();
        Answer::ready(attempts.try_for_each(|attempt| self.buckets.take(attempt, now)))
    }

    fn writes_to(
        &self,
        from: UserId,
        to: &[UserId],
        beginnings: Rule,
    ) -> Answer<'_, Result<(), TooSoon>> {
        let now = self.since_epoch();
        let beginning = Attempt {
            rule: beginnings,
            key: Key::of(from.as_bytes(), &[]),
        };
        let begin = || self.buckets.take(&beginning, now);
        let mut to = to.iter();
        Answer::ready(to.try_for_each(|to| self.strangers.writes(from, *to, now.as_secs(), begin)))
    }

    fn never_wrote_to(&self, reader: UserId, accounts: &[UserId]) -> Answer<'_, Vec<UserId>> {
        let now = self.ambient.now();
        let strange = |from: &&UserId| !self.strangers.has_written(**from, reader, now);
        Answer::ready(accounts.iter().filter(strange).copied().collect())
    }
}
