//! Time and randomness, injected so that tests own them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::time::{ClockId, clock_gettime};

/// Tells the time.
pub trait Clock: Send + Sync {
    /// Returns unix milliseconds, never less than it returned before.
    fn now_ms(&self) -> u64;
}

/// The operating system gave no random bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the operating system gave no random bytes; try again, and check getrandom(2)")]
pub struct EntropyError;

/// Gives random bytes.
pub trait Entropy: Send + Sync {
    /// Fills `bytes` with unpredictable bytes.
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError>;
}

/// The wall clock as it was at the start, carried on by the time since boot.
///
/// Setting the machine's clock back or forth neither keeps a message alive nor kills it; time spent
/// suspended counts.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock {
    wall_ms: u64,
    since_boot_ms: u64,
}

impl SystemClock {
    /// Reads the wall clock once.
    pub fn start() -> Self {
        let wall_ms = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |elapsed| elapsed.as_millis() as u64);
        Self {
            wall_ms,
            since_boot_ms: since_boot_ms(),
        }
    }
}

impl Clock for SystemClock {
    fn now_ms(&self) -> u64 {
        self.wall_ms + since_boot_ms().saturating_sub(self.since_boot_ms)
    }
}

fn since_boot_ms() -> u64 {
    let time = clock_gettime(ClockId::Boottime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32).as_millis() as u64
}

/// The operating system's generator.
#[derive(Debug, Clone, Copy, Default)]
pub struct OsEntropy;

impl Entropy for OsEntropy {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        getrandom::fill(bytes).map_err(|_| EntropyError)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn boottime_ms() -> u64 {
        let time = clock_gettime(ClockId::Boottime);
        let whole = u64::try_from(time.tv_sec).unwrap() * 1000;
        whole + u64::try_from(time.tv_nsec).unwrap() / 1_000_000
    }

    #[test]
    fn the_time_since_boot_is_that_of_the_boot_clock_in_milliseconds() {
        let before = boottime_ms();
        let told = since_boot_ms();
        assert!((before..=boottime_ms()).contains(&told));
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
        let (wall_ms, started) = (1_800_000_000_123, boottime_ms() - 5);
        let clock = SystemClock {
            wall_ms,
            since_boot_ms: started,
        };
        let before = boottime_ms();
        let told = clock.now_ms();
        let passed = before - started..=boottime_ms() - started;
        assert!(passed.contains(&(told - wall_ms)));
        assert!(clock.now_ms() >= told);
    }

    #[test]
    fn the_operating_system_gives_other_bytes_each_time() {
        let mut bytes = [[0; 32]; 2];
        for block in &mut bytes {
            OsEntropy.fill(block).unwrap();
        }
        assert_ne!(bytes[0], bytes[1]);
        assert!(bytes.iter().all(|block| *block != [0; 32]));
    }
}
