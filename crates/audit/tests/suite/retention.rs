//! Old records may go through their door and in no other way.

use crate::support::{chain, head_of, key, with_a_door};
use audit::{Door, Finding, Record, Verdict, Verifier};

/// Thirty records whose door stands after the tenth; the record that vouches for it is the 31st.
struct Log {
    records: Vec<Record>,
    door: Door,
}

fn log() -> Log {
    let (records, door) = with_a_door(chain(30));
    Log { records, door }
}

/// Verifies what is left from `first` on; the end is signed where `signed` says so.
fn verdict(log: &Log, door: Option<Door>, first: u64, signed: bool) -> Verdict {
    let mut verifier = Verifier::new(Some(key().verify_key()), None);
    if let Some(door) = door {
        verifier.door(door);
    }
    for record in &log.records {
        if record.id < first {
            continue;
        }
        verifier.record(record.clone());
        if record.id == 20 {
            verifier.head(head_of(record, 4, key()));
        }
    }
    if signed {
        verifier.head(head_of(log.records.last().unwrap(), 5, key()));
    }
    verifier.finish()
}

#[test]
fn what_went_through_the_door_is_not_missed() {
    let log = log();
    for first in [4, 10, 11] {
        let verdict = verdict(&log, Some(log.door.clone()), first, true);
        assert_eq!(verdict.findings, [], "{first}");
        assert_eq!(verdict.from, first);
    }
}

#[test]
fn without_a_door_everything_is_missed() {
    let log = log();
    let verdict = verdict(&log, None, 11, true);
    assert_eq!(verdict.findings, [Finding::Missing { from: 1, to: 10 }]);
}

#[test]
fn what_is_gone_beyond_the_door_is_missed() {
    let log = log();
    let verdict = verdict(&log, Some(log.door.clone()), 14, true);
    assert_eq!(verdict.findings, [Finding::Missing { from: 11, to: 13 }]);
}

#[test]
fn a_door_without_a_signed_record_proves_nothing() {
    let log = log();
    let unsigned = verdict(&log, Some(log.door.clone()), 11, false);
    let expected = [Finding::UnprovenRetention { through: 10 }];
    assert_eq!(unsigned.findings, expected);
    for door in [
        Door {
            cutoff: 5,
            ..log.door.clone()
        },
        Door {
            timestamp: 5,
            ..log.door.clone()
        },
    ] {
        assert_eq!(verdict(&log, Some(door), 11, true).findings, expected);
    }
    let wider = Door {
        through_id: 15,
        hash: log.records[14].hash,
        ..log.door.clone()
    };
    let expected = [Finding::UnprovenRetention { through: 15 }];
    assert_eq!(verdict(&log, Some(wider), 16, true).findings, expected);
}

#[test]
fn a_door_with_another_hash_does_not_fit_the_chain() {
    let log = log();
    let mut door = log.door.clone();
    door.hash[0] ^= 1;
    let findings = verdict(&log, Some(door.clone()), 11, true).findings;
    assert!(
        findings.contains(&Finding::Unlinked { id: 11 }),
        "{findings:?}"
    );
    let findings = verdict(&log, Some(door), 4, true).findings;
    assert!(
        findings.contains(&Finding::UnprovenRetention { through: 10 }),
        "{findings:?}"
    );
}

#[test]
fn a_newer_door_that_is_not_signed_yet_takes_nothing_from_an_older_one() {
    let log = log();
    let newer = Door {
        through_id: 15,
        hash: log.records[14].hash,
        ..log.door.clone()
    };
    let mut verifier = Verifier::new(Some(key().verify_key()), None);
    verifier.door(log.door.clone());
    verifier.door(newer);
    for record in log.records.iter().skip(10) {
        verifier.record(record.clone());
    }
    verifier.head(head_of(&log.records[30], 5, key()));
    assert_eq!(verifier.finish().findings, []);
}

#[test]
fn the_newest_doors_are_kept_and_older_ones_prove_nothing_any_more() {
    let log = log();
    let proven = |others: u64| {
        let mut verifier = Verifier::new(Some(key().verify_key()), None);
        verifier.door(log.door.clone());
        for n in 1..=others {
            verifier.door(Door {
                through_id: 10 + n,
                ..log.door.clone()
            });
        }
        for record in &log.records[10..] {
            verifier.record(record.clone());
        }
        verifier.head(head_of(log.records.last().unwrap(), 5, key()));
        let findings = verifier.finish().findings;
        !findings.contains(&Finding::UnprovenRetention { through: 10 })
    };
    assert!(proven(0));
    assert!(proven(4_095));
    assert!(!proven(4_096));
}
