//! Checks the places of records.

use super::{MOST_ASIDE, Verifier};
use crate::door::RETENTION;
use crate::finding::Finding;
use crate::record::Record;

impl Verifier {
    /// Returns where the log begins: at its start, or behind its door.
    pub(super) fn begin(&mut self, first: u64) {
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

    pub(super) fn place(&mut self, record: Record) {
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
    pub(super) fn settle(&mut self, record: Record) {
        let id = record.id;
        let whole = record.is_whole();
        if whole && self.previous.is_some_and(|hash| hash != record.previous) {
            self.find(Finding::Unlinked { id });
        }
        if self.first.is_none() {
            self.first = Some((id, whole.then_some(record.previous)));
        }
        self.records += 1;
        self.expected = id.saturating_add(1);
        self.last = (id, record.hash);
        self.unsigned_since.get_or_insert(record.timestamp);
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
        if outside.is_some_and(|outside| outside.contradicts(id, &record.hash)) {
            // This is where the two histories part; each later one follows from it.
            self.forked.get_or_insert(id);
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

    /// Continues after a place whose record is unusable.
    pub(super) fn skip(&mut self, id: u64) {
        self.records += 1;
        self.first.get_or_insert((id, None));
        self.last.0 = id;
        self.expected = id.saturating_add(1);
        self.previous = None;
    }

    /// Keeps a record whose hash is wrong here: it may be right in the place of another such record.
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

    /// Keeps a record in the place of another: the two may have changed places.
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

    /// Classifies a record in the place of another: it changed places, follows a gap, or comes from elsewhere.
    pub(super) fn explain(&mut self, record: Record, changed_places: bool) {
        let place = self.expected;
        if changed_places {
            self.displace(place, record);
        } else if record.id > place {
            self.miss(record);
        } else {
            self.find(Finding::OutOfPlace {
                id: record.id,
                at: place,
            });
        }
    }

    /// Classifies a held record if nothing that follows explains it.
    pub(super) fn release(&mut self) {
        if let Some(held) = self.held.take() {
            let place = self.expected;
            let has_partner = self
                .displaced
                .iter()
                .any(|(at, other)| *at == held.id && other.id == place);
            self.explain(held, has_partner);
        }
        self.settle_waiting();
    }
}
