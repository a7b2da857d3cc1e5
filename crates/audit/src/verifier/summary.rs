//! Findings that are clear only at the end of the log.

use super::{Verdict, Verifier};
use crate::finding::Finding;
use crate::head::HeadVerifyKey;

impl Verifier {
    pub(super) fn sum_up(mut self, signed: Option<u64>) -> Verdict {
        self.release();
        for record in std::mem::take(&mut self.suspects) {
            self.find(Finding::Changed { id: record.id });
        }
        for (at, record) in std::mem::take(&mut self.displaced) {
            self.find(Finding::OutOfPlace { id: record.id, at });
        }
        let last = self.last.0;
        if self.newest_ahead > last {
            let expected = self.newest_ahead;
            self.find(Finding::CutTail { last, expected });
        }
        self.hold_against_outside(last);
        let vouched = signed.unwrap_or(0).max(self.vouched);
        if self.key.is_some() && self.records > 0 && vouched == 0 && self.findings.is_empty() {
            let records = self.records;
            self.find(Finding::Unsigned { records });
        }
        self.hold_against_doors(vouched);
        let mut findings = self.findings;
        findings.sort_by_key(|finding| finding.record().unwrap_or(0));
        findings.dedup();
        Verdict {
            records: self.records,
            from: self.first.map_or(0, |(id, _)| id),
            to: if self.records == 0 { 0 } else { last },
            hash: self.last.1,
            heads: self.heads,
            vouched,
            unsigned_since: self.unsigned_since.filter(|_| vouched < last),
            key: self.key.as_ref().map(HeadVerifyKey::fingerprint),
            findings,
            more: self.more,
        }
    }

    fn hold_against_outside(&mut self, last: u64) {
        let Some(outside) = &self.outside else { return };
        if let Some((first, Some(hash))) = &self.first
            && *first > 1
            && outside.contradicts(first - 1, hash)
        {
            self.forked = Some(first - 1);
        }
        if let Some((expected, at)) = outside.newest().filter(|(id, _)| *id > last)
            && self.newest_ahead < expected
        {
            self.find(Finding::RolledBack { last, expected, at });
        }
        if let Some(id) = self.forked {
            self.find(Finding::Forked { id });
        }
    }

    /// Checks records that are missing at the beginning: something signed must permit it.
    fn hold_against_doors(&mut self, vouched: u64) {
        let Some((first, _)) = self.first else { return };
        if first <= self.start.0.saturating_add(1) {
            return;
        }
        let newest = self.doors.last_key_value().map_or(0, |(newest, _)| *newest);
        let through = first - 1;
        // A newer door may have been opened and not be signed yet: an older one still proves.
        let proven = self.doors.range(through..).any(|(_, (_, record))| {
            record.is_some_and(|record| self.key.is_none() || record <= vouched)
        });
        if !proven && through <= newest {
            self.find(Finding::UnprovenRetention { through });
        }
    }
}
