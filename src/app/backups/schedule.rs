//! The schedule of backups.

use backup::Wish;

/// How often backups are made.
pub(super) struct Schedule {
    /// Seconds; 0 for never.
    pub incremental: u64,
    /// Seconds; 0 for never.
    pub full: u64,
}

/// Times of the newest backups, in unix seconds.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Newest {
    /// Of either kind.
    pub any: Option<u64>,
    pub full: Option<u64>,
}

impl Schedule {
    /// Returns the kind that is due.
    pub(super) fn due(&self, newest: Newest, now: u64) -> Option<Wish> {
        let after = |last: Option<u64>, every: u64| match last {
            None => self.incremental > 0 || self.full > 0,
            Some(last) => every > 0 && now >= last.saturating_add(every),
        };
        if after(newest.full, self.full) {
            Some(Wish::Full)
        } else if after(newest.any, self.incremental) {
            Some(Wish::Incremental)
        } else {
            None
        }
    }

    /// Returns the unix seconds of the next; `None` before the first.
    pub(super) fn next(&self, newest: Newest) -> Option<u64> {
        let next =
            |last: Option<u64>, every: u64| Some(last?.saturating_add(every)).filter(|_| every > 0);
        next(newest.full, self.full)
            .into_iter()
            .chain(next(newest.any, self.incremental))
            .min()
    }
}
