//! How long the other side is waited for.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep};

use super::intake::Awaits;
use super::limits::Waits;

/// Counts the time for which something was waited for. The time that passes while the server has
/// enough to do, or lets nothing more in, is not part of it.
#[derive(Debug)]
pub(super) struct Patience {
    waits: Waits,
    awaits: Awaits,
    waited: Duration,
    received: u64,
}

impl Patience {
    pub(super) fn new(waits: Waits) -> Self {
        Self {
            waits,
            awaits: Awaits::Nothing,
            waited: Duration::ZERO,
            received: 0,
        }
    }

    /// Begins anew when what is waited for has become something else, and says whether it has.
    pub(super) fn turn_to(&mut self, awaits: Awaits) -> bool {
        let turns = self.awaits != awaits;
        if turns {
            *self = Self::new(self.waits);
            self.awaits = awaits;
        }
        turns
    }

    /// Counts bytes that came, and for how long they were waited for.
    pub(super) fn came(&mut self, bytes: usize, after: Duration) {
        self.received += bytes as u64;
        self.waited += after;
    }

    /// Says how long the next byte may be waited for; `None` is without end.
    pub(super) fn left(&self) -> Option<Duration> {
        match self.awaits {
            Awaits::Nothing => None,
            Awaits::Head(_) => Some(self.waits.head.saturating_sub(self.waited)),
            Awaits::Body(_) => {
                let earned = self.received / self.waits.body_bytes_per_second.max(1);
                let whole = self.waits.body + Duration::from_secs(earned);
                let left = whole.saturating_sub(self.waited);
                Some(left.min(self.waits.body_piece))
            }
        }
    }
}

/// One wait at a time, with its end.
#[derive(Default)]
pub(super) struct Wait {
    since: Option<Instant>,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Wait {
    /// Goes on waiting; ready when it was as long as it may be.
    pub(super) fn poll(&mut self, longest: Option<Duration>, cx: &mut Context<'_>) -> Poll<()> {
        let Some(longest) = longest else {
            *self = Self::default();
            return Poll::Pending;
        };
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep(longest)));
        if self.since.is_none() {
            let now = Instant::now();
            self.since = Some(now);
            timer.as_mut().reset(now + longest);
        }
        timer.as_mut().poll(cx)
    }

    /// Ends the wait; returns how long it was.
    pub(super) fn end(&mut self) -> Duration {
        self.since.take().map_or(Duration::ZERO, |s| s.elapsed())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    fn patience(awaits: Awaits) -> Patience {
        let mut patience = Patience::new(Waits::default());
        patience.turn_to(awaits);
        patience
    }

    #[test]
    fn nothing_is_waited_for_without_end() {
        assert_eq!(patience(Awaits::Nothing).left(), None);
    }

    #[test]
    fn every_head_of_a_connection_has_ten_seconds_from_its_first_byte() {
        for head in [1, 2, 50] {
            let mut patience = patience(Awaits::Head(head));
            patience.came(1, seconds(4));
            patience.turn_to(Awaits::Head(head));
            patience.came(1, seconds(5));
            assert_eq!(patience.left(), Some(seconds(1)));
            patience.came(1, seconds(5));
            assert_eq!(patience.left(), Some(seconds(0)));
            patience.turn_to(Awaits::Head(head + 1));
            assert_eq!(patience.left(), Some(seconds(10)));
        }
    }

    #[test]
    fn a_body_ends_after_ten_seconds_without_progress() {
        let mut patience = patience(Awaits::Body(1));
        assert_eq!(patience.left(), Some(seconds(10)));
        patience.came(1, seconds(9));
        assert_eq!(patience.left(), Some(seconds(10)));
    }

    #[test]
    fn a_small_body_that_comes_in_drops_ends_after_a_minute() {
        let mut patience = patience(Awaits::Body(1));
        for _ in 0..6 {
            patience.came(1, seconds(9));
        }
        assert_eq!(patience.left(), Some(seconds(6)));
        patience.came(1, seconds(6));
        assert_eq!(patience.left(), Some(seconds(0)));
    }

    #[test]
    fn a_large_body_that_comes_steadily_has_as_long_as_it_needs() {
        let mut patience = patience(Awaits::Body(1));
        for _ in 0..256 {
            patience.came(8 * 1024, seconds(1));
            assert_eq!(patience.left(), Some(seconds(10)));
        }
    }
}
