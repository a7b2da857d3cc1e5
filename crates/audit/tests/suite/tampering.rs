//! Whatever is done to an export is found and called by its name.

use crate::support::{END, HEADS_EVERY, RECORDS, export, key, other_export, verify, witnessed};
use audit::{ExportVerifier, Finding, Outside};
use proptest::prelude::*;

/// The line of a record: header first, then each record, with a head behind every few.
fn line_of(lines: &[String], id: u64) -> usize {
    let start = format!("{{\"type\":\"record\",\"record\":{{\"id\":{id},");
    lines
        .iter()
        .position(|line| line.starts_with(&start))
        .unwrap()
}

fn lines() -> Vec<String> {
    export().lines().map(str::to_owned).collect()
}

fn found(lines: &[String]) -> Vec<Finding> {
    verify(lines, None).findings
}

/// Puts another value of the same length in place of one of a record's fields.
fn change(line: &str, field: &str, at: usize) -> String {
    let mut json: serde_json::Value = serde_json::from_str(line).unwrap();
    let value = &mut json["record"][field];
    *value = match value.clone() {
        serde_json::Value::Number(number) => (number.as_u64().unwrap() ^ (1 << (at % 40))).into(),
        serde_json::Value::String(text) => {
            let mut bytes = text.into_bytes();
            let at = at % bytes.len();
            bytes[at] = match bytes[at] {
                b'0' => b'1',
                b'=' => b'A',
                b'A' => b'B',
                _ if field == "action" => b'x' ^ (bytes[at] & 1),
                _ => b'0',
            };
            String::from_utf8(bytes).unwrap().into()
        }
        serde_json::Value::Null => "00".repeat(16).into(),
        other => panic!("{other}"),
    };
    // The order of fields does not matter to a reader of JSON.
    json.to_string()
}

#[test]
fn an_honest_export_verifies() {
    let verdict = verify(&lines(), None);
    assert_eq!(verdict.findings, []);
    assert!(verdict.is_whole());
    assert_eq!((verdict.from, verdict.to), (1, RECORDS));
    assert_eq!(verdict.heads, RECORDS / HEADS_EVERY);
    assert_eq!(verdict.vouched, RECORDS);
    assert_eq!(verdict.key, Some(key().verify_key().fingerprint()));
}

#[test]
fn heads_kept_elsewhere_agree_with_an_honest_export() {
    let outside = witnessed(&[10, 20, 40]);
    assert_eq!(verify(&lines(), Some(outside)).findings, []);
}

/// Each case verifies a handful of signatures, which takes its time.
fn cases() -> u32 {
    if std::env::var_os("SECURE_MESSAGING_LONG").is_some() {
        2_000
    } else {
        100
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases()))]

    #[test]
    fn a_change_of_any_field_of_any_record_is_found_and_the_record_named(
        id in 1..=RECORDS,
        at in 0_usize..2000,
    ) {
        let whole = lines();
        let line = line_of(&whole, id);
        for field in [
            "id", "event_id", "user_id", "action", "timestamp", "details", "previous", "hash",
        ] {
            let mut lines = whole.clone();
            lines[line] = change(&lines[line], field, at);
            prop_assert_eq!(found(&lines), [Finding::Changed { id }], "{}", field);
        }
    }

    #[test]
    fn any_other_byte_anywhere_is_found(at in any::<prop::sample::Index>(), bit in 0_u8..7) {
        let mut bytes = export().as_bytes().to_vec();
        let at = at.index(bytes.len() - 1);
        bytes[at] ^= 1 << bit;
        let lines: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').collect();
        let refused = match ExportVerifier::begin(lines[0], None) {
            Err(_) => true,
            Ok(mut verifier) => {
                for line in &lines[1..] {
                    if !line.is_empty() {
                        verifier.line(line);
                    }
                }
                !verifier.finish().is_whole()
            }
        };
        prop_assert!(refused, "byte {}", at);
    }

    #[test]
    fn a_deleted_record_is_found_and_named(id in 1..=RECORDS) {
        let mut lines = lines();
        lines.remove(line_of(&lines, id));
        let findings = found(&lines);
        if id == RECORDS {
            // Its head is still there.
            prop_assert_eq!(
                findings,
                [Finding::CutTail { last: id - 1, expected: id }]
            );
        } else {
            prop_assert_eq!(findings, [Finding::Missing { from: id, to: id }]);
        }
    }

    #[test]
    fn a_run_of_deleted_records_is_named_from_end_to_end(from in 1..RECORDS - 5, more in 0..4_u64) {
        let to = from + more;
        let mut lines = lines();
        for id in from..=to {
            lines.remove(line_of(&lines, id));
        }
        prop_assert_eq!(found(&lines), [Finding::Missing { from, to }]);
    }

    #[test]
    fn two_swapped_records_are_found_and_named(a in 1..RECORDS, distance in 1..RECORDS) {
        let b = (a + distance).min(RECORDS);
        let mut lines = lines();
        let (first, second) = (line_of(&lines, a), line_of(&lines, b));
        lines.swap(first, second);
        prop_assert_eq!(found(&lines), [Finding::Swapped { a, b }]);
    }

    #[test]
    fn two_records_that_took_each_others_numbers_are_found_and_named(
        a in 1..RECORDS,
        distance in 1..RECORDS,
    ) {
        // As it looks where rows are sorted by their number.
        let b = (a + distance).min(RECORDS);
        let mut lines = lines();
        let (first, second) = (line_of(&lines, a), line_of(&lines, b));
        lines.swap(first, second);
        lines[first] = lines[first].replace(&format!("{{\"id\":{b},"), &format!("{{\"id\":{a},"));
        lines[second] = lines[second].replace(&format!("{{\"id\":{a},"), &format!("{{\"id\":{b},"));
        prop_assert_eq!(found(&lines), [Finding::Swapped { a, b }]);
    }

    #[test]
    fn a_cut_tail_is_found(keep in 1..RECORDS) {
        let mut lines = lines();
        lines.truncate(line_of(&lines, keep) + 1);
        prop_assert_eq!(found(&lines), [Finding::CutExport { last: keep }]);
    }

    #[test]
    fn a_cut_tail_is_found_by_a_later_head_of_the_log_itself(keep in 1..RECORDS) {
        let mut lines = lines();
        for id in keep + 1..=RECORDS {
            lines.remove(line_of(&lines, id));
        }
        let expected = Finding::CutTail { last: keep, expected: RECORDS };
        prop_assert_eq!(found(&lines), [expected]);
    }

    #[test]
    fn a_forged_head_is_named_whichever_half_is_broken(
        number in 1..=RECORDS / HEADS_EVERY,
        // Ed25519 takes the first 64 bytes, ML-DSA-87 the rest.
        at in prop_oneof![0_usize..64, 64_usize..4691],
        bit in 0_u8..8,
    ) {
        let mut lines = lines();
        let record_id = number * HEADS_EVERY;
        let line = line_of(&lines, record_id) + 1;
        let mut json: serde_json::Value = serde_json::from_str(&lines[line]).unwrap();
        let mut signature = crate::support::unbase64(json["signature"].as_str().unwrap());
        signature[at] ^= 1 << bit;
        json["signature"] = crate::support::base64(&signature).into();
        lines[line] = json.to_string();
        prop_assert_eq!(found(&lines), [Finding::ForgedHead { number, record_id }]);
    }

    #[test]
    fn a_head_that_says_anything_else_is_forged(
        number in 1..=RECORDS / HEADS_EVERY,
        field in prop::sample::select(vec!["number", "record_id", "timestamp"]),
    ) {
        let mut lines = lines();
        let line = line_of(&lines, number * HEADS_EVERY) + 1;
        let mut json: serde_json::Value = serde_json::from_str(&lines[line]).unwrap();
        json[field] = (json[field].as_u64().unwrap() + 1).into();
        lines[line] = json.to_string();
        let findings = found(&lines);
        prop_assert!(matches!(findings[..], [Finding::ForgedHead { .. }]), "{:?}", findings);
    }
}

#[test]
fn a_deleted_head_is_found_and_named() {
    let mut lines = lines();
    lines.remove(line_of(&lines, HEADS_EVERY * 2) + 1);
    assert_eq!(found(&lines), [Finding::MissingHeads { from: 2, to: 2 }]);
}

#[test]
fn a_repeated_head_is_found_and_named() {
    let mut lines = lines();
    let line = line_of(&lines, HEADS_EVERY) + 1;
    lines.insert(line, lines[line].clone());
    assert_eq!(found(&lines), [Finding::MisplacedHead { number: 1 }]);
}

#[test]
fn a_repeated_record_is_found_and_named() {
    let mut lines = lines();
    let line = line_of(&lines, 7);
    lines.insert(line + 1, lines[line].clone());
    assert_eq!(found(&lines), [Finding::OutOfPlace { id: 7, at: 8 }]);
}

#[test]
fn an_opened_detail_that_was_changed_is_found() {
    let lines: Vec<String> = lines()
        .iter()
        .map(|line| line.replace("\"opened\":{\"number\":3}", "\"opened\":{\"number\":4}"))
        .collect();
    assert_eq!(found(&lines), [Finding::AlteredExport]);
}

#[test]
fn something_behind_the_closing_line_is_found() {
    let mut lines = lines();
    let last = lines.last().unwrap().clone();
    assert!(last.starts_with(END));
    lines.push(last);
    assert_eq!(found(&lines), [Finding::AlteredExport]);
}

#[test]
fn a_history_written_anew_does_not_fit_the_heads() {
    // Every hash is computed anew, as whoever holds the file can; the heads are the old ones.
    let lines = crate::support::rewritten(12);
    let expected = Finding::Rewritten {
        after: 10,
        id: 20,
        number: 2,
    };
    assert_eq!(found(&lines), [expected]);
}

#[test]
fn a_record_that_was_replaced_together_with_its_hash_is_found() {
    let mut lines = lines();
    let mut record = crate::support::record_of(&lines[line_of(&lines, 12)]);
    record.action = "session.forged".to_owned();
    record.hash = record.computed_hash();
    let line = line_of(&lines, 12);
    lines[line] = crate::support::record_line(record);
    assert_eq!(found(&lines), [Finding::Unlinked { id: 13 }]);
}

#[test]
fn an_older_export_is_whole_and_a_head_kept_elsewhere_shows_that_it_was_rolled_back() {
    let older = crate::support::export_of(20);
    let older: Vec<String> = older.lines().map(str::to_owned).collect();
    // The control: nothing inside it can tell.
    assert_eq!(verify(&older, None).findings, []);
    let verdict = verify(&older, Some(witnessed(&[10, 30])));
    let expected = Finding::RolledBack {
        last: 20,
        expected: 30,
        at: crate::support::time(30),
    };
    assert_eq!(verdict.findings, [expected]);
}

#[test]
fn an_older_copy_that_went_on_is_found_by_a_head_kept_elsewhere() {
    let continued = crate::support::continued_from(20);
    assert_eq!(verify(&continued, None).findings, []);
    // The first that differs is named; whatever follows it differs as well.
    let verdict = verify(&continued, Some(witnessed(&[10, 30, 40])));
    assert_eq!(verdict.findings, [Finding::Forked { id: 30 }]);
}

#[test]
fn heads_kept_elsewhere_are_verified_themselves() {
    let mut outside = Outside::under(key().verify_key());
    let line = crate::support::witnessed_line(30);
    outside.line(line.as_bytes()).unwrap();
    let forged = line.replace("\"record_id\":30", "\"record_id\":40");
    assert_ne!(forged, line);
    outside.line(forged.as_bytes()).unwrap();
    assert_eq!(outside.len(), 1);
    let verdict = verify(&lines(), Some(outside));
    assert_eq!(verdict.findings, [Finding::ForgedOutsideHead { line: 2 }]);
    assert!(Outside::under(key().verify_key()).line(b"{}").is_err());
}

#[test]
fn heads_of_another_key_do_not_count() {
    let mut outside = Outside::under(crate::support::other_key().verify_key());
    outside
        .line(crate::support::witnessed_line(30).as_bytes())
        .unwrap();
    assert!(outside.is_empty());
}

#[test]
fn a_whole_export_under_another_key_names_that_key() {
    let lines: Vec<String> = other_export().lines().map(str::to_owned).collect();
    let verdict = verify(&lines, None);
    assert_eq!(verdict.findings, []);
    assert_eq!(
        verdict.key,
        Some(crate::support::other_key().verify_key().fingerprint())
    );
    assert_ne!(verdict.key, Some(key().verify_key().fingerprint()));
}

#[test]
fn numbers_without_sense_are_findings_and_nothing_worse() {
    for id in [0, 1, u64::MAX - 1, u64::MAX] {
        for at in [1, 20, RECORDS] {
            let mut lines = lines();
            let line = line_of(&lines, at);
            let mut record = crate::support::record_of(&lines[line]);
            record.id = id;
            record.hash = record.computed_hash();
            lines[line] = crate::support::record_line(record);
            lines[0] = lines[0].replace("\"after_id\":0", &format!("\"after_id\":{id}"));
            assert!(
                !found(&lines).is_empty() || (id, at) == (1, 1),
                "{id} at {at}"
            );
        }
    }
}
