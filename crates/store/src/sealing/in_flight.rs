//! Values that are sealed and not written yet: a key is closed only after the last of them.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use tokio::sync::Notify;

/// Values that were sealed while one key was the active one.
#[derive(Default)]
struct Epoch {
    count: AtomicUsize,
    empty: Notify,
}

/// Marks one sealed value as in flight until it is dropped.
pub(crate) struct Ticket(Arc<Epoch>);

impl Drop for Ticket {
    fn drop(&mut self) {
        if self.0.count.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.0.empty.notify_one();
        }
    }
}

/// Counts values in flight.
#[derive(Default)]
pub(crate) struct InFlight {
    epoch: RwLock<Arc<Epoch>>,
}

impl InFlight {
    /// Takes a ticket. Call this before sealing, so that no value is missed.
    pub(crate) fn ticket(&self) -> Ticket {
        let epoch = self.epoch.read().unwrap_or_else(PoisonError::into_inner);
        epoch.count.fetch_add(1, Ordering::AcqRel);
        Ticket(Arc::clone(&epoch))
    }

    /// Waits until everything that was sealed before this call is written or dropped.
    ///
    /// Later callers take tickets of the next epoch, and so see every change to the keyring that was made
    /// before this call.
    pub(crate) async fn drained(&self) {
        let past = std::mem::take(&mut *self.epoch.write().unwrap_or_else(PoisonError::into_inner));
        while past.count.load(Ordering::Acquire) > 0 {
            past.empty.notified().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn draining_waits_for_the_last_ticket_of_the_past_and_for_none_of_the_present() {
        let in_flight = Arc::new(InFlight::default());
        in_flight.drained().await;
        let (first, second) = (in_flight.ticket(), in_flight.ticket());
        let draining = tokio::spawn({
            let in_flight = Arc::clone(&in_flight);
            async move { in_flight.drained().await }
        });
        tokio::task::yield_now().await;
        let later = in_flight.ticket();
        drop(first);
        tokio::task::yield_now().await;
        assert!(!draining.is_finished(), "one of the past is under way");
        drop(second);
        assert!(draining.await.is_ok());
        drop(later);
    }
}
