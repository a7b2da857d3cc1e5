//! Time and randomness, injected so that tests own them.

use std::time::{SystemTime, UNIX_EPOCH};

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
    time.tv_sec as u64 * 1000 + time.tv_nsec as u64 / 1_000_000
}

/// The operating system's generator.
#[derive(Debug, Clone, Copy, Default)]
pub struct OsEntropy;

impl Entropy for OsEntropy {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        getrandom::fill(bytes).map_err(|_| EntropyError)
    }
}
