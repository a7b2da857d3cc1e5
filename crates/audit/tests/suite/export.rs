//! What an export says of itself: its key, its doors, and the signature that closes it.

use crate::support::{
    END, chain, export_of, header, key, other_key, rng, time, verify, witnessed, witnessed_line,
};
use audit::{
    Door, ExportVerifier, ExportWriter, Finding, HeadSigningKey, HeadVerifyKey, Header, Outside,
};
use serde_json::{Value, json};
use sha3::{Digest, Sha3_512};

fn lines_of(text: &str) -> Vec<String> {
    text.lines().map(str::to_owned).collect()
}

/// Writes the closing line anew for what stands before it, and keeps its signature.
fn reclosed(mut lines: Vec<String>, change: impl Fn(&mut Value)) -> Vec<String> {
    let end = lines.pop().unwrap();
    assert!(end.starts_with(END));
    let mut end: Value = serde_json::from_str(&end).unwrap();
    let mut digest = Sha3_512::new();
    for line in &lines {
        digest.update(line);
        digest.update("\n");
    }
    end["digest"] = hex::encode(digest.finalize()).into();
    change(&mut end);
    lines.push(end.to_string());
    lines
}

#[test]
fn records_behind_the_last_head_cannot_be_dropped_by_writing_the_closing_line_anew() {
    // Forty have heads; the closing signature alone vouches for the rest.
    let mut lines = lines_of(&export_of(45));
    assert_eq!(verify(&lines, None).findings, []);
    lines.remove(lines.len() - 2);
    let lines = reclosed(lines, |end| {
        end["records"] = 44.into();
        end["last"] = 44.into();
    });
    assert_eq!(verify(&lines, None).findings, [Finding::AlteredExport]);
}

#[test]
fn every_number_of_the_closing_line_is_signed() {
    let lines = lines_of(&export_of(20));
    let same = reclosed(lines.clone(), |_| {});
    assert_eq!(verify(&same, None).findings, [], "the control");
    for field in ["records", "heads", "last", "timestamp"] {
        let changed = reclosed(lines.clone(), |end| {
            end[field] = (end[field].as_u64().unwrap() + 1).into();
        });
        let findings = verify(&changed, None).findings;
        assert_eq!(findings, [Finding::AlteredExport], "{field}");
    }
}

#[test]
fn a_line_behind_the_closing_one_is_found() {
    let mut lines = lines_of(&export_of(20));
    lines.push(lines[1].clone());
    assert_eq!(verify(&lines, None).findings, [Finding::AlteredExport]);
}

#[test]
fn a_header_of_another_format_or_with_the_fingerprint_of_another_key_is_no_export() {
    let lines = lines_of(&export_of(20));
    let header: Value = serde_json::from_str(&lines[0]).unwrap();
    let begin = |header: &Value| ExportVerifier::begin(header.to_string().as_bytes(), None);
    assert!(begin(&header).is_ok());
    let other = other_key().verify_key().fingerprint().to_string();
    for (field, value) in [
        ("format", json!("secure-messaging/2 audit export")),
        ("fingerprint", json!(other)),
    ] {
        let mut changed = header.clone();
        changed[field] = value;
        assert!(begin(&changed).is_err(), "{field}");
    }
}

#[test]
fn a_door_in_an_export_opens_the_beginning_that_a_record_vouches_for() {
    let chain = chain(30);
    let door = Door {
        through_id: 10,
        hash: chain[9].hash,
        cutoff: time(11),
        timestamp: time(30),
    };
    let (mut writer, first) = ExportWriter::begin(&header(key()));
    let line = writer.door(&door);
    let said: Value = serde_json::from_str(&line).unwrap();
    let expected = json!({
        "type": "retention", "through_id": 10, "hash": hex::encode(door.hash),
        "cutoff": time(11), "timestamp": time(30),
    });
    assert_eq!(said, expected);
    // A door without its record opens nothing.
    let mut lines = lines_of(&(first + &line));
    lines.extend(
        chain[10..]
            .iter()
            .map(|record| crate::support::record_line(record.clone())),
    );
    let findings = verify(&lines, None).findings;
    let unproven = Finding::UnprovenRetention { through: 10 };
    assert!(findings.contains(&unproven), "{findings:?}");
}

#[test]
fn keys_are_read_as_they_are_written() {
    let bytes = key().to_bytes();
    assert_eq!(*bytes, [7; 64]);
    let made = HeadSigningKey::generate(&mut rng());
    let again = HeadSigningKey::from_bytes(&made.to_bytes());
    assert_eq!(made.verify_key(), again.verify_key());
    assert_ne!(made.verify_key(), key().verify_key());

    let public = key().verify_key();
    let text = Header::key_text(&public);
    assert_eq!(
        Header::parse_key(&format!(" {text}\n")),
        Some(public.clone())
    );
    assert_eq!(Header::parse_key(&text[4..]), None);
    assert_eq!(Header::parse_key("no key"), None);
    let bytes = public.to_bytes();
    assert_eq!(bytes.len(), 2_624);
    assert_eq!(HeadVerifyKey::from_bytes(&bytes), Ok(public));
    assert!(HeadVerifyKey::from_bytes(&[&bytes[..], &[0]].concat()).is_err());
}

#[test]
fn a_printed_key_is_named_and_not_shown() {
    assert_eq!(format!("{:?}", key()), "HeadSigningKey(..)");
    let fingerprint = key().verify_key().fingerprint();
    let printed = format!("{fingerprint:?}");
    assert_eq!(
        printed,
        format!("Fingerprint({}..)", &fingerprint.to_string()[..8])
    );
}

#[test]
fn heads_kept_elsewhere_are_counted_by_the_records_that_they_sign() {
    let mut outside = witnessed(&[10, 20]);
    assert_eq!(outside.len(), 2);
    assert!(!outside.is_empty());
    outside.line(witnessed_line(20).as_bytes()).unwrap();
    outside.line(b"  ").unwrap();
    assert_eq!(outside.len(), 2);
    let forged = witnessed_line(20).replace("\"number\":2", "\"number\":3");
    for _ in 0..120 {
        outside.line(forged.as_bytes()).unwrap();
    }
    let findings = verify(&lines_of(&export_of(20)), Some(outside)).findings;
    let told = |it: &&Finding| matches!(it, Finding::ForgedOutsideHead { .. });
    assert_eq!(findings.iter().filter(told).count(), 100, "the first ones");
    let mut outside = witnessed(&[10]);
    let none = Outside::under(key().verify_key());
    assert_eq!((none.len(), none.is_empty()), (0, true));
    assert!(outside.line(b"{}").is_err());
}
