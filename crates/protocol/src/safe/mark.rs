//! Marks of safes, by which a browser remembers the newest one that it saw.
//!
//! Specification: `docs/protocol/accounts.md#rollback-and-restore`.

use super::SafeError;
use crate::primitives::kdf::sha3_256;

/// Version and SHA3-256 of a sealed safe.
///
/// Each browser keeps the highest; messages to one's own sessions carry it. A browser that
/// is new to the account has none and cannot detect a rollback.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SafeMark {
    /// The version.
    pub version: u64,
    /// Hash of the sealed bytes.
    pub hash: [u8; 32],
}

impl SafeMark {
    /// The mark of a sealed safe.
    pub fn of(version: u64, sealed: &[u8]) -> Self {
        Self {
            version,
            hash: sha3_256(&[sealed]),
        }
    }

    /// Refuses a safe that is older than this mark, or another one under its version.
    pub fn check(&self, offered: &Self) -> Result<(), SafeError> {
        if offered.version < self.version {
            return Err(SafeError::RolledBack {
                seen: self.version,
                got: offered.version,
            });
        }
        if offered.version == self.version && offered.hash != self.hash {
            return Err(SafeError::Forked {
                version: self.version,
            });
        }
        Ok(())
    }
}
