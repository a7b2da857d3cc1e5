//! What a log came to.

use crate::finding::Finding;
use crate::head::Fingerprint;

/// What a log came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Records that were read.
    pub records: u64,
    /// The first of them; 0 where there is none.
    pub from: u64,
    /// The last of them; 0 where there is none.
    pub to: u64,
    /// Hash of the last.
    pub hash: [u8; 64],
    /// Heads whose signatures hold and that fit the chain.
    pub heads: u64,
    /// The newest record that a signature vouches for.
    pub vouched: u64,
    /// The key that the heads were verified with.
    pub key: Option<Fingerprint>,
    /// Everything that does not fit, by record.
    pub findings: Vec<Finding>,
    /// Findings beyond those.
    pub more: u64,
}

impl Verdict {
    /// Whether nothing was found.
    pub fn is_whole(&self) -> bool {
        self.findings.is_empty()
    }
}
