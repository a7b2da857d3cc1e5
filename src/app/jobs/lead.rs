//! Which instance does the jobs that only one may do.

use std::sync::Mutex;
use std::sync::PoisonError;

use store::{Holder, Store};

/// Name of the lease.
const JOBS: &str = "jobs";
/// Seconds for which the lease is taken.
const TERM: u64 = 30;
/// Seconds that it has left when it is renewed.
const RENEW: u64 = 20;
/// Seconds between two tries of an instance that does not have it.
const TRY: u64 = 10;

/// The lead of this instance, if it has it.
pub(super) struct Lead {
    holder: Holder,
    standing: Mutex<Standing>,
}

#[derive(Clone, Copy, Default)]
struct Standing {
    /// Until when this instance leads.
    until: u64,
    /// When it tries again.
    next_try: u64,
}

impl Lead {
    /// An instance that does not lead yet.
    pub(super) fn new(holder: Holder) -> Self {
        Self {
            holder,
            standing: Mutex::default(),
        }
    }

    fn standing(&self) -> Standing {
        *self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, standing: Standing) {
        *self.standing.lock().unwrap_or_else(PoisonError::into_inner) = standing;
    }

    /// Whether this instance leads at this time; takes and renews the lease where that is due.
    pub(super) async fn leads(&self, store: &Store, now: u64) -> bool {
        if !store.is_shared() {
            return true;
        }
        let standing = self.standing();
        if now + RENEW < standing.until {
            return true;
        }
        let leads = now < standing.until;
        if !leads && now < standing.next_try {
            return false;
        }
        match store.take_lease(JOBS, self.holder, now, now + TERM).await {
            Ok(true) => {
                if !leads {
                    tracing::info!("this instance does the jobs that only one may do");
                }
                self.set(Standing {
                    until: now + TERM,
                    next_try: 0,
                });
                true
            }
            Ok(false) => {
                self.set(Standing {
                    until: 0,
                    next_try: now + TRY,
                });
                false
            }
            Err(cause) => {
                tracing::error!(%cause, "the lease of the jobs could not be renewed");
                self.set(Standing {
                    next_try: now + TRY,
                    ..standing
                });
                leads
            }
        }
    }

    /// Lets another instance lead at once.
    pub(super) async fn give_up(&self, store: &Store) {
        if self.standing().until == 0 {
            return;
        }
        self.set(Standing::default());
        if let Err(cause) = store.end_lease(JOBS, self.holder).await {
            tracing::warn!(%cause, "the lease of the jobs ends by itself");
        }
    }
}
