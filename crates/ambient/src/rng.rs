//! The injected generator in the shape that the protocol's functions take.

use std::io::Write;
use std::sync::Arc;

use rand_core::{Infallible, TryCryptoRng, TryRng};

use crate::{Entropy, OsEntropy};

/// A generator that never fails: it ends the process where there is no randomness.
///
/// A process that went on with zeros would hand out keys that anybody can guess.
#[derive(Clone)]
pub struct Rng(Arc<dyn Entropy>);

impl Rng {
    /// Draws from this source.
    pub fn new(entropy: Arc<dyn Entropy>) -> Self {
        Self(entropy)
    }

    /// Draws from the operating system.
    pub fn system() -> Self {
        Self::new(Arc::new(OsEntropy))
    }

    /// Fills `bytes`.
    pub fn fill(&self, bytes: &mut [u8]) {
        if let Err(error) = self.0.fill(bytes) {
            // The allocator and the log may be in any state: one line, whatever becomes of it.
            let _ = writeln!(std::io::stderr(), "stopping: {error}");
            std::process::abort();
        }
    }

    /// Returns `N` random bytes.
    pub fn random<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.fill(&mut bytes);
        bytes
    }
}

impl std::fmt::Debug for Rng {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rng").finish_non_exhaustive()
    }
}

impl TryRng for Rng {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(u32::from_le_bytes(self.random()))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(u64::from_le_bytes(self.random()))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.fill(bytes);
        Ok(())
    }
}

impl TryCryptoRng for Rng {}
