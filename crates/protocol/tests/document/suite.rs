//! Version, suite, type bytes, transcript tags and the values of single bytes.

use std::collections::BTreeMap;

use crate::tree::{code, number, sources, table, text};
use crate::value::Crate;

/// The variants of an enum of the protocol that have values.
fn variants(name: &str) -> BTreeMap<String, u64> {
    let start = format!("pub enum {name} {{");
    let protocol = sources()
        .into_iter()
        .filter(|path| path.starts_with("crates/protocol/src/"));
    let source = protocol
        .map(|path| text(&path))
        .find(|text| text.contains(&start))
        .unwrap_or_else(|| panic!("no enum {name}"));
    let (_, body) = source.split_once(&start).unwrap();
    let body = body.split("\n}").next().unwrap();
    let values = body.lines().filter_map(|line| {
        let (name, value) = line.trim().trim_end_matches(',').split_once(" = ")?;
        let value = match value.strip_prefix("0x") {
            Some(digits) => u64::from_str_radix(digits, 16).ok()?,
            None => value.parse().ok()?,
        };
        Some((name.to_owned(), value))
    });
    values.collect()
}

fn byte(cell: &str) -> u64 {
    u64::from_str_radix(code(cell).trim_start_matches("0x"), 16).unwrap()
}

#[test]
fn version_and_suite_are_those_of_the_document() {
    let protocol = Crate::read("crates/protocol/src");
    let rows = table("Version and suite");
    assert_eq!(rows.len(), 2);
    for row in rows {
        let found = protocol.value("suite.rs", &code(&row[2]));
        assert_eq!(found, Some(byte(&row[1])), "{row:?}");
    }
}

#[test]
fn the_type_bytes_are_those_of_the_document() {
    let documented: BTreeMap<String, u64> = table("Type bytes")
        .iter()
        .map(|row| (code(&row[1]), byte(&row[0])))
        .collect();
    assert_eq!(documented, variants("ObjectType"));
}

#[test]
fn no_object_begins_as_json_does() {
    let json = u64::from(b'{');
    assert!(!variants("ObjectType").values().any(|byte| *byte == json));
}

#[test]
fn the_sizes_of_objects_are_those_that_the_code_computes() {
    let protocol = Crate::read("crates/protocol/src");
    let value = |file, name| protocol.value(file, name).unwrap();
    let tag = value("primitives/aead.rs", "TAG_LEN");
    let ciphertext = value("primitives/kem.rs", "CIPHERTEXT_LEN");
    let verify = value("primitives/signature.rs", "VERIFY_KEY_LEN");
    let signature = value("primitives/signature.rs", "SIGNATURE_LEN");
    let pair = value("prekeys/pair.rs", "PairPublic::LEN");
    let wrap = 3 + 24 + value("safe/key.rs", "SafeKey::LEN") + tag;
    let made: BTreeMap<&str, u64> = [
        (
            "AccountKeys",
            value("identity/keys.rs", "AccountKeys::ENCODED_LEN"),
        ),
        (
            "SessionBundle",
            value("prekeys/bundle.rs", "SessionBundle::ENCODED_LEN"),
        ),
        (
            "PrekeyLeaf",
            value("prekeys/leaf.rs", "PrekeyLeaf::ENCODED_LEN"),
        ),
        (
            "BatchHead",
            value("prekeys/head.rs", "BatchHead::ENCODED_LEN"),
        ),
        ("Handshake", value("epoch/handshake.rs", "Handshake::LEN")),
        ("Slot", value("envelope/slot.rs", "SealedSlot::ENCODED_LEN")),
        (
            "SlotContent",
            value("envelope/slot_content.rs", "SlotContent::ENCODED_LEN"),
        ),
        ("PassphraseWrap", wrap),
        ("RecoveryWrap", wrap + 32 + ciphertext),
        ("ResumeWrap", wrap),
        ("RecoveryPublic", 3 + pair),
        ("SignedBoot", 3 + 16 + 8 + verify + signature),
        ("BootVerifyKey", 3 + verify),
        // Fingerprint, boot id, instance, bucket, end, both public halves.
        ("LinkHello", 3 + 64 + 16 + 16 + 8 + 8 + pair + signature),
        // Link id, both answers, MAC.
        (
            "LinkOpened",
            3 + 16 + 32 + ciphertext + value("link/messages.rs", "MAC_LEN"),
        ),
        (
            "LinkAccount",
            3 + 16 + value("identity/fingerprint.rs", "Fingerprint::LEN") + signature,
        ),
        ("LinkRenew", 3 + pair),
        ("LinkRenewed", 3 + pair),
        ("LinkTicket", 32 + value("link/ticket.rs", "BOUND_LEN")),
    ]
    .into();
    for row in table("Type bytes") {
        let name = code(&row[1]);
        match made.get(name.as_str()) {
            Some(size) => assert_eq!(number(&row[2]), *size, "{name}"),
            None => assert_eq!(row[2], "variable", "{name}"),
        }
    }
}

#[test]
fn the_transcript_has_the_tags_of_the_document_in_their_order() {
    let source = text("crates/protocol/src/epoch/transcript.rs");
    let tags = source.split("field(0x").skip(1);
    let used: Vec<u64> = tags
        .map(|after| u64::from_str_radix(&after[..2], 16).unwrap())
        .collect();
    let documented: Vec<u64> = table("Transcript tags")
        .iter()
        .map(|row| byte(&row[0]))
        .collect();
    assert_eq!(documented, used);
}

#[test]
fn the_values_of_single_bytes_are_those_of_the_document() {
    for row in table("Values of single bytes") {
        let mut documented = BTreeMap::new();
        for value in row[1].split(", ") {
            documented.insert(code(value), number(value));
        }
        assert_eq!(documented, variants(&code(&row[2])), "{row:?}");
    }
    let documented = table("Values of single bytes");
    let named = |name: &str| documented.iter().any(|row| code(&row[2]) == name);
    let valued = sources()
        .into_iter()
        .filter(|path| path.starts_with("crates/protocol/src/"))
        .flat_map(|path| {
            let text = text(&path);
            let enums = text.split("#[repr(u8)]").skip(1);
            let names = enums.map(|after| {
                let (_, name) = after.split_once("enum ").unwrap();
                name.split(' ').next().unwrap().to_owned()
            });
            names.collect::<Vec<_>>()
        });
    for name in valued.filter(|name| name != "ObjectType") {
        assert!(named(&name), "the values of {name} are in no document");
    }
}
