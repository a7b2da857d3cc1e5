//! The objects that clients exchange, begun from the published vectors.

use std::fmt::Debug;

use fuzz::Target;
use protocol::boot::SignedBoot;
use protocol::envelope::{ParcelRef, SealedSlot, SlotSet, Submission, SubmissionHeader};
use protocol::epoch::Handshake;
use protocol::identity::AccountKeys;
use protocol::prekeys::{BatchHead, ClaimedPrekey, PrekeyLeaf, SessionBundle, SignedBatch};

use crate::AGAIN;

/// The bytes of every vector, accepted and refused ones, and the slots inside of them.
fn vectors() -> Vec<Vec<u8>> {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/crates/protocol/vectors/protocol.json"
    );
    let text = std::fs::read_to_string(path).unwrap();
    let mut all = Vec::new();
    texts(&serde_json::from_str(&text).unwrap(), &mut |text| {
        all.extend(hex::decode(text).ok().filter(|bytes| bytes.len() > 3));
    });
    let submissions = all
        .iter()
        .filter_map(|bytes| Submission::decode(bytes).ok());
    let parcels = all.iter().filter_map(|bytes| ParcelRef::decode(bytes).ok());
    let mut slots: Vec<_> = submissions
        .flat_map(|it| it.slots.into_iter().map(|slot| slot.bytes))
        .collect();
    slots.extend(parcels.map(|parcel| parcel.slot.to_vec()));
    all.extend(slots);
    all
}

/// Finds every text of a document.
fn texts(value: &serde_json::Value, found: &mut impl FnMut(&str)) {
    match value {
        serde_json::Value::String(text) => found(text),
        serde_json::Value::Array(all) => all.iter().for_each(|value| texts(value, found)),
        serde_json::Value::Object(all) => all.values().for_each(|value| texts(value, found)),
        _ => {}
    }
}

/// Reads and writes an object: what is accepted is written back as it was.
fn objects<T, E: Debug>(
    name: &'static str,
    decode: impl Fn(&[u8]) -> Result<T, E>,
    encode: impl Fn(&T) -> Vec<u8>,
) {
    let all = vectors();
    let accepted = all.iter().filter(|bytes| decode(bytes).is_ok()).count();
    assert!(accepted > 0, "the control: no vector of {name} is accepted");
    // Most of what the others begin with is refused at the first byte.
    let near = all
        .iter()
        .filter(|bytes| decode(bytes).is_ok() || bytes.len() < 256);
    Target::new(name, AGAIN).seeds(near).run(|bytes| {
        let object = decode(bytes)?;
        assert!(
            encode(&object) == bytes,
            "it is written in another way than it was read"
        );
        Ok::<_, E>(())
    });
}

#[test]
fn hostile_slots_break_nothing() {
    let handshake = |slot: &SealedSlot| slot.handshake.as_bytes().to_vec();
    let all = vectors();
    assert!(
        all.iter().any(|bytes| SealedSlot::decode(bytes).is_ok()),
        "the control"
    );
    Target::new("slots", AGAIN).seeds(all).run(|bytes| {
        let slot = SealedSlot::decode(bytes)?;
        let read = Handshake::decode(&handshake(&slot))?;
        assert!(read.as_bytes() == slot.handshake.as_bytes());
        Ok::<_, protocol::codec::DecodeError>(slot.counter)
    });
}

#[test]
fn hostile_submissions_break_nothing() {
    let all = vectors();
    assert!(
        all.iter().any(|bytes| Submission::decode(bytes).is_ok()),
        "the control"
    );
    Target::new("submissions", AGAIN).seeds(all).run(|bytes| {
        let whole = Submission::decode(bytes);
        let prefix = SubmissionHeader::parse_prefix(bytes);
        if let Ok(submission) = &whole {
            let (header, begins) = prefix.clone().unwrap().unwrap();
            assert!(header.body_len == bytes.len() - begins);
            assert!(submission.encode() == bytes);
        }
        (whole.map(drop), prefix.map(|header| header.is_some()))
    });
}

#[test]
fn hostile_sets_of_slots_break_nothing() {
    objects("sets of slots", SlotSet::decode, SlotSet::encode);
}

#[test]
fn hostile_parcels_break_nothing() {
    objects(
        "parcels",
        |bytes| ParcelRef::decode(bytes).map(|_| bytes.to_vec()),
        Clone::clone,
    );
}

#[test]
fn hostile_batches_and_prekeys_break_nothing() {
    let all = vectors();
    assert!(
        all.iter().any(|bytes| SignedBatch::decode(bytes).is_ok()),
        "the control"
    );
    Target::new("batches and prekeys", AGAIN)
        .seeds(all)
        .run(|bytes| {
            let batch = SignedBatch::decode(bytes);
            let claimed = ClaimedPrekey::decode(bytes);
            let head = BatchHead::decode(bytes);
            let leaf = PrekeyLeaf::decode(bytes);
            let written = [
                batch.as_ref().ok().map(SignedBatch::encode),
                claimed.as_ref().ok().map(ClaimedPrekey::encode),
                head.as_ref().ok().map(BatchHead::encode),
                leaf.as_ref().ok().map(PrekeyLeaf::encode),
            ];
            assert!(written.iter().flatten().all(|written| written == bytes));
            (
                batch.map(drop),
                claimed.map(drop),
                head.map(drop),
                leaf.map(drop),
            )
        });
}

#[test]
fn hostile_bundles_keys_and_boots_break_nothing() {
    let all = vectors();
    assert!(
        all.iter().any(|bytes| SessionBundle::decode(bytes).is_ok()),
        "the control"
    );
    Target::new("bundles, account keys and boots", AGAIN)
        .seeds(all)
        .run(|bytes| {
            let bundle = SessionBundle::decode(bytes);
            let keys = AccountKeys::decode(bytes);
            let boot = SignedBoot::decode(bytes);
            let written = [
                bundle.as_ref().ok().map(SessionBundle::encode),
                keys.as_ref().ok().map(AccountKeys::encode),
                boot.as_ref().ok().map(SignedBoot::encode),
            ];
            assert!(written.iter().flatten().all(|written| written == bytes));
            (bundle.map(drop), keys.map(drop), boot.map(drop))
        });
}
