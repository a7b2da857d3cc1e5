//! How long the other side is waited for.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep};

use super::gate::Awaits;
use super::limits::Waits;

/// Counts the time for which something was waited for. The time that passes while the server has
/// enough to do, or lets nothing more in, is not part of it.
#[derive(Debug)]
pub(super) struct Patience {
    waits: Waits,
    awaits: Awaits,
    waited: Duration,
    /// For how much longer a body may be waited for, by what came of it.
    credit: Duration,
}

impl Patience {
    pub(super) fn new(waits: Waits) -> Self {
        Self {
            waits,
            awaits: Awaits::Nothing,
            waited: Duration::ZERO,
            credit: waits.body,
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
        let rate = self.waits.body_bytes_per_second.max(1);
        let earned = (bytes as u64).saturating_mul(1_000_000) / rate;
        self.waited = self.waited.saturating_add(after);
        self.credit = self
            .credit
            .saturating_sub(after)
            .saturating_add(Duration::from_micros(earned))
            .min(self.waits.body);
    }

    /// Says how long the next byte may be waited for; `None` is without end.
    pub(super) fn left(&self) -> Option<Duration> {
        match self.awaits {
            Awaits::Nothing => None,
            Awaits::Head(_) => Some(self.waits.head.saturating_sub(self.waited)),
            Awaits::Body(_) => Some(self.credit.min(self.waits.body_piece)),
            Awaits::End => Some(self.waits.end.saturating_sub(self.waited)),
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
    fn a_body_that_comes_in_drops_ends_after_twenty_seconds() {
        let mut patience = patience(Awaits::Body(1));
        for _ in 0..2 {
            patience.came(1, seconds(9));
        }
        assert!(patience.left() < Some(seconds(3)));
        patience.came(1, seconds(3));
        assert!(patience.left() < Some(seconds(1)));
    }

    #[test]
    fn much_that_came_at_once_is_no_reason_to_wait_longer_for_drops() {
        let mut patience = patience(Awaits::Body(1));
        patience.came(2 << 20, seconds(1));
        for _ in 0..2 {
            patience.came(1, seconds(9));
        }
        assert!(patience.left() < Some(seconds(3)));
    }

    #[test]
    fn a_slow_phone_has_as_long_as_it_needs_and_may_be_silent_in_between() {
        let mut patience = patience(Awaits::Body(1));
        for second in 0..500 {
            patience.came(2 << 10, seconds(1));
            if second % 20 == 0 {
                patience.came(2 << 10, seconds(9));
            }
            assert!(patience.left() > Some(seconds(9)), "{second}");
        }
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
