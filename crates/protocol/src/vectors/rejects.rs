//! Refused vectors: accepted ones with one field changed, each with the error it must meet.

use serde_json::{Map, Value, json};

/// What is done to one field of an accepted vector.
enum Change {
    /// Flips the lowest bit of the byte at an offset; from the end where negative.
    Flip(i64),
    /// Sets the byte at an offset.
    Set(usize, u8),
    /// Drops the last byte.
    Shorten,
    /// Appends a zero byte.
    Lengthen,
    /// Replaces a number.
    Number(u64),
    /// Replaces a text.
    Text(&'static str),
}

use Change::{Flip, Lengthen, Number, Set, Shorten, Text};

/// id of the accepted vector, changed field, change, expected error.
type Rule = (&'static str, &'static str, Change, &'static str);

const ALICE: &str = "account keys of alice";
const BATCH: &str = "prekey batch of bob";
const CLAIMED: &str = "claimed one-time prekey of bob";
const BUNDLE: &str = "session bundle of bob";
const LIVE: &str = "live parcel 1";
const ONE_TIME: &str = "one-time parcel 1";
const SAFE: &str = "key safe of alice";
const BOOT: &str = "signed boot id";
const SIGN_IN: &str = "sign-in of alice";
const CHUNK: &str = "attachment chunk";
const HELLO: &str = "link hello";
const LINK: &str = "link handshake";
const ZERO_ID: &str = "00000000000000000000000000000000";

/// Offset of the slot in a parcel with a live target.
const LIVE_SLOT: usize = 3 + 16 + 16 + 4 + 33 + 2;
/// Offset of the handshake's fields in such a parcel.
const LIVE_HANDSHAKE: usize = LIVE_SLOT + 3;

const RULES: &[Rule] = &[
    (ALICE, "bytes", Set(0, 0x11), "WrongType"),
    (ALICE, "bytes", Set(1, 0x02), "UnknownVersion"),
    (ALICE, "bytes", Set(2, 0x02), "UnknownSuite"),
    (ALICE, "bytes", Shorten, "Truncated"),
    (ALICE, "bytes", Lengthen, "TrailingBytes"),
    (ALICE, "bytes", Flip(3), "BadSignature"),
    (ALICE, "bytes", Flip(200), "BadSignature"),
    (ALICE, "bytes", Flip(-1), "BadSignature"),
    (ALICE, "fingerprint", Flip(0), "SwappedKey"),
    (BATCH, "bytes", Flip(-1), "NotInBatch"),
    (BATCH, "bytes", Flip(4_000), "BadSignature"),
    (BATCH, "highest_seen", Number(8), "StaleBatch"),
    (BATCH, "user_id", Text(ZERO_ID), "WrongUser"),
    (BATCH, "now", Number(1_802_592_000), "Expired"),
    (BATCH, "now", Number(1_799_990_000), "FromTheFuture"),
    (HELLO, "bytes", Set(0, 0x61), "WrongType"),
    (HELLO, "bytes", Set(2, 0x02), "UnknownSuite"),
    (HELLO, "bytes", Shorten, "Truncated"),
    (HELLO, "bytes", Lengthen, "TrailingBytes"),
    (HELLO, "bytes", Flip(3), "OtherServer"),
    (HELLO, "bytes", Flip(3 + 64), "BadSignature"),
    (HELLO, "bytes", Flip(-1), "BadSignature"),
    (HELLO, "now", Number(1_800_000_600), "OtherTime"),
    (HELLO, "now", Number(1_799_990_000), "OtherTime"),
    (LINK, "origin", Text("https://other.example"), "BadSeal"),
    (LINK, "opened", Flip(3), "BadSeal"),
    (LINK, "opened", Flip(-1), "BadSeal"),
    (LINK, "opened", Flip(3 + 16 + 32), "BadSeal"),
    (LINK, "opened", Shorten, "Truncated"),
    (LINK, "kem_server", Flip(0), "BadSeal"),
    (LINK, "active", Flip(0), "BadSeal"),
    (LINK, "frame_down", Flip(-1), "BadSeal"),
    (LINK, "frame_down", Shorten, "NotCanonical"),
    (CLAIMED, "bytes", Set(3 + 2, 0x02), "UnknownSuite"),
    (CLAIMED, "bytes", Flip(3 + 3), "WrongIdentity"),
    (CLAIMED, "bytes", Flip(-1), "NotInBatch"),
    (CLAIMED, "bytes", Shorten, "Truncated"),
    (CLAIMED, "highest_seen", Number(8), "StaleBatch"),
    (CLAIMED, "user_id", Text(ZERO_ID), "WrongUser"),
    (BUNDLE, "bytes", Flip(-1), "BadSignature"),
    (BUNDLE, "bytes", Set(2, 0x00), "UnknownSuite"),
    (BUNDLE, "live_id", Text(ZERO_ID), "WrongSession"),
    (BUNDLE, "user_id", Text(ZERO_ID), "WrongUser"),
    (BUNDLE, "now", Number(1_800_000_600), "StaleBundle"),
    (BUNDLE, "now", Number(1_799_999_300), "FromTheFuture"),
    (LIVE, "user_id", Text(ZERO_ID), "WrongTarget"),
    (LIVE, "live_id", Text(ZERO_ID), "WrongTarget"),
    (LIVE, "parcel", Flip(3), "MovedSlot"),
    (LIVE, "parcel", Flip(-1), "MovedSlot"),
    (LIVE, "parcel", Set(2, 0x02), "UnknownSuite"),
    (LIVE, "parcel", Set(LIVE_SLOT + 2, 0x02), "UnknownSuite"),
    (
        LIVE,
        "parcel",
        Set(LIVE_HANDSHAKE + 2, 0x02),
        "UnknownSuite",
    ),
    (
        LIVE,
        "parcel",
        Set(LIVE_HANDSHAKE + 11, 0x04),
        "InvalidValue",
    ),
    (LIVE, "parcel", Set(LIVE_HANDSHAKE + 11, 0x03), "BadHint"),
    (LIVE, "parcel", Flip(LIVE_HANDSHAKE as i64 + 12), "BadHint"),
    (LIVE, "parcel", Flip(LIVE_HANDSHAKE as i64 + 100), "BadHint"),
    (LIVE, "parcel", Set(LIVE_HANDSHAKE + 1_716, 1), "MovedSlot"),
    (
        LIVE,
        "parcel",
        Set(LIVE_HANDSHAKE + 1_716, 50),
        "CounterTooHigh",
    ),
    (LIVE, "parcel", Lengthen, "TrailingBytes"),
    (LIVE, "now", Number(1_799_996_000), "TooFarAhead"),
    (LIVE, "now", Number(1_800_700_000), "TooOld"),
    (LIVE, "signed_pair", Flip(1), "BadHint"),
    (ONE_TIME, "one_time_pair", Flip(5), "BadHint"),
    (ONE_TIME, "one_time_pair", Flip(40), "BadHint"),
    ("live submission", "bytes", Set(2, 0x02), "UnknownSuite"),
    ("live submission", "bytes", Shorten, "Truncated"),
    ("live submission", "bytes", Lengthen, "TrailingBytes"),
    ("live submission", "bytes", Set(19, 0xff), "InvalidValue"),
    ("live submission", "bytes", Set(23, 0x02), "InvalidValue"),
    ("live slot set", "bytes", Set(20, 0x00), "InvalidValue"),
    (SAFE, "sealed", Set(0, 0x41), "WrongType"),
    (SAFE, "sealed", Set(2, 0x02), "UnknownSuite"),
    (SAFE, "sealed", Flip(-1), "BadSeal"),
    (SAFE, "version", Number(2), "BadSeal"),
    (SAFE, "user_id", Text(ZERO_ID), "BadSeal"),
    (SAFE, "key", Flip(0), "BadSeal"),
    ("prekey safe of alice", "version", Number(10), "BadSeal"),
    ("prekey safe of alice", "sealed", Set(0, 0x40), "WrongType"),
    ("passphrase wrap of alice", "key", Flip(0), "BadWrap"),
    (
        "passphrase wrap of alice",
        "user_id",
        Text(ZERO_ID),
        "BadWrap",
    ),
    (
        "passphrase wrap of alice",
        "wrapped",
        Set(0, 0x46),
        "WrongType",
    ),
    ("recovery wrap of alice", "key", Flip(0), "BadWrap"),
    ("recovery wrap of alice", "wrapped", Flip(500), "BadWrap"),
    ("resume wrap of alice", "key", Flip(31), "BadWrap"),
    (
        "recovery key of alice",
        "text",
        Text("0000-0000-0000-0000-0000-0000-0000-0000-0000"),
        "WrongChecksum",
    ),
    (
        "recovery key of alice",
        "text",
        Text("0000-0000"),
        "WrongLength",
    ),
    (
        "recovery key of alice",
        "text",
        Text("U000"),
        "WrongCharacter",
    ),
    (SIGN_IN, "passphrase", Text("another passphrase"), "Refused"),
    (SIGN_IN, "credential_id", Flip(0), "Refused"),
    (SIGN_IN, "record", Shorten, "Malformed"),
    (CHUNK, "sealed", Flip(-1), "BadBody"),
    (CHUNK, "sealed", Set(2, 0x02), "UnknownSuite"),
    (CHUNK, "index", Number(0), "MovedSlot"),
    (CHUNK, "total", Number(2), "MovedSlot"),
    (CHUNK, "key", Flip(0), "BadBody"),
    (BOOT, "bytes", Flip(3), "BadSignature"),
    (BOOT, "pinned", Flip(3), "OtherServer"),
];

/// Every rule as a vector.
pub(super) fn all() -> Vec<Value> {
    RULES
        .iter()
        .map(|(from, field, change, error)| {
            let (op, at, value) = match change {
                Flip(at) => ("flip", Some(*at), None),
                Set(at, byte) => ("set", i64::try_from(*at).ok(), Some(json!(byte))),
                Shorten => ("shorten", None, None),
                Lengthen => ("lengthen", None, None),
                Number(number) => ("replace", None, Some(json!(number))),
                Text(text) => ("replace", None, Some(json!(text))),
            };
            let mut vector = Map::new();
            let which = at.map(|at| format!(" at {at}")).unwrap_or_default();
            let what = value
                .as_ref()
                .map(|value| format!(" {value}"))
                .unwrap_or_default();
            let id = format!("{from}: {op} {field}{which}{what}");
            vector.insert("id".to_owned(), json!(id));
            vector.insert("from".to_owned(), json!(from));
            vector.insert("field".to_owned(), json!(field));
            vector.insert("op".to_owned(), json!(op));
            if let Some(at) = at {
                vector.insert("at".to_owned(), json!(at));
            }
            if let Some(value) = value {
                vector.insert("value".to_owned(), value);
            }
            vector.insert("result".to_owned(), json!("reject"));
            vector.insert("error".to_owned(), json!(error));
            Value::Object(vector)
        })
        .collect()
}
