//! Shape of a batch: its ids, its size, and what its paths may be.

use std::collections::BTreeSet;

use protocol::DecodeError;
use protocol::codec::Writer;
use protocol::labels;
use protocol::prekeys::{
    ClaimedPrekey, LEAF_LIFE_SECS, LeafKind, ONE_TIME_AT_REGISTRATION, PrekeyBatch, PrekeyError,
    SignedBatch, generate_batch,
};
use protocol::suite::ObjectType;
use rand_core::CryptoRng;
use std::sync::LazyLock;

use crate::crafted::Ids;
use crate::support::{BOB, NOW, SeededRng};

fn batch(rng: &mut impl CryptoRng, one_time: usize, taken: &BTreeSet<u32>) -> PrekeyBatch {
    generate_batch(rng, &BOB.secrets, BOB.user_id, 1, one_time, NOW, taken)
}

/// The largest batch that there is, of 129 leaves.
static LARGEST: LazyLock<SignedBatch> =
    LazyLock::new(|| batch(&mut SeededRng::new(60), 1_000, &BTreeSet::new()).signed);

#[test]
fn the_largest_batch_has_128_one_time_prekeys_and_is_read_and_verified() {
    assert_eq!(LARGEST.leaves.len(), 129);
    let read = SignedBatch::decode(&LARGEST.encode()).unwrap();
    assert_eq!(read, *LARGEST);
    assert_eq!(read.verify(&BOB.keys, &BOB.user_id, NOW, 0), Ok(()));
    let mut more = LARGEST.clone();
    more.leaves.push(more.leaves[0].clone());
    assert_eq!(
        SignedBatch::decode(&more.encode()),
        Err(DecodeError::TooLong)
    );
}

#[test]
fn every_pair_of_a_small_batch_is_proven_by_a_path_that_fits_its_place() {
    for one_time in 0..=ONE_TIME_AT_REGISTRATION {
        let made = batch(&mut SeededRng::new(62), one_time, &BTreeSet::new());
        let signed = SignedBatch::decode(&made.signed.encode()).unwrap();
        assert_eq!(signed.leaves.len(), one_time + 1);
        assert_eq!(signed.verify(&BOB.keys, &BOB.user_id, NOW, 0), Ok(()));
        let ids = signed.leaves[..one_time].iter().map(|leaf| leaf.prekey_id);
        for id in ids.map(Some).chain([None]) {
            let bytes = signed.claimed(id).unwrap().encode();
            let claimed = ClaimedPrekey::decode(&bytes).unwrap();
            assert_eq!(claimed.one_time.is_some(), id.is_some());
            let verify = |claimed: &ClaimedPrekey| {
                claimed.verify(&BOB.keys, &BOB.user_id, NOW, 0).map(|_| ())
            };
            assert_eq!(verify(&claimed), Ok(()), "{one_time}");
            let mut larger = claimed;
            larger.head.leaf_count += 1;
            assert!(verify(&larger).is_err());
        }
    }
}

#[test]
fn a_path_has_up_to_eight_steps() {
    let claimed = LARGEST.claimed(Some(LARGEST.leaves[0].prekey_id)).unwrap();
    let bytes = claimed.encode();
    assert_eq!(ClaimedPrekey::decode(&bytes).as_ref(), Ok(&claimed));
    let verified = claimed.verify(&BOB.keys, &BOB.user_id, NOW, 0);
    assert!(verified.is_ok());
    // The one-time leaf's path is the last field: its depth and eight hashes.
    let depth = bytes.len() - 8 * 32 - 1;
    assert_eq!(bytes[depth], 8);
    let mut deeper = bytes;
    deeper[depth] = 9;
    deeper.extend_from_slice(&[0; 32]);
    assert_eq!(ClaimedPrekey::decode(&deeper), Err(DecodeError::TooLong));
}

#[test]
fn a_prekey_id_is_never_zero_never_taken_and_never_twice_in_a_batch() {
    // What the generator gives, one after the other.
    let rng = &mut Ids::new([0, 7, 8, 8, 0, 9, 10], 61);
    let made = batch(rng, 1, &BTreeSet::from([7, 9]));
    let ids: Vec<_> = made.secrets.iter().map(|(id, ..)| *id).collect();
    assert_eq!(ids, [8, 10]);
    let published: Vec<_> = made
        .signed
        .leaves
        .iter()
        .map(|leaf| leaf.prekey_id)
        .collect();
    assert_eq!(published, ids);
    let kinds: Vec<_> = made.secrets.iter().map(|(_, kind, _)| *kind).collect();
    assert_eq!(kinds, [LeafKind::OneTime, LeafKind::LastResort]);
}

#[test]
fn a_batch_that_lost_its_last_leaf_has_another_shape() {
    let (_, mut batch) = BOB.prekeys(62, 1, NOW);
    batch.leaves.pop();
    assert_eq!(
        batch.verify(&BOB.keys, &BOB.user_id, NOW, 0),
        Err(PrekeyError::BadShape)
    );
    batch.leaves.clear();
    assert_eq!(
        batch.verify(&BOB.keys, &BOB.user_id, NOW, 0),
        Err(PrekeyError::BadShape)
    );
}

#[test]
fn a_signed_batch_of_nothing_is_refused() {
    let mut head = Writer::object(ObjectType::BatchHead, 0);
    head.raw(BOB.keys.fingerprint().as_bytes())
        .raw(BOB.user_id.as_bytes())
        .u32(1)
        .u32(0)
        .u64(NOW)
        .u64(NOW + LEAF_LIFE_SECS)
        .raw(&protocol::prekeys::root(&[]));
    let head = head.into_bytes();
    let rng = &mut SeededRng::new(63);
    let signature = BOB.secrets.signing.sign(rng, labels::PREKEY_BATCH, &head);
    let mut bytes = Writer::object(ObjectType::PrekeyBatch, 0);
    bytes.raw(&head);
    signature.write(&mut bytes);
    bytes.len16(0);
    let batch = SignedBatch::decode(&bytes.into_bytes()).unwrap();
    assert_eq!(batch.head.verify(&BOB.keys, &BOB.user_id, NOW, 0), Ok(()));
    assert_eq!(
        batch.verify(&BOB.keys, &BOB.user_id, NOW, 0),
        Err(PrekeyError::BadShape)
    );
}

#[test]
fn clocks_may_differ_by_an_hour_and_no_second_more() {
    let (_, batch) = BOB.prekeys(64, 1, NOW);
    let at = |now| batch.verify(&BOB.keys, &BOB.user_id, now, 0);
    assert_eq!(at(NOW - 3_600), Ok(()));
    assert_eq!(at(NOW - 3_601), Err(PrekeyError::FromTheFuture));
    assert_eq!(at(NOW + LEAF_LIFE_SECS - 1), Ok(()));
    assert_eq!(at(NOW + LEAF_LIFE_SECS), Err(PrekeyError::Expired));
}
