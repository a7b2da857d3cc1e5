//! What a browser remembers of the newest safe it saw.

/// Version and SHA3-256 of a sealed safe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SafeMark {
    /// The version.
    pub version: u64,
    /// Hash of the sealed bytes.
    pub hash: [u8; 32],
}
