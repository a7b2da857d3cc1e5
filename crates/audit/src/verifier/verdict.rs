//! The verdict on a log.

use crate::finding::Finding;
use crate::head::Fingerprint;

/// The verdict on a log.
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
    /// The time of the oldest record that no signature vouches for, as the record says, unix seconds.
    pub unsigned_since: Option<u64>,
    /// The key that the heads were verified with.
    pub key: Option<Fingerprint>,
    /// The findings, by record.
    pub findings: Vec<Finding>,
    /// The number of findings beyond those.
    pub more: u64,
}

impl Verdict {
    /// The records at the end that no signature vouches for, first and last.
    pub fn unsigned(&self) -> Option<(u64, u64)> {
        self.unsigned_since
            .map(|_| (self.vouched.max(self.from.saturating_sub(1)) + 1, self.to))
    }

    /// Returns a finding if records at the end have been unsigned for more than `patience` seconds, or have a
    /// time as far ahead: their server would have signed them.
    pub fn stale(&self, now: u64, patience: u64) -> Option<Finding> {
        let (from, to) = self.unsigned().filter(|_| self.vouched > 0)?;
        let since = self.unsigned_since?;
        (since.abs_diff(now) > patience).then_some(Finding::UnsignedTail { from, to })
    }

    /// Returns whether there are no findings.
    pub fn is_whole(&self) -> bool {
        self.findings.is_empty()
    }
}
