//! Verifies a log from beginning to end, in constant memory, and names what is wrong.

mod heads;
mod records;
mod summary;
mod verdict;

use std::collections::{BTreeMap, VecDeque};

pub use verdict::Verdict;

use crate::door::Door;
use crate::finding::Finding;
use crate::head::{HeadVerifyKey, SignedHead};
use crate::outside::Outside;
use crate::record::{Record, ZERO_HASH};

/// The most findings that are listed; the rest is counted.
const MOST_FINDINGS: usize = 100;
/// The most records and heads that are kept until their place is clear.
const MOST_ASIDE: usize = 64;
/// Doors that are kept, the newest: one a day for eleven years.
const MOST_DOORS: usize = 4_096;

/// Takes the doors, then records in their order, each followed by the heads that sign it.
#[derive(Debug)]
pub struct Verifier {
    key: Option<HeadVerifyKey>,
    outside: Option<Outside>,
    /// Doors by the newest record that may be removed, with the number of the record that vouches for each.
    doors: BTreeMap<u64, (Door, Option<u64>)>,
    /// The legitimate beginning of the log: the record before and its hash.
    start: (u64, [u8; 64]),
    /// The number that the next record should have; 0 before the first.
    expected: u64,
    /// The hash that the next record should name; `None` after a record that does not fit.
    previous: Option<[u8; 64]>,
    /// The first record, and the hash that it names where it can be read.
    first: Option<(u64, Option<[u8; 64]>)>,
    last: (u64, [u8; 64]),
    records: u64,
    /// A record in the wrong place, held until the next one shows why.
    held: Option<Record>,
    /// Heads that came while a record was held.
    waiting: VecDeque<SignedHead>,
    /// Records in the places of others.
    displaced: Vec<(u64, Record)>,
    /// Records whose content does not fit their hash.
    suspects: Vec<Record>,
    /// Heads of records that have not come yet.
    ahead: Vec<SignedHead>,
    newest_ahead: u64,
    /// The time of the oldest record that no head signs yet.
    unsigned_since: Option<u64>,
    last_number: Option<u64>,
    /// Forged heads since, each of which may stand where a true one was.
    forged: u64,
    heads: u64,
    vouched: u64,
    rewritten: bool,
    /// The first record that a head kept elsewhere signs another of.
    forked: Option<u64>,
    findings: Vec<Finding>,
    more: u64,
}

impl Verifier {
    /// Verifies a log from record 1 on, or from its door; heads only where a key is given.
    pub fn new(key: Option<HeadVerifyKey>, outside: Option<Outside>) -> Self {
        Self::after(0, ZERO_HASH, key, outside)
    }

    /// Verifies a part that follows a record of this number and hash.
    pub fn after(
        id: u64,
        hash: [u8; 64],
        key: Option<HeadVerifyKey>,
        mut outside: Option<Outside>,
    ) -> Self {
        let findings = outside.as_mut().map(Outside::take_findings);
        Self {
            key,
            outside,
            doors: BTreeMap::new(),
            start: (id, hash),
            expected: 0,
            previous: Some(hash),
            first: None,
            last: (id, hash),
            records: 0,
            held: None,
            waiting: VecDeque::new(),
            displaced: Vec::new(),
            suspects: Vec::new(),
            ahead: Vec::new(),
            newest_ahead: 0,
            unsigned_since: None,
            last_number: None,
            forged: 0,
            heads: 0,
            vouched: 0,
            rewritten: false,
            forked: None,
            findings: findings.unwrap_or_default(),
            more: 0,
        }
    }

    /// Takes a door; all of them come before the first record.
    pub fn door(&mut self, door: Door) {
        self.doors.insert(door.through_id, (door, None));
        if self.doors.len() > MOST_DOORS {
            self.doors.pop_first();
        }
    }

    /// Takes the next record.
    pub fn record(&mut self, record: Record) {
        if self.expected == 0 {
            self.begin(record.id);
        }
        if let Some(held) = self.held.take() {
            let place = self.expected;
            if held.id == place.saturating_add(1) && record.id == place {
                self.find(Finding::Swapped {
                    a: place,
                    b: place.saturating_add(1),
                });
                self.settle(record);
                self.settle_waiting();
                self.settle(held);
                return;
            }
            self.explain(held, record.id == place.saturating_add(1));
            self.settle_waiting();
        }
        self.place(record);
    }

    /// Notes a record that cannot be read, with its number if that can be read.
    pub fn unreadable_record(&mut self, id: Option<u64>) {
        if self.expected == 0 {
            self.begin(id.unwrap_or(self.start.0.saturating_add(1)));
        }
        self.release();
        let place = self.expected;
        let id = id.filter(|id| *id >= place).unwrap_or(place);
        if id > place {
            self.find(Finding::Missing {
                from: place,
                to: id - 1,
            });
        }
        self.find(Finding::Changed { id });
        self.skip(id);
    }

    /// Notes that the details of a record do not open although they should.
    pub fn damaged_details(&mut self, id: u64) {
        self.find(Finding::DetailsDamaged { id });
    }

    /// Notes that a record was not written by the server whose log this is.
    pub fn foreign_record(&mut self, id: u64) {
        self.find(Finding::Foreign { id });
    }

    /// Takes a head, after the record that it signs.
    pub fn head(&mut self, head: SignedHead) {
        if self.held.is_some() {
            if self.waiting.len() < MOST_ASIDE {
                self.waiting.push_back(head);
                return;
            }
            self.release();
        }
        self.judge(head);
    }

    /// Notes that a head of this record was made, whether or not it will be read.
    pub fn signed_through(&mut self, record_id: u64) {
        self.newest_ahead = self.newest_ahead.max(record_id);
    }

    /// The newest record that was taken.
    pub fn last(&self) -> u64 {
        self.last.0
    }

    pub(crate) fn find(&mut self, finding: Finding) {
        if self.findings.len() < MOST_FINDINGS {
            self.findings.push(finding);
        } else {
            self.more += 1;
        }
    }

    /// Returns the verdict on a log that may still grow.
    pub fn finish(self) -> Verdict {
        self.sum_up(None)
    }

    /// Returns the verdict on a part whose closing signature vouches for each record.
    pub(crate) fn finish_signed(self) -> Verdict {
        let last = self.last.0;
        self.sum_up(Some(last))
    }
}
