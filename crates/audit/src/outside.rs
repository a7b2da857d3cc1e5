//! Heads kept by witnesses, out of reach of whoever holds the log.

use std::collections::BTreeMap;

use crate::finding::Finding;
use crate::head::{Fingerprint, HeadLineError, HeadVerifyKey, Witnessed};

/// The most findings that are kept.
const MOST: usize = 100;

/// Heads of a witness, verified as they are read; 80 bytes for each signed record.
#[derive(Debug)]
pub struct Outside {
    key: HeadVerifyKey,
    fingerprint: Fingerprint,
    lines: u64,
    /// Hash and time by record.
    held: BTreeMap<u64, ([u8; 64], u64)>,
    findings: Vec<Finding>,
}

impl Outside {
    /// Starts empty; heads must be signed under this key.
    pub fn under(key: HeadVerifyKey) -> Self {
        Self {
            fingerprint: key.fingerprint(),
            key,
            lines: 0,
            held: BTreeMap::new(),
            findings: Vec::new(),
        }
    }

    /// Takes one line; an empty one is skipped, a forged one is a finding.
    pub fn line(&mut self, line: &[u8]) -> Result<(), HeadLineError> {
        self.lines += 1;
        let line = line.trim_ascii();
        if line.is_empty() {
            return Ok(());
        }
        let witnessed = Witnessed::parse(line)?;
        let signed = witnessed.head();
        if witnessed.key() != self.fingerprint || !self.key.verify(&signed) {
            let line = self.lines;
            self.find(Finding::ForgedOutsideHead { line });
            return Ok(());
        }
        let id = signed.head.record_id;
        let said = (signed.head.hash, signed.head.timestamp);
        let known = *self.held.entry(id).or_insert(said);
        if known.0 != said.0 {
            self.find(Finding::TwoHistories { id });
        }
        Ok(())
    }

    /// How many records the heads sign.
    pub fn len(&self) -> usize {
        self.held.len()
    }

    /// Returns whether there is no valid head.
    pub fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    fn find(&mut self, finding: Finding) {
        if self.findings.len() < MOST {
            self.findings.push(finding);
        }
    }

    pub(crate) fn take_findings(&mut self) -> Vec<Finding> {
        std::mem::take(&mut self.findings)
    }

    /// Returns whether a head signs another record under this number.
    pub(crate) fn contradicts(&self, id: u64, hash: &[u8; 64]) -> bool {
        self.held.get(&id).is_some_and(|(held, _)| held != hash)
    }

    /// Returns the newest record that a head signs, and the time of the head.
    pub(crate) fn newest(&self) -> Option<(u64, u64)> {
        self.held.last_key_value().map(|(id, (_, at))| (*id, *at))
    }
}
