//! A clock and a generator, as every service holds them together.

use std::sync::Arc;
use std::time::Duration;

use crate::{Clock, Entropy, Rng, Stopwatch};

/// The injected clock and generator.
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
    #[cfg(unix)]
    pub fn system() -> Self {
        Self::new(
            Arc::new(crate::SystemClock::start()),
            Arc::new(crate::OsEntropy),
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

    /// Returns the time since a fixed moment.
    pub fn monotonic(&self) -> Duration {
        self.clock.monotonic()
    }

    /// Starts to measure a duration.
    pub fn stopwatch(&self) -> Stopwatch {
        Stopwatch::start(self.clock())
    }

    /// Returns the clock, for whoever keeps one.
    pub fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.clock)
    }

    /// Returns the source of randomness, for whoever keeps one.
    pub fn entropy(&self) -> Arc<dyn Entropy> {
        Arc::clone(&self.entropy)
    }

    /// Returns `N` random bytes.
    pub fn random<const N: usize>(&self) -> [u8; N] {
        self.rng().random()
    }

    /// Returns a generator for the protocol's functions.
    pub fn rng(&self) -> Rng {
        Rng::new(self.entropy())
    }
}
