//! A finding says in words what was done, and which record it is about.

use audit::Finding;

#[test]
fn a_finding_names_the_record_that_it_is_about() {
    let about = |finding: Finding| finding.record();
    for finding in [
        Finding::Changed { id: 7 },
        Finding::DetailsDamaged { id: 7 },
        Finding::Foreign { id: 7 },
        Finding::OutOfPlace { id: 9, at: 7 },
        Finding::Unlinked { id: 7 },
        Finding::Rewritten {
            after: 3,
            id: 7,
            number: 2,
        },
        Finding::Forked { id: 7 },
        Finding::TwoHistories { id: 7 },
        Finding::Missing { from: 7, to: 9 },
        Finding::Swapped { a: 7, b: 8 },
        Finding::ForgedHead {
            number: 2,
            record_id: 7,
        },
        Finding::UnprovenRetention { through: 7 },
        // What is missing begins behind the last that is there.
        Finding::CutTail {
            last: 6,
            expected: 9,
        },
        Finding::RolledBack {
            last: 6,
            expected: 9,
            at: 1,
        },
        Finding::CutExport { last: 6 },
    ] {
        assert_eq!(about(finding.clone()), Some(7), "{finding:?}");
    }
    for finding in [
        Finding::AlteredExport,
        Finding::NoKey,
        Finding::Unsigned { records: 7 },
        Finding::Unreadable { line: 7 },
        Finding::MissingHeads { from: 7, to: 7 },
    ] {
        assert_eq!(about(finding.clone()), None, "{finding:?}");
    }
}

#[test]
fn one_and_several_read_as_people_say_them() {
    let missing = |from, to| Finding::Missing { from, to }.to_string();
    assert_eq!(missing(4, 4), "record 4 is missing");
    assert_eq!(missing(4, 6), "records 4 to 6 are missing");
    let heads = |from, to| Finding::MissingHeads { from, to }.to_string();
    assert_eq!(heads(4, 4), "head 4 is missing");
    assert_eq!(heads(4, 6), "heads 4 to 6 are missing");
}
