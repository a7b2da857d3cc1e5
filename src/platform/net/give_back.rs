//! Gives memory back to the operating system after many connections have closed.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::Notify;

/// Closed connections after which giving back is worth its milliseconds.
const MANY: usize = 256;

/// How long no connection may have closed before memory is given back.
const QUIET: Duration = Duration::from_secs(1);

/// The most looks at whether connections still close; after these memory is given back all the same.
const LOOKS: usize = 6;

/// Counts connections that have closed since memory was given back.
#[derive(Debug, Default)]
pub(super) struct GiveBack {
    closed: AtomicUsize,
    many: Notify,
}

impl GiveBack {
    /// Counts a connection when the value that this returns is dropped.
    pub(super) fn open(self: &Arc<Self>) -> Open {
        Open(Arc::clone(self))
    }

    /// Gives memory back whenever many connections have closed and no more do.
    pub(super) async fn run(self: Arc<Self>) {
        loop {
            self.worth_it(|| tokio::time::sleep(QUIET)).await;
            // Not on a thread that serves.
            let _given = tokio::task::spawn_blocking(ambient::alloc::trim).await;
        }
    }

    /// Waits until many connections have closed and, after a rest, no more do.
    async fn worth_it<R: Future<Output = ()>>(&self, mut rest: impl FnMut() -> R) {
        self.many.notified().await;
        for _ in 0..LOOKS {
            let closed = self.closed.load(Ordering::Relaxed);
            rest().await;
            if self.closed.load(Ordering::Relaxed) == closed {
                break;
            }
        }
        self.closed.store(0, Ordering::Relaxed);
    }
}

/// An open connection.
#[derive(Debug)]
pub(super) struct Open(Arc<GiveBack>);

impl Drop for Open {
    fn drop(&mut self) {
        if self.0.closed.fetch_add(1, Ordering::Relaxed) + 1 == MANY {
            self.0.many.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::future::ready;

    use futures_util::FutureExt;

    use super::*;

    fn close(closings: &Arc<GiveBack>, connections: usize) {
        let open: Vec<_> = (0..connections).map(|_| closings.open()).collect();
        drop(open);
    }

    #[test]
    fn many_that_have_closed_are_worth_it_once_and_a_few_are_not() {
        let closings = Arc::new(GiveBack::default());
        let cases = [
            (MANY - 1, false),
            (1, true),
            (3 * MANY, true),
            (MANY - 1, false),
        ];
        for (connections, wanted) in cases {
            close(&closings, connections);
            let worth_it = || closings.worth_it(|| ready(())).now_or_never().is_some();
            assert_eq!(worth_it(), wanted, "{connections}");
            assert!(!worth_it(), "{connections}");
        }
    }

    #[test]
    fn connections_that_go_on_closing_put_it_off_only_so_long() {
        let closings = Arc::new(GiveBack::default());
        let rests = Cell::new(0);
        close(&closings, MANY);
        let rest = || {
            rests.set(rests.get() + 1);
            close(&closings, usize::from(rests.get() < 3));
            ready(())
        };
        assert!(closings.worth_it(rest).now_or_never().is_some());
        assert_eq!(rests.get(), 3);
        close(&closings, MANY);
        let rest = || {
            rests.set(rests.get() + 1);
            close(&closings, 1);
            ready(())
        };
        assert!(closings.worth_it(rest).now_or_never().is_some());
        assert_eq!(rests.get(), 3 + LOOKS);
    }
}
