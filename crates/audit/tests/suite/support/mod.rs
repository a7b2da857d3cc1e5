//! A log of forty records with a head behind every tenth, and ways to make others like it.

use std::sync::OnceLock;

use ambient::Rng;
use audit::{
    Door, ExportVerifier, ExportWriter, Head, HeadSigningKey, Header, Outside, RETENTION, Record,
    SignedHead, Verdict, Witnessed, ZERO_HASH,
};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

pub(crate) const RECORDS: u64 = 40;
pub(crate) const HEADS_EVERY: u64 = 10;
pub(crate) const END: &str = "{\"type\":\"end\"";

pub(crate) fn rng() -> Rng {
    Rng::system()
}

pub(crate) fn key() -> &'static HeadSigningKey {
    static KEY: OnceLock<HeadSigningKey> = OnceLock::new();
    KEY.get_or_init(|| HeadSigningKey::from_bytes(&[7; 64]))
}

pub(crate) fn other_key() -> &'static HeadSigningKey {
    static KEY: OnceLock<HeadSigningKey> = OnceLock::new();
    KEY.get_or_init(|| HeadSigningKey::from_bytes(&[8; 64]))
}

pub(crate) fn time(id: u64) -> u64 {
    1_800_000_000 + id
}

/// A record as the store would write it; `salt` makes another history.
pub(crate) fn record(id: u64, previous: [u8; 64], salt: u8) -> Record {
    let mut record = Record {
        id,
        event_id: [id as u8 ^ salt; 16],
        user_id: id.is_multiple_of(3).then_some([id as u8; 16]),
        action: "session.created".to_owned(),
        timestamp: time(id),
        details: vec![id as u8; 40],
        previous,
        hash: ZERO_HASH,
    };
    record.hash = record.computed_hash();
    record
}

pub(crate) fn chain(records: u64) -> Vec<Record> {
    continued(Vec::new(), records, 0)
}

/// Goes on after the records of a chain.
pub(crate) fn continued(mut chain: Vec<Record>, records: u64, salt: u8) -> Vec<Record> {
    for id in chain.len() as u64 + 1..=records {
        let previous = chain.last().map_or(ZERO_HASH, |last| last.hash);
        chain.push(record(id, previous, salt));
    }
    chain
}

/// Records whose door stands after the tenth, and the record behind them that vouches for it.
pub(crate) fn with_a_door(mut records: Vec<Record>) -> (Vec<Record>, Door) {
    let id = records.len() as u64 + 1;
    let door = Door {
        through_id: 10,
        hash: records[9].hash,
        cutoff: time(11),
        timestamp: time(id),
    };
    let mut record = Record {
        id,
        event_id: door.commitment(),
        user_id: None,
        action: RETENTION.to_owned(),
        timestamp: time(id),
        details: vec![1; 40],
        previous: records.last().unwrap().hash,
        hash: ZERO_HASH,
    };
    record.hash = record.computed_hash();
    records.push(record);
    (records, door)
}

pub(crate) fn head_of(record: &Record, number: u64, key: &HeadSigningKey) -> SignedHead {
    let head = Head {
        number,
        record_id: record.id,
        hash: record.hash,
        timestamp: record.timestamp,
    };
    key.sign(&mut rng(), head)
}

/// The header of an export of the whole log.
pub(crate) fn header(key: &HeadSigningKey) -> Header {
    Header {
        created_at: time(100),
        key: key.verify_key(),
        from: None,
        to: None,
        after_id: 0,
        after_hash: ZERO_HASH,
    }
}

/// Exports a chain; `heads` of another chain where they are not its own.
pub(crate) fn written(chain: &[Record], heads: &[Record], key: &HeadSigningKey) -> String {
    let (mut writer, mut text) = ExportWriter::begin(&header(key));
    for record in chain {
        let opened = Some(json!({ "number": record.id }));
        text += &writer.record(record.clone(), opened, false);
        if record.id.is_multiple_of(HEADS_EVERY) {
            let signed = &heads[record.id as usize - 1];
            text += &writer.head(head_of(signed, record.id / HEADS_EVERY, key));
        }
    }
    text + &writer.end(key, &mut rng(), time(100))
}

pub(crate) fn export_of(records: u64) -> String {
    let chain = chain(records);
    written(&chain, &chain, key())
}

pub(crate) fn export() -> &'static str {
    static EXPORT: OnceLock<String> = OnceLock::new();
    EXPORT.get_or_init(|| export_of(RECORDS))
}

pub(crate) fn other_export() -> &'static str {
    static EXPORT: OnceLock<String> = OnceLock::new();
    EXPORT.get_or_init(|| {
        let chain = chain(RECORDS);
        written(&chain, &chain, other_key())
    })
}

/// A history that is another one from `id` on, with the heads and the end of the old one.
pub(crate) fn rewritten(id: u64) -> Vec<String> {
    let honest = chain(RECORDS);
    let other = continued(honest[..id as usize - 1].to_vec(), RECORDS, 0x80);
    let text = written(&other, &honest, key());
    text.lines().map(str::to_owned).collect()
}

/// A copy of `records` records that the server itself continued, to the full length.
pub(crate) fn continued_from(records: u64) -> Vec<String> {
    let honest = chain(RECORDS);
    let other = continued(honest[..records as usize].to_vec(), RECORDS, 0x80);
    let text = written(&other, &other, key());
    text.lines().map(str::to_owned).collect()
}

pub(crate) fn witnessed_line(id: u64) -> String {
    let chain = chain(RECORDS);
    let head = head_of(&chain[id as usize - 1], id / HEADS_EVERY, key());
    Witnessed::new(&head, key().verify_key().fingerprint()).line()
}

pub(crate) fn witnessed(ids: &[u64]) -> Outside {
    let mut outside = Outside::under(key().verify_key());
    for id in ids {
        outside.line(witnessed_line(*id).as_bytes()).unwrap();
    }
    outside
}

pub(crate) fn verify(lines: &[String], outside: Option<Outside>) -> Verdict {
    let mut verifier = ExportVerifier::begin(lines[0].as_bytes(), outside).unwrap();
    for line in &lines[1..] {
        verifier.line(line.as_bytes());
    }
    verifier.finish()
}

pub(crate) fn record_of(line: &str) -> Record {
    let json: serde_json::Value = serde_json::from_str(line).unwrap();
    serde_json::from_value(json["record"].clone()).unwrap()
}

pub(crate) fn record_line(record: Record) -> String {
    json!({ "type": "record", "record": record }).to_string()
}

pub(crate) fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

pub(crate) fn unbase64(text: &str) -> Vec<u8> {
    STANDARD.decode(text).unwrap()
}
