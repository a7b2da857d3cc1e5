//! Randomness, injected so that a test can fix it or make it fail.

/// The operating system gave no random bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the system gives no random bytes: check that /dev/urandom or getrandom(2) works")]
pub struct EntropyError;

/// A source of unpredictable bytes.
pub trait Entropy: Send + Sync {
    /// Fills the whole slice or fails.
    ///
    /// # Errors
    /// [`EntropyError`].
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError>;
}

/// The operating system's generator.
#[derive(Debug, Clone, Copy, Default)]
pub struct OsEntropy;

impl Entropy for OsEntropy {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads it")]
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        getrandom::fill(bytes).map_err(|_| EntropyError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
