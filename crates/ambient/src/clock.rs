//! Time, injected so that tests own it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

#[cfg(unix)]
pub use system::{ClockNotSet, SystemClock};

/// Tells the time.
pub trait Clock: Send + Sync {
    /// Returns unix milliseconds, never less than it returned before.
    fn now_ms(&self) -> u64;

    /// Returns the time since some fixed moment, never less than it returned before.
    fn monotonic(&self) -> Duration {
        Duration::from_millis(self.now_ms())
    }
}

/// A clock that moves only when it is told to.
#[derive(Debug)]
pub struct ManualClock {
    now_ms: AtomicU64,
}

impl ManualClock {
    /// Starts at `now` unix seconds.
    pub fn at(now: u64) -> Arc<Self> {
        Self::at_ms(now.saturating_mul(1000))
    }

    /// Starts at `now_ms` unix milliseconds.
    pub fn at_ms(now_ms: u64) -> Arc<Self> {
        Arc::new(Self {
            now_ms: AtomicU64::new(now_ms),
        })
    }

    /// Moves on by `ms` milliseconds.
    pub fn advance_ms(&self, ms: u64) {
        self.now_ms.fetch_add(ms, Ordering::SeqCst);
    }

    /// Moves on by whole milliseconds.
    pub fn advance(&self, by: Duration) {
        self.advance_ms(u64::try_from(by.as_millis()).unwrap_or(u64::MAX));
    }
}

impl Clock for ManualClock {
    fn now_ms(&self) -> u64 {
        self.now_ms.load(Ordering::SeqCst)
    }
}

/// Measures a duration.
#[derive(Clone)]
pub struct Stopwatch {
    clock: Arc<dyn Clock>,
    started: Duration,
}

impl Stopwatch {
    /// Starts now.
    pub fn start(clock: Arc<dyn Clock>) -> Self {
        let started = clock.monotonic();
        Self { clock, started }
    }

    /// Returns the time since the start.
    pub fn elapsed(&self) -> Duration {
        self.clock.monotonic().saturating_sub(self.started)
    }
}

impl std::fmt::Debug for Stopwatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stopwatch").finish_non_exhaustive()
    }
}

#[cfg(unix)]
mod system {
    use std::time::{Duration, SystemTime, SystemTimeError, UNIX_EPOCH};

    use rustix::time::{ClockId, clock_gettime};

    use super::Clock;

    /// The wall clock as it was at the start, carried on by the time since boot.
    ///
    /// Setting the machine's clock back or forth neither keeps a message alive nor kills it; time spent
    /// suspended counts.
    #[derive(Debug, Clone, Copy)]
    pub struct SystemClock {
        wall: Duration,
        since_boot: Duration,
    }

    /// The machine's clock is not set.
    #[derive(Debug, PartialEq, Eq, thiserror::Error)]
    #[error(
        "this machine's clock says that it is before 1970: set it, for instance by its time server \
         (`timedatectl set-ntp true`), and start again"
    )]
    pub struct ClockNotSet;

    impl SystemClock {
        /// Reads the wall clock once; a clock before 1970 counts from 1970.
        pub fn start() -> Self {
            Self {
                wall: wall().unwrap_or_default(),
                since_boot: since_boot(),
            }
        }

        /// Refuses a wall clock before 1970, with which nothing can count.
        ///
        /// # Errors
        /// [`ClockNotSet`].
        pub fn check() -> Result<(), ClockNotSet> {
            set(wall())
        }
    }

    impl Clock for SystemClock {
        fn now_ms(&self) -> u64 {
            let passed = since_boot().saturating_sub(self.since_boot);
            u64::try_from((self.wall + passed).as_millis()).unwrap_or(u64::MAX)
        }

        fn monotonic(&self) -> Duration {
            since_boot()
        }
    }

    #[expect(clippy::disallowed_methods, reason = "the one place that reads it")]
    fn wall() -> Result<Duration, SystemTimeError> {
        SystemTime::now().duration_since(UNIX_EPOCH)
    }

    fn set(wall: Result<Duration, SystemTimeError>) -> Result<(), ClockNotSet> {
        wall.map(drop).map_err(|_| ClockNotSet)
    }

    #[expect(clippy::disallowed_methods, reason = "the one place that reads it")]
    fn since_boot() -> Duration {
        let time = clock_gettime(ClockId::Boottime);
        // The kernel counts up from nought, and nanoseconds are less than a second.
        let (seconds, nanos) = (time.tv_sec.max(0), time.tv_nsec.clamp(0, 999_999_999));
        Duration::new(seconds.unsigned_abs(), u32::try_from(nanos).unwrap_or(0))
    }

    #[cfg(test)]
    mod tests {
        #![allow(clippy::disallowed_methods)]

        use super::*;

        #[test]
        fn a_clock_before_1970_is_refused() {
            assert_eq!(set(UNIX_EPOCH.duration_since(UNIX_EPOCH)), Ok(()));
            let before = UNIX_EPOCH - Duration::from_millis(1);
            assert_eq!(set(before.duration_since(UNIX_EPOCH)), Err(ClockNotSet));
            assert_eq!(SystemClock::check(), Ok(()));
        }

        fn boot_time() -> Duration {
            let uptime = std::fs::read_to_string("/proc/uptime").unwrap();
            let seconds = uptime.split(' ').next().unwrap().parse().unwrap();
            Duration::from_secs_f64(seconds)
        }

        #[test]
        fn the_time_since_boot_is_the_kernels_uptime() {
            // The kernel's file has hundredths of a second.
            let apart = since_boot().abs_diff(boot_time());
            assert!(apart < Duration::from_secs(60), "{apart:?}");
        }

        #[test]
        fn a_clock_that_starts_tells_unix_milliseconds() {
            let clock = SystemClock::start();
            let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
            let apart = u128::from(clock.now_ms()).abs_diff(wall.as_millis());
            assert!(apart < 60_000, "{apart} ms from the wall clock");
        }

        #[test]
        fn the_time_is_carried_on_by_what_passed_since_the_start() {
            let wall = Duration::from_millis(1_800_000_000_123);
            let started = since_boot() - Duration::from_millis(5);
            let clock = SystemClock {
                wall,
                since_boot: started,
            };
            let before = since_boot();
            let told = Duration::from_millis(clock.now_ms());
            let passed = told - wall + Duration::from_millis(1);
            assert!(passed >= before - started);
            assert!(told - wall <= since_boot() - started);
            assert!(clock.monotonic() >= before);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stopwatch_measures_what_its_clock_tells() {
        let clock = ManualClock::at(1_000);
        let watch = Stopwatch::start(clock.clone());
        assert_eq!(watch.elapsed(), Duration::ZERO);
        clock.advance_ms(1_500);
        assert_eq!(watch.elapsed(), Duration::from_millis(1_500));
        assert_eq!(clock.now_ms(), 1_001_500);
    }
}
