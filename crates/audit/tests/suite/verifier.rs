//! The verifier itself: what it is told besides records and heads, and what it keeps at most.

use crate::support::{HEADS_EVERY, chain, head_of, key, other_key};
use audit::{Finding, Verdict, Verifier};

fn verifier() -> Verifier {
    Verifier::new(Some(key().verify_key()), None)
}

/// Reads records 1 to 20 with their heads, but for those of `leave`, which cannot be read.
fn without(leave: &[u64], id_is_known: bool) -> Verdict {
    let mut verifier = verifier();
    for record in chain(20) {
        if leave.contains(&record.id) {
            verifier.unreadable_record(id_is_known.then_some(record.id));
        } else {
            verifier.record(record.clone());
        }
        if record.id.is_multiple_of(HEADS_EVERY) {
            verifier.head(head_of(&record, record.id / HEADS_EVERY, key()));
        }
    }
    verifier.finish()
}

#[test]
fn a_record_that_cannot_be_read_is_named_with_or_without_its_number() {
    for id_is_known in [true, false] {
        let verdict = without(&[7], id_is_known);
        assert_eq!(verdict.findings, [Finding::Changed { id: 7 }]);
        assert_eq!((verdict.records, verdict.to), (20, 20));
        let first = without(&[1], id_is_known);
        assert_eq!(first.findings, [Finding::Changed { id: 1 }]);
        let last = without(&[20], id_is_known);
        assert!(last.findings.contains(&Finding::Changed { id: 20 }));
    }
}

#[test]
fn records_that_are_gone_before_one_that_cannot_be_read_are_missing() {
    let mut verifier = verifier();
    for record in &chain(4) {
        verifier.record(record.clone());
    }
    verifier.unreadable_record(Some(8));
    // A number of before says nothing of the place.
    verifier.unreadable_record(Some(3));
    let findings = verifier.finish().findings;
    for expected in [
        Finding::Missing { from: 5, to: 7 },
        Finding::Changed { id: 8 },
        Finding::Changed { id: 9 },
    ] {
        assert!(findings.contains(&expected), "{findings:?}");
    }
}

#[test]
fn what_the_keys_show_of_a_record_is_a_finding() {
    let mut verifier = verifier();
    verifier.foreign_record(2);
    verifier.damaged_details(3);
    let findings = verifier.finish().findings;
    let expected = [
        Finding::Foreign { id: 2 },
        Finding::DetailsDamaged { id: 3 },
    ];
    assert_eq!(findings, expected);
}

#[test]
fn a_hundred_findings_are_told_one_by_one_and_the_rest_is_counted() {
    let mut verifier = verifier();
    for id in 1..=130 {
        verifier.damaged_details(id);
    }
    let verdict = verifier.finish();
    assert_eq!(verdict.findings.len(), 100);
    assert_eq!(verdict.more, 30);
}

#[test]
fn what_is_missing_at_the_end_is_known_from_what_was_signed() {
    let read = |signed: u64| {
        let mut verifier = verifier();
        for record in &chain(10) {
            verifier.record(record.clone());
        }
        verifier.head(head_of(&chain(10)[9], 1, key()));
        verifier.signed_through(signed);
        verifier.finish().findings
    };
    assert_eq!(read(10), []);
    let cut = Finding::CutTail {
        last: 10,
        expected: 14,
    };
    assert_eq!(read(14), [cut]);
}

#[test]
fn heads_that_went_with_the_records_before_a_part_are_not_missed() {
    let chain = chain(30);
    let part = |first_head: u64| {
        let before = &chain[9];
        let key = Some(key().verify_key());
        let mut verifier = Verifier::after(before.id, before.hash, key, None);
        for record in &chain[10..] {
            verifier.record(record.clone());
            if record.id.is_multiple_of(HEADS_EVERY) {
                let number = record.id / HEADS_EVERY - 2 + first_head;
                verifier.head(head_of(record, number, crate::support::key()));
            }
        }
        verifier.finish().findings
    };
    assert_eq!(part(2), []);
    assert_eq!(part(7), []);
    // The whole log begins with head 1.
    let mut verifier = verifier();
    for record in &chain[..10] {
        verifier.record(record.clone());
    }
    verifier.head(head_of(&chain[9], 3, key()));
    let missing = Finding::MissingHeads { from: 1, to: 2 };
    assert_eq!(verifier.finish().findings, [missing]);
}

#[test]
fn a_forged_head_stands_for_the_one_whose_place_it_took() {
    let chain = chain(30);
    let mut verifier = verifier();
    for record in &chain {
        verifier.record(record.clone());
        if record.id.is_multiple_of(HEADS_EVERY) {
            let signer = if record.id == 20 { other_key() } else { key() };
            verifier.head(head_of(record, record.id / HEADS_EVERY, signer));
        }
    }
    let forged = Finding::ForgedHead {
        number: 2,
        record_id: 20,
    };
    assert_eq!(verifier.finish().findings, [forged]);
}

#[test]
fn a_head_that_comes_before_its_record_vouches_when_the_record_comes() {
    let chain = chain(70);
    let read = |heads_first: u64, records: u64| {
        let mut verifier = verifier();
        verifier.record(chain[0].clone());
        for number in 1..=heads_first {
            verifier.head(head_of(&chain[number as usize], number, key()));
        }
        for record in &chain[1..records as usize] {
            verifier.record(record.clone());
        }
        verifier.finish()
    };
    let verdict = read(3, 5);
    assert_eq!(verdict.findings, []);
    assert_eq!((verdict.heads, verdict.vouched), (3, 4));
    let cut = Finding::CutTail {
        last: 3,
        expected: 4,
    };
    assert_eq!(read(3, 3).findings, [cut]);
    // Sixty-four are kept aside.
    assert_eq!(read(66, 70).vouched, 65);
}

#[test]
fn a_head_behind_another_record_than_its_own_is_out_of_its_place() {
    let chain = chain(20);
    let mut verifier = verifier();
    for record in &chain[..15] {
        verifier.record(record.clone());
    }
    verifier.head(head_of(&chain[9], 1, key()));
    let misplaced = Finding::MisplacedHead { number: 1 };
    assert_eq!(verifier.finish().findings, [misplaced]);
}

#[test]
fn sixty_four_heads_wait_for_a_record_to_be_placed() {
    let chain = chain(20);
    let swapped = |heads: u64| {
        let mut verifier = verifier();
        for record in &chain[..9] {
            verifier.record(record.clone());
        }
        // Records 10 and 11 are swapped: what follows the first waits until the second shows it.
        verifier.record(chain[10].clone());
        for number in 1..=heads {
            verifier.head(head_of(&chain[10], number, key()));
        }
        verifier.record(chain[9].clone());
        let findings = verifier.finish().findings;
        assert!(!findings.is_empty());
        findings.contains(&Finding::Swapped { a: 10, b: 11 })
    };
    assert!(swapped(64));
    // With one more the record is judged without the next.
    assert!(!swapped(65));
}
