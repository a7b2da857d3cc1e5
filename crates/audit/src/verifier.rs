//! Reads a log from its beginning to its end, in constant memory, and names what does not fit.

mod summary;

use std::collections::{BTreeMap, VecDeque};

use crate::door::{Door, RETENTION};
use crate::finding::Finding;
use crate::head::{Fingerprint, HeadVerifyKey, SignedHead};
use crate::outside::Outside;
use crate::record::{Record, ZERO_HASH};

/// Findings that are told one by one; the rest is counted.
const MOST_FINDINGS: usize = 100;
/// Records and heads that are kept aside until it is clear what became of them.
const MOST_ASIDE: usize = 64;
/// Doors that are kept, the newest: one a day for eleven years.
const MOST_DOORS: usize = 4_096;

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

/// Takes the doors, then records in their order, each followed by the heads that sign it.
#[derive(Debug)]
pub struct Verifier {
    key: Option<HeadVerifyKey>,
    outside: Option<Outside>,
    /// By the newest record that may go, with where the record stands that vouches for the door.
    doors: BTreeMap<u64, (Door, Option<u64>)>,
    /// Where the log begins by right: the record before and its hash.
    start: (u64, [u8; 64]),
    /// The number that the next record should have; 0 before the first.
    expected: u64,
    /// The hash that the next record should name; `None` after a record that does not fit.
    previous: Option<[u8; 64]>,
    /// The first record, and the hash that it names where it can be read.
    first: Option<(u64, Option<[u8; 64]>)>,
    last: (u64, [u8; 64]),
    records: u64,
    /// A record out of its place, until the next one shows why.
    held: Option<Record>,
    /// Heads that came while a record was held.
    waiting: VecDeque<SignedHead>,
    /// Records that stand where others belong.
    displaced: Vec<(u64, Record)>,
    /// Records whose content does not fit their hash.
    suspects: Vec<Record>,
    /// Heads of records that have not come yet.
    ahead: Vec<SignedHead>,
    newest_ahead: u64,
    last_number: Option<u64>,
    /// Forged heads since, each of which may stand where a true one was.
    forged: u64,
    heads: u64,
    vouched: u64,
    rewritten: bool,
    forked: Vec<u64>,
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
            last_number: None,
            forged: 0,
            heads: 0,
            vouched: 0,
            rewritten: false,
            forked: Vec::new(),
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
            if record.id == place.saturating_add(1) {
                self.displace(place, held);
            } else if held.id > place {
                self.miss(held);
            } else {
                self.find(Finding::OutOfPlace {
                    id: held.id,
                    at: place,
                });
            }
            self.settle_waiting();
        }
        self.place(record);
    }

    /// Takes note that a record is there and cannot be read; its number where that can be.
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

    /// Sums up a log that somebody may still append to.
    pub fn finish(self) -> Verdict {
        self.sum_up(None)
    }

    /// Sums up a part whose every record a closing signature vouches for.
    pub(crate) fn finish_signed(self) -> Verdict {
        let last = self.last.0;
        self.sum_up(Some(last))
    }

    /// Says where the log begins: at its start, or where its door left it.
    fn begin(&mut self, first: u64) {
        self.expected = self.start.0.saturating_add(1);
        let Some((newest, (door, _))) = self.doors.last_key_value() else {
            return;
        };
        if first == self.expected || self.start.0 >= *newest {
            return;
        }
        if let Some((passed, _)) = self.doors.get(&first.saturating_sub(1)) {
            self.expected = first;
            self.previous = Some(passed.hash);
        } else if first <= *newest {
            // Deleting was under way.
            self.expected = first;
            self.previous = None;
        } else {
            self.expected = newest.saturating_add(1);
            self.previous = Some(door.hash);
        }
    }

    fn place(&mut self, record: Record) {
        let place = self.expected;
        if record.id == place {
            self.settle(record);
        } else if record.belongs_at(place) {
            self.find(Finding::Changed { id: place });
            self.last = (place, record.hash);
            self.skip(place);
        } else {
            self.held = Some(record);
        }
    }

    /// Takes a record that stands in its place.
    fn settle(&mut self, record: Record) {
        let id = record.id;
        let whole = record.is_whole();
        if whole && self.previous.is_some_and(|hash| hash != record.previous) {
            self.find(Finding::Unlinked { id });
        }
        if self.first.is_none() {
            self.first = Some((id, Some(record.previous)));
        }
        self.records += 1;
        self.expected = id.saturating_add(1);
        self.last = (id, record.hash);
        self.previous = whole.then_some(record.hash);
        if !whole {
            self.suspect(record);
            return;
        }
        let door = self.doors.get(&id);
        if door.is_some_and(|(door, _)| door.hash != record.hash) {
            self.find(Finding::UnprovenRetention { through: id });
        }
        if record.action == RETENTION {
            let mut doors = self.doors.values_mut();
            if let Some((_, vouching)) =
                doors.find(|(door, _)| door.commitment() == record.event_id)
            {
                *vouching = Some(id);
            }
        }
        let outside = self.outside.as_ref();
        if outside.is_some_and(|outside| outside.contradicts(id, &record.hash))
            && self.forked.len() < MOST_ASIDE
        {
            self.forked.push(id);
        }
        if !self.ahead.is_empty() {
            let due = self.ahead.extract_if(.., |head| head.head.record_id <= id);
            for head in due.collect::<Vec<_>>() {
                // Those of records before it were reported with the record.
                if head.head.record_id == id {
                    self.compare(&head);
                }
            }
        }
    }

    /// Goes on after a place whose record is no use.
    fn skip(&mut self, id: u64) {
        self.records += 1;
        self.first.get_or_insert((id, None));
        self.last.0 = id;
        self.expected = id.saturating_add(1);
        self.previous = None;
    }

    /// Keeps a record that does not fit itself: it may fit the place of another such.
    fn suspect(&mut self, record: Record) {
        let partner = self
            .suspects
            .iter()
            .position(|other| other.belongs_at(record.id) && record.belongs_at(other.id));
        match partner {
            Some(index) => {
                let a = self.suspects.swap_remove(index).id;
                self.find(Finding::Swapped { a, b: record.id });
            }
            None if self.suspects.len() < MOST_ASIDE => self.suspects.push(record),
            None => self.find(Finding::Changed { id: record.id }),
        }
    }

    /// Keeps a record that stands where another belongs: that one may stand in its place.
    fn displace(&mut self, at: u64, record: Record) {
        let partner = self
            .displaced
            .iter()
            .position(|(place, other)| other.id == at && *place == record.id);
        match partner {
            Some(index) => {
                let (a, _) = self.displaced.swap_remove(index);
                self.find(Finding::Swapped { a, b: at });
            }
            None if self.displaced.len() < MOST_ASIDE => {
                self.displaced.push((at, record));
            }
            None => self.find(Finding::OutOfPlace { id: record.id, at }),
        }
        self.skip(at);
    }

    /// Takes a record after a gap.
    fn miss(&mut self, record: Record) {
        self.find(Finding::Missing {
            from: self.expected,
            to: record.id - 1,
        });
        self.previous = None;
        self.settle(record);
    }

    /// Says what a held record is when nothing follows that would explain it.
    fn release(&mut self) {
        if let Some(held) = self.held.take() {
            let place = self.expected;
            let has_partner = self
                .displaced
                .iter()
                .any(|(at, other)| *at == held.id && other.id == place);
            if has_partner {
                self.displace(place, held);
            } else if held.id > place {
                self.miss(held);
            } else {
                self.find(Finding::OutOfPlace {
                    id: held.id,
                    at: place,
                });
            }
        }
        self.settle_waiting();
    }

    fn settle_waiting(&mut self) {
        for head in std::mem::take(&mut self.waiting) {
            self.judge(head);
        }
    }

    fn judge(&mut self, head: SignedHead) {
        let Some(key) = &self.key else { return };
        let (number, record_id) = (head.head.number, head.head.record_id);
        if !key.verify(&head) {
            self.forged += 1;
            self.find(Finding::ForgedHead { number, record_id });
            return;
        }
        let known = match self.last_number {
            Some(known) => known,
            // Heads of records that are not part of this went with them.
            None if self.first.is_some_and(|(first, _)| first > 1) => number - number.min(1),
            None => 0,
        };
        if number <= known {
            self.find(Finding::MisplacedHead { number });
            return;
        }
        if number > known.saturating_add(1 + self.forged) {
            self.find(Finding::MissingHeads {
                from: known.saturating_add(1),
                to: number - 1,
            });
        }
        self.last_number = Some(number);
        self.forged = 0;
        if record_id == self.last.0 {
            self.compare(&head);
        } else if record_id > self.last.0 {
            self.newest_ahead = self.newest_ahead.max(record_id);
            if self.ahead.len() < MOST_ASIDE {
                self.ahead.push(head);
            }
        } else if self.first.is_some_and(|(first, _)| record_id >= first) {
            self.find(Finding::MisplacedHead { number });
        }
    }

    /// Holds a head whose signatures hold against the newest record.
    fn compare(&mut self, head: &SignedHead) {
        let (id, hash) = self.last;
        if self.previous.is_none() {
            // What is wrong with this record is told already.
            return;
        }
        if head.head.hash == hash {
            self.heads += 1;
            if !self.rewritten {
                self.vouched = self.vouched.max(id);
            }
        } else if !self.rewritten {
            self.rewritten = true;
            self.find(Finding::Rewritten {
                after: self.vouched,
                id,
                number: head.head.number,
            });
        }
    }
}
