//! Records that stand in each other's places, and those that only seem to.

use crate::support::{chain, record};
use audit::{Finding, Record, Verdict, Verifier};

fn read(records: &[Record]) -> Verdict {
    let mut verifier = Verifier::new(None, None);
    for record in records {
        verifier.record(record.clone());
    }
    verifier.finish()
}

/// Puts the record `id` in the place `at`.
fn put(records: &mut [Record], id: u64, at: u64) {
    records[at as usize - 1] = chain(id).pop().unwrap();
}

/// Gives the records of two places to each other, under the numbers of their places.
fn exchange(records: &mut [Record], a: u64, b: u64) {
    for (id, at) in [(a, b), (b, a)] {
        put(records, id, at);
        records[at as usize - 1].id = at;
    }
}

fn changed(id: u64) -> Finding {
    Finding::Changed { id }
}

fn out_of_place(id: u64, at: u64) -> Finding {
    Finding::OutOfPlace { id, at }
}

#[test]
fn a_record_under_another_number_whose_own_place_holds_something_else_was_not_swapped() {
    for (id, at) in [(3, 8), (8, 3)] {
        let mut records = chain(20);
        put(&mut records, id, at);
        records[at as usize - 1].id = at;
        records[id as usize - 1].details[0] ^= 1;
        assert_eq!(read(&records).findings, [changed(3), changed(8)]);
    }
}

#[test]
fn three_records_that_went_round_are_no_swap_of_two() {
    // At 5, 20 and 30.
    for ids in [[20, 30, 5], [30, 5, 20]] {
        let mut records = chain(40);
        let places = [5, 20, 30];
        for (id, at) in ids.into_iter().zip(places) {
            put(&mut records, id, at);
        }
        let expected = [0, 1, 2].map(|n| out_of_place(ids[n], places[n]));
        assert_eq!(read(&records).findings, expected);
    }
}

#[test]
fn what_follows_a_gap_at_the_end_did_not_change_places_with_a_record_of_the_gap() {
    let mut records = chain(60);
    put(&mut records, 40, 5);
    records.drain(39..59);
    let verdict = read(&records);
    let missing = Finding::Missing { from: 40, to: 59 };
    assert_eq!(verdict.findings, [out_of_place(40, 5), missing]);
    assert_eq!((verdict.records, verdict.to), (40, 60));
}

#[test]
fn sixty_four_records_that_do_not_fit_themselves_are_kept_for_their_partners() {
    // So many that were changed, and behind them two that took each other's numbers.
    let with = |before: u64| {
        let mut records = chain(70);
        for record in &mut records[..before as usize] {
            record.details[0] ^= 1;
        }
        exchange(&mut records, before + 1, before + 2);
        read(&records).findings
    };
    let mut swapped: Vec<Finding> = (1..=63).map(changed).collect();
    swapped.push(Finding::Swapped { a: 64, b: 65 });
    assert_eq!(with(63), swapped);
    // With one more, what they are is said at once.
    let each: Vec<Finding> = (1..=66).map(changed).collect();
    assert_eq!(with(64), each);
}

#[test]
fn sixty_four_records_out_of_their_places_are_kept_for_their_partners() {
    // So many places hold records from elsewhere, and behind them two hold each other's.
    let with = |before: u64| {
        let mut records = chain(170);
        for n in 1..=before {
            records[n as usize * 2 - 1] = record(1_000 + n, [9; 64], 0);
        }
        put(&mut records, 150, 160);
        put(&mut records, 160, 150);
        read(&records).findings
    };
    let elsewhere = |n: u64| out_of_place(1_000 + n, 2 * n);
    let mut swapped: Vec<Finding> = (1..=63).map(elsewhere).collect();
    swapped.push(Finding::Swapped { a: 150, b: 160 });
    assert_eq!(with(63), swapped);
    // With one more, what they are is said at once.
    let mut each: Vec<Finding> = (1..=64).map(elsewhere).collect();
    each.extend([out_of_place(160, 150), out_of_place(150, 160)]);
    assert_eq!(with(64), each);
}
