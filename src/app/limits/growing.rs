//! A token bucket for each key; the more attempts there are, the more each costs.

use std::hash::Hash;
use std::num::NonZeroU32;
use std::time::Duration;

use dashmap::DashMap;
use governor::clock::Clock as _;

use super::clock::Injected;
use super::{Keyed, TooSoon, at_least_one, keyed, per_minute};

/// An attempt costs at most two to this power times as much as the first.
const STEEPEST: u32 = 4;

/// After so long without an attempt the next one costs as much as the first.
const FORGIVEN: Duration = Duration::from_secs(3_600);

/// How long attempts are remembered that are too few to cost more.
const FEW: Duration = Duration::from_secs(60);

/// Attempts of one key.
struct Row {
    count: u32,
    last: Duration,
}

/// Lets each key act `burst` times at once and as often a minute; twice as much of the bucket goes with
/// each attempt after the first `burst`, four times as much after twice as many, and so on.
pub(super) struct Growing<K: Hash + Eq + Clone> {
    burst: u32,
    bucket: Keyed<K>,
    rows: DashMap<K, Row>,
    clock: Injected,
}

impl<K: Hash + Eq + Clone> Growing<K> {
    pub(super) fn new(burst: u32, clock: &Injected) -> Self {
        let burst = burst.max(1);
        Self {
            burst,
            bucket: keyed(per_minute(burst), clock),
            rows: DashMap::new(),
            clock: clock.clone(),
        }
    }

    /// Counts one attempt; a refused attempt is not counted.
    pub(super) fn take(&self, key: &K) -> Result<(), TooSoon> {
        let now = self.clock.now();
        let mut row = self.rows.entry(key.clone()).or_insert(Row {
            count: 0,
            last: now,
        });
        if now.saturating_sub(row.last) >= FORGIVEN {
            row.count = 0;
        }
        match self.bucket.check_key_n(key, self.cost(row.count)) {
            Ok(Ok(())) => {
                row.count = row.count.saturating_add(1);
                row.last = now;
                Ok(())
            }
            Ok(Err(not_until)) => Err(TooSoon::from(&not_until, &self.clock)),
            // The cost is within the burst.
            Err(_) => Err(TooSoon(FORGIVEN)),
        }
    }

    fn cost(&self, count: u32) -> NonZeroU32 {
        let cost = 1 << (count / self.burst).min(STEEPEST);
        at_least_one(self.burst.min(cost))
    }

    pub(super) fn forget_idle(&self) {
        let now = self.clock.now();
        self.bucket.retain_recent();
        self.rows.retain(|_, row| {
            let life = if row.count < self.burst {
                FEW
            } else {
                FORGIVEN
            };
            now.saturating_sub(row.last) < life
        });
    }
}
