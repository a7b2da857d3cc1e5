//! What lies in files: values at rest, backups, exports of the audit log.

use audit::{ExportVerifier, Witnessed};
use backup::{BackupId, BackupKey, Opener, Policy, Sealer};
use fuzz::Target;
use keyring::envelope_kek;
use zeroize::Zeroizing;

use crate::{AGAIN, log};

#[test]
fn hostile_values_at_rest_break_nothing() {
    let mut value = vec![1, 1];
    value.extend([7; 200]);
    Target::new("values at rest", AGAIN)
        .seed(&value)
        .seed([])
        .run(|bytes| envelope_kek(bytes).is_some());
}

#[test]
fn hostile_backups_break_nothing_and_nothing_changed_is_given_out() {
    let key = BackupKey::from_bytes(Zeroizing::new([9; backup::KEY_LEN]));
    let text = b"page after page ".repeat(20);
    let sealed = |text: &[u8]| {
        let mut sealer = Sealer::new(&key, "pages", [3; backup::SALT_LEN]);
        sealer.push(text);
        sealer.finish()
    };
    let open = |bytes: &[u8]| {
        let (mut opener, mut opened) = (Opener::new(&key, "pages"), Vec::new());
        let pushed = bytes
            .chunks(37)
            .try_for_each(|piece| opener.push(piece, &mut opened));
        assert!(
            opened.is_empty() || text.starts_with(&opened),
            "changed text was given out"
        );
        pushed
            .and_then(|()| opener.finish())
            .map_err(|error| format!("{error:?}"))
    };
    assert!(open(&sealed(&text)).is_ok(), "the control");
    Target::new("backups", AGAIN)
        .seeds([sealed(&text), sealed(b"")])
        .run(|bytes| {
            let opened = open(bytes);
            opened.map_err(|text| {
                text.chars()
                    .take_while(|c| c.is_alphabetic())
                    .collect::<String>()
            })
        });
}

#[test]
fn hostile_names_and_times_of_backups_break_nothing() {
    Target::new("names of backups", AGAIN)
        .seeds([
            "20260101T000000Z-full-00112233",
            "48h 7d 4w 12m",
            "2026-01-01T00:00:00Z",
        ])
        .words(&[
            "h ",
            "d ",
            "-",
            "T",
            "Z",
            "full",
            "incremental",
            "18446744073709551615",
            "99",
        ])
        .run(|bytes| {
            let text = std::str::from_utf8(bytes).ok()?;
            let id = text.parse::<BackupId>().is_ok();
            let policy = text.parse::<Policy>().is_ok();
            Some((id, policy, backup::parse_time(text).is_some()))
        });
}

#[test]
fn hostile_exports_of_the_audit_log_break_nothing() {
    let chain = log::chain(12);
    let whole = log::written(&chain, &chain, log::key());
    let unsigned = whole.lines().take(4).collect::<Vec<_>>().join("\n");
    Target::new("exports of the audit log", AGAIN)
        .seeds([&whole, &unsigned])
        .words(&[
            "\"type\":",
            "\"header\"",
            "\"record\"",
            "\"head\"",
            "\"retention\"",
            "\"end\"",
            "null",
            "\n",
            "18446744073709551615",
            "{",
            "}",
            "[",
            "]",
        ])
        .run(|bytes| {
            let mut lines = bytes.split(|byte| *byte == b'\n');
            let first = lines.next().unwrap_or_default();
            let witnessed = Witnessed::parse(first).is_ok();
            let Ok(mut verifier) = ExportVerifier::begin(first, None) else {
                return (witnessed, None);
            };
            lines.for_each(|line| verifier.line(line));
            let findings = verifier.finish().findings;
            (witnessed, Some(findings.len()))
        });
}
