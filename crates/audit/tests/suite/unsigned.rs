//! Records that no signature vouches for.

use crate::support::{END, chain, export_of, head_of, key, time, verify};
use audit::{Finding, Verifier};

#[test]
fn records_at_the_end_may_stand_unsigned_for_a_while() {
    let read = |records: u64| {
        let mut verifier = Verifier::new(Some(key().verify_key()), None);
        for record in chain(records) {
            verifier.record(record.clone());
            if record.id == 10 {
                verifier.head(head_of(&record, 1, key()));
            }
        }
        verifier.finish()
    };
    let signed = read(10);
    assert_eq!(signed.unsigned(), None);
    assert_eq!(signed.stale(time(99_999), 60), None);
    let verdict = read(13);
    assert_eq!(verdict.findings, []);
    assert_eq!(verdict.unsigned(), Some((11, 13)));
    assert_eq!(verdict.unsigned_since, Some(time(11)));
    let stale = Some(Finding::UnsignedTail { from: 11, to: 13 });
    assert_eq!(verdict.stale(time(11) + 60, 60), None);
    assert_eq!(verdict.stale(time(11) + 61, 60), stale);
    // A time that has not come yet hides nothing.
    assert_eq!(verdict.stale(time(11) - 60, 60), None);
    assert_eq!(verdict.stale(time(11) - 61, 60), stale);
}

#[test]
fn a_log_that_nothing_signs_is_told_apart() {
    let mut verifier = Verifier::new(Some(key().verify_key()), None);
    for record in chain(3) {
        verifier.record(record);
    }
    let verdict = verifier.finish();
    assert_eq!(verdict.findings, [Finding::Unsigned { records: 3 }]);
    // What is true of all of it is not said of its end once more.
    assert_eq!(verdict.stale(time(99_999), 60), None);
    let empty = Verifier::new(Some(key().verify_key()), None).finish();
    assert_eq!(empty.findings, []);
    assert_eq!(empty.unsigned(), None);
}

#[test]
fn nothing_of_an_export_that_is_closed_stands_unsigned() {
    // Forty records have heads; the closing signature vouches for the rest.
    let mut lines: Vec<String> = export_of(45).lines().map(str::to_owned).collect();
    let verdict = verify(&lines, None);
    assert_eq!(verdict.vouched, 45);
    assert_eq!(verdict.unsigned_since, None);
    assert_eq!(verdict.unsigned(), None);
    assert_eq!(verdict.stale(time(99_999), 60), None);

    let end = lines.pop().unwrap();
    assert!(end.starts_with(END));
    let verdict = verify(&lines, None);
    assert_eq!(verdict.vouched, 40);
    assert_eq!(verdict.unsigned(), Some((41, 45)));
}
