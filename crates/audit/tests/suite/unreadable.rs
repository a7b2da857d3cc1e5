//! Lines of an export that cannot be read.

use crate::support::{chain, export_of, header, key, rng, time, verify};
use audit::{ExportWriter, Finding, MAX_LINE, Verdict};
use serde_json::json;

fn lines() -> Vec<String> {
    export_of(20).lines().map(str::to_owned).collect()
}

#[test]
fn a_line_that_cannot_be_read_is_named_by_its_place() {
    let mut lines = lines();
    let head = lines
        .iter()
        .position(|line| line.starts_with("{\"type\":\"head\""))
        .unwrap();
    lines[head] = "nothing that reads".to_owned();
    let findings = verify(&lines, None).findings;
    // Counted from 1, the header included.
    let line = head as u64 + 1;
    assert!(
        findings.contains(&Finding::Unreadable { line }),
        "{findings:?}"
    );
}

#[test]
fn a_record_that_cannot_be_read_is_named_by_its_number() {
    for id in [1, 7] {
        let mut lines = lines();
        let start = format!("\"id\":{id},");
        let record = lines.iter().position(|line| line.contains(&start)).unwrap();
        lines[record].pop();
        let verdict = verify(&lines, None);
        assert_eq!(verdict.findings, [Finding::Changed { id }]);
        assert_eq!((verdict.from, verdict.to), (1, 20));
    }
}

/// Verifies a closed export of three records, of which the second is a line of so many bytes.
fn with_a_line_of(bytes: usize) -> Verdict {
    let write = |filling: usize| {
        let (mut writer, first) = ExportWriter::begin(&header(key()));
        let mut lines = vec![first];
        for record in chain(3) {
            let opened = (record.id == 2).then(|| json!("x".repeat(filling)));
            lines.push(writer.record(record, opened, false));
        }
        lines.push(writer.end(key(), &mut rng(), time(100)));
        for line in &mut lines {
            assert_eq!(line.pop(), Some('\n'));
        }
        lines
    };
    let lines = write(bytes - write(0)[2].len());
    assert_eq!(lines[2].len(), bytes);
    verify(&lines, None)
}

#[test]
fn a_line_is_read_up_to_four_mebibytes_and_the_closing_signature_covers_longer_ones_too() {
    let read = with_a_line_of(MAX_LINE);
    assert_eq!(read.findings, []);
    assert_eq!((read.records, read.vouched), (3, 3));
    let longer = with_a_line_of(MAX_LINE + 1);
    assert_eq!(longer.findings, [Finding::Changed { id: 2 }]);
    assert_eq!((longer.records, longer.vouched), (3, 3));
}
