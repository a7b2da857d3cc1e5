//! Whatever bytes arrive, every reader gives an error or one object, never a panic.

use proptest::prelude::*;
use protocol::boot::SignedBoot;
use protocol::envelope::{
    ContentKey, Parcel, SealedSlot, SlotSet, Submission, SubmissionHeader, open_body, open_chunk,
};
use protocol::epoch::Handshake;
use protocol::identity::AccountKeys;
use protocol::ids::{AttachmentId, UserId};
use protocol::opaque::{ExportKey, register_record};
use protocol::prekeys::{BatchHead, ClaimedPrekey, PrekeyLeaf, SessionBundle, SignedBatch};
use protocol::recovery_key::RecoveryKey;
use protocol::safe::{
    ResumeHalf, SafeKey, UnsentFront, open_prekey_safe, open_safe, open_unsent, passphrase_unwrap,
    recovery_unwrap, resume_unwrap,
};
use protocol::vectors::produce;
use std::sync::LazyLock;

/// One valid encoding of every object, from the protocol's own vectors.
static OBJECTS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let file: serde_json::Value = serde_json::from_str(&produce(3).unwrap()).unwrap();
    let mut objects = Vec::new();
    for vector in file["vectors"].as_array().unwrap() {
        for field in ["bytes", "parcel", "sealed", "wrapped"] {
            let text = vector.get(field).and_then(|value| value.as_str());
            objects.extend(text.and_then(|text| hex::decode(text).ok()));
        }
    }
    let parcels: Vec<Parcel> = objects
        .iter()
        .filter_map(|bytes| Parcel::decode(bytes).ok())
        .collect();
    for parcel in parcels {
        objects.push(parcel.slot[3..3 + Handshake::LEN].to_vec());
        objects.push(parcel.slot);
        objects.push(parcel.body);
    }
    objects
});

/// Reads bytes as everything; says how many readers took them.
fn read_as_everything(bytes: &[u8]) -> usize {
    let user = UserId::from_bytes([0; 16]);
    let key = SafeKey::from_bytes(&[0; 32]);
    let content_key = ContentKey::from_bytes(&[0; 32]);
    [
        AccountKeys::decode(bytes).is_ok(),
        SignedBatch::decode(bytes).is_ok(),
        ClaimedPrekey::decode(bytes).is_ok(),
        SessionBundle::decode(bytes).is_ok(),
        PrekeyLeaf::decode(bytes).is_ok(),
        BatchHead::decode(bytes).is_ok(),
        Handshake::decode(bytes).is_ok(),
        SealedSlot::decode(bytes).is_ok(),
        Submission::decode(bytes).is_ok(),
        SlotSet::decode(bytes).is_ok(),
        Parcel::decode(bytes).is_ok(),
        SignedBoot::decode(bytes).is_ok(),
        open_body(&content_key, bytes).is_ok(),
        open_chunk(
            &content_key,
            &AttachmentId::from_bytes([0; 16]),
            0,
            1,
            bytes,
        )
        .is_ok(),
        open_safe(&key, &user, 1, bytes).is_ok(),
        open_prekey_safe(&key, &user, 1, bytes).is_ok(),
        passphrase_unwrap(&ExportKey::from_bytes(&[0; 64]), &user, bytes).is_ok(),
        recovery_unwrap(&RecoveryKey::from_bytes(&[0; 20]), &user, bytes).is_ok(),
        resume_unwrap(&ResumeHalf::from_bytes(&[0; 32]), &user, bytes).is_ok(),
        UnsentFront::decode(bytes).is_ok(),
        open_unsent(&key, bytes).is_ok(),
    ]
    .into_iter()
    .filter(|taken| *taken)
    .count()
}

#[test]
fn no_object_is_read_as_another() {
    let mut taken = 0;
    for object in OBJECTS.iter() {
        let count = read_as_everything(object);
        assert!(count <= 1, "type byte {:#04x}", object[0]);
        taken += count;
    }
    assert!(taken >= 12, "the readers do take what they should: {taken}");
}

#[test]
fn every_truncation_of_every_object_is_refused() {
    for object in OBJECTS.iter() {
        // Every length near both ends, and some in between.
        let step = (object.len() / 97).max(1);
        for len in (0..object.len())
            .step_by(step)
            .chain(object.len().saturating_sub(40)..object.len())
        {
            assert_eq!(
                read_as_everything(&object[..len]),
                0,
                "type byte {:#04x}, {len} bytes",
                object[0]
            );
        }
    }
}

proptest! {
    #[test]
    fn any_bytes_are_refused_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..4096)) {
        read_as_everything(&bytes);
        let _ = register_record(&bytes);
        let _ = SubmissionHeader::parse_prefix(&bytes);
        let _ = protocol::vectors::run(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn any_bytes_behind_a_true_header_are_refused_without_a_panic(
        kind: u8, bytes in proptest::collection::vec(any::<u8>(), 0..2048)
    ) {
        let mut object = vec![kind, 1, 1];
        object.extend_from_slice(&bytes);
        read_as_everything(&object);
    }

    #[test]
    fn any_object_with_changed_bytes_is_read_without_a_panic(
        which in any::<proptest::sample::Index>(),
        changes in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..6)
    ) {
        let mut object = OBJECTS[which.index(OBJECTS.len())].clone();
        for (at, byte) in changes {
            let at = at.index(object.len());
            object[at] = byte;
        }
        read_as_everything(&object);
    }
}
