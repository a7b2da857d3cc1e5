//! The server's clock and randomness, both injected.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use rand_core::{Infallible, TryCryptoRng, TryRng};
use vault::{Clock, Entropy};

/// A clock that moves only when it is told to.
#[derive(Debug)]
pub struct ManualClock {
    now_ms: AtomicU64,
}

impl ManualClock {
    /// Starts at `now` unix seconds.
    pub fn at(now: u64) -> Arc<Self> {
        Arc::new(Self {
            now_ms: AtomicU64::new(now.saturating_mul(1000)),
        })
    }

    /// Moves on by `ms` milliseconds.
    pub fn advance_ms(&self, ms: u64) {
        self.now_ms.fetch_add(ms, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now_ms(&self) -> u64 {
        self.now_ms.load(Ordering::SeqCst)
    }
}

/// The machine's clock says a time that cannot be.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "this machine's clock says that it is before 1970: set it, for instance by its time server \
     (`timedatectl set-ntp true`), and start again"
)]
pub struct ClockNotSet;

/// Refuses a time before 1970, with which nothing here can count.
pub fn check_clock(now: SystemTime) -> Result<(), ClockNotSet> {
    now.duration_since(UNIX_EPOCH)
        .map(drop)
        .map_err(|_| ClockNotSet)
}

/// The injected clock and generator, as every service of the server holds them.
#[derive(Clone)]
pub struct Ambient {
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
}

impl std::fmt::Debug for Ambient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ambient").finish_non_exhaustive()
    }
}

impl Ambient {
    /// Joins a clock and a generator.
    pub fn new(clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> Self {
        Self { clock, entropy }
    }

    /// The machine's own clock and generator.
    pub fn system() -> Self {
        Self::new(
            Arc::new(vault::SystemClock::start()),
            Arc::new(vault::OsEntropy),
        )
    }

    /// Returns unix seconds.
    pub fn now(&self) -> u64 {
        self.clock.now_ms() / 1000
    }

    /// Returns unix milliseconds.
    pub fn now_ms(&self) -> u64 {
        self.clock.now_ms()
    }

    /// Returns the clock itself, for the crates that keep one.
    pub fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.clock)
    }

    /// Returns the generator itself, for the crates that keep one.
    pub fn entropy(&self) -> Arc<dyn Entropy> {
        Arc::clone(&self.entropy)
    }

    /// Returns `N` random bytes.
    pub fn random<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0_u8; N];
        fill(&*self.entropy, &mut bytes);
        bytes
    }

    /// Returns a generator for the protocol's functions.
    pub fn rng(&self) -> Rng {
        Rng(Arc::clone(&self.entropy))
    }
}

/// The injected generator in the shape that the protocol asks for.
pub struct Rng(Arc<dyn Entropy>);

impl TryRng for Rng {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0_u8; 4];
        fill(&*self.0, &mut bytes);
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0_u8; 8];
        fill(&*self.0, &mut bytes);
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        fill(&*self.0, bytes);
        Ok(())
    }
}

impl TryCryptoRng for Rng {}

/// Fills `bytes`, and ends the process where the machine has no randomness.
///
/// A server that went on with zeroes would hand out keys that anybody can guess.
fn fill(entropy: &dyn Entropy, bytes: &mut [u8]) {
    if let Err(error) = entropy.fill(bytes) {
        tracing::error!(%error, "no randomness: stopping");
        std::process::abort();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_clock_before_1970_is_refused() {
        assert_eq!(check_clock(UNIX_EPOCH), Ok(()));
        let before = UNIX_EPOCH - Duration::from_millis(1);
        assert_eq!(check_clock(before), Err(ClockNotSet));
    }
}
