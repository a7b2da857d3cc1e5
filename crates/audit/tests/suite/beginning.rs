//! Where a log begins: with record 1, behind the records before a part, or where its door left it.

use crate::support::{chain, continued, record, with_a_door, witnessed};
use audit::{Door, Finding, Outside, Record, Verifier};

/// A history that is another one from record 10 on.
fn other() -> Vec<Record> {
    continued(chain(9), 30, 0x80)
}

/// Reads the records behind the tenth, as a part that follows it.
fn part(records: &[Record], outside: Outside) -> Vec<Finding> {
    let before = &records[9];
    let mut verifier = Verifier::after(before.id, before.hash, None, Some(outside));
    for record in &records[10..] {
        verifier.record(record.clone());
    }
    verifier.finish().findings
}

/// Reads the records behind the tenth, which left through their door.
fn behind_a_door(records: Vec<Record>, outside: Outside) -> Vec<Finding> {
    let (records, door) = with_a_door(records);
    let mut verifier = Verifier::new(None, Some(outside));
    verifier.door(door);
    for record in &records[10..] {
        verifier.record(record.clone());
    }
    verifier.finish().findings
}

#[test]
fn a_fork_just_before_the_first_record_is_found_by_a_head_kept_elsewhere() {
    assert_eq!(part(&chain(30), witnessed(&[10, 20])), []);
    assert_eq!(behind_a_door(chain(30), witnessed(&[10, 20])), []);
    let forked = [Finding::Forked { id: 10 }];
    for heads in [&[10][..], &[10, 20]] {
        assert_eq!(part(&other(), witnessed(heads)), forked);
        assert_eq!(behind_a_door(other(), witnessed(heads)), forked);
    }
}

#[test]
fn a_first_record_that_was_changed_is_no_fork() {
    let mut records = chain(30);
    records[10].previous[0] ^= 1;
    let changed = [Finding::Changed { id: 11 }];
    assert_eq!(part(&records, witnessed(&[10, 20])), changed);
    assert_eq!(behind_a_door(records, witnessed(&[10, 20])), changed);
}

#[test]
fn a_door_that_nothing_went_through_yet_leaves_the_beginning_as_it_is() {
    let read = |records: &[Record]| {
        let mut verifier = Verifier::new(None, None);
        // No record vouches for it yet.
        verifier.door(Door {
            through_id: 10,
            hash: records[9].hash,
            cutoff: crate::support::time(11),
            timestamp: crate::support::time(31),
        });
        for record in records {
            verifier.record(record.clone());
        }
        verifier.finish().findings
    };
    assert_eq!(read(&chain(30)), []);
    // Record 1 names a record before it.
    let replaced = continued(vec![record(1, [9; 64], 0)], 30, 0);
    assert_eq!(read(&replaced), [Finding::Unlinked { id: 1 }]);
}

#[test]
fn a_door_in_what_is_before_a_part_excuses_nothing_that_is_missing_in_it() {
    let records = chain(30);
    for through in [5, 10] {
        let before = &records[9];
        let mut verifier = Verifier::after(before.id, before.hash, None, None);
        verifier.door(Door {
            through_id: through,
            hash: records[through as usize - 1].hash,
            cutoff: crate::support::time(through),
            timestamp: crate::support::time(30),
        });
        for record in &records[13..] {
            verifier.record(record.clone());
        }
        let missing = Finding::Missing { from: 11, to: 13 };
        assert_eq!(verifier.finish().findings, [missing], "{through}");
    }
}
