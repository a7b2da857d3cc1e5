use std::collections::BTreeSet;

use proptest::prelude::*;
use protocol::prekeys::{
    BATCH_LEAVES, ClaimedPrekey, LEAF_LIFE_SECS, ONE_TIME_PER_BATCH, PrekeyError, SessionBundle,
    SignedBatch, assemble_claimed, generate_batch, path, root,
};

use crate::support::{ALICE, BOB, NOW, SeededRng};

#[test]
fn a_full_batch_survives_its_encoding_and_verifies() {
    let rng = &mut SeededRng::new(1);
    let taken = BTreeSet::from([1, 2, 3]);
    let batch = generate_batch(
        rng,
        &BOB.secrets,
        BOB.user_id,
        5,
        ONE_TIME_PER_BATCH,
        NOW,
        &taken,
    );
    assert_eq!(batch.secrets.len(), BATCH_LEAVES);
    assert!(batch.secrets.iter().all(|(id, ..)| !taken.contains(id)));
    let decoded = SignedBatch::decode(&batch.signed.encode()).unwrap();
    assert_eq!(decoded, batch.signed);
    assert_eq!(decoded.verify(&BOB.keys, &BOB.user_id, NOW, 5), Ok(()));
    for ((id, kind, pair), leaf) in batch.secrets.iter().zip(&decoded.leaves) {
        assert_eq!((leaf.prekey_id, leaf.kind), (*id, *kind));
        assert_eq!(leaf.public, pair.public());
    }
}

#[test]
fn a_batch_is_refused_for_each_reason_by_its_own_error() {
    let (_, batch) = BOB.prekeys(2, 7, NOW);
    let verify = |batch: &SignedBatch, now, seen| batch.verify(&BOB.keys, &BOB.user_id, now, seen);
    assert_eq!(verify(&batch, NOW, 7), Ok(()));
    assert_eq!(
        verify(&batch, NOW, 8),
        Err(PrekeyError::StaleBatch { seen: 8, got: 7 })
    );
    assert_eq!(
        verify(&batch, NOW + LEAF_LIFE_SECS, 0),
        Err(PrekeyError::Expired)
    );
    assert_eq!(
        verify(&batch, NOW - 3_601, 0),
        Err(PrekeyError::FromTheFuture)
    );
    assert_eq!(
        batch.verify(&BOB.keys, &ALICE.user_id, NOW, 0),
        Err(PrekeyError::WrongUser)
    );
    assert_eq!(
        batch.verify(&ALICE.keys, &BOB.user_id, NOW, 0),
        Err(PrekeyError::WrongIdentity)
    );

    let mut fewer = batch.clone();
    fewer.leaves.remove(0);
    assert_eq!(verify(&fewer, NOW, 0), Err(PrekeyError::BadShape));
    let mut reordered = batch.clone();
    reordered.leaves.swap(0, 1);
    assert_eq!(verify(&reordered, NOW, 0), Err(PrekeyError::BadShape));
    let mut doubled = batch.clone();
    doubled.leaves[1].prekey_id = doubled.leaves[0].prekey_id;
    assert_eq!(verify(&doubled, NOW, 0), Err(PrekeyError::BadShape));
    let mut swapped = batch.clone();
    swapped.leaves[0].public = swapped.leaves[1].public.clone();
    assert_eq!(verify(&swapped, NOW, 0), Err(PrekeyError::NotInBatch));
    let mut renumbered = batch.clone();
    renumbered.head.batch_number = 9;
    assert_eq!(verify(&renumbered, NOW, 0), Err(PrekeyError::BadSignature));
}

#[test]
fn a_claimed_prekey_is_bound_to_its_batch() {
    let (_, batch) = BOB.prekeys(3, 7, NOW);
    let id = batch.leaves[2].prekey_id;
    let claimed = batch.claimed(Some(id)).unwrap();
    let verify =
        |claimed: &ClaimedPrekey| claimed.verify(&BOB.keys, &BOB.user_id, NOW, 7).map(|_| ());
    let decoded = ClaimedPrekey::decode(&claimed.encode()).unwrap();
    assert_eq!(decoded, claimed);
    assert_eq!(verify(&decoded), Ok(()));

    let (_, other) = BOB.prekeys(4, 7, NOW);
    let mut foreign = claimed.clone();
    foreign.one_time = other
        .claimed(Some(other.leaves[2].prekey_id))
        .unwrap()
        .one_time;
    assert_eq!(verify(&foreign), Err(PrekeyError::NotInBatch));

    let mut moved = claimed.clone();
    moved.one_time.as_mut().unwrap().0.index = 1;
    assert_eq!(verify(&moved), Err(PrekeyError::NotInBatch));

    let mut exchanged = claimed.clone();
    let (leaf, path) = exchanged.one_time.clone().unwrap();
    (exchanged.last_resort, exchanged.last_resort_path) = (leaf, path);
    assert_eq!(verify(&exchanged), Err(PrekeyError::WrongKind));

    // Without the one-time leaf it is a valid last-resort claim: senders cannot tell.
    let mut withheld = claimed;
    withheld.one_time = None;
    assert_eq!(verify(&withheld), Ok(()));
    assert!(batch.claimed(Some(batch.leaves[4].prekey_id)).is_none());
}

#[test]
fn a_server_assembles_the_same_claim_from_stored_parts() {
    let (_, batch) = BOB.prekeys(5, 1, NOW);
    let leaves: Vec<Vec<u8>> = batch.leaves.iter().map(|leaf| leaf.encode()).collect();
    let hashes = batch.leaf_hashes();
    for one_time in [None, Some(1)] {
        let assembled = assemble_claimed(
            &batch.head.encode(),
            &hashes,
            (4, &leaves[4]),
            one_time.map(|index: usize| (index, leaves[index].as_slice())),
        )
        .unwrap();
        let id = one_time.map(|index| batch.leaves[index].prekey_id);
        assert_eq!(assembled, batch.claimed(id).unwrap().encode());
    }
}

#[test]
fn a_session_bundle_serves_one_session_in_its_bucket_and_the_neighbours() {
    let (secrets, bundle) = BOB.session(6, NOW);
    assert_eq!(bundle.key_id, secrets.key_id());
    let decoded = SessionBundle::decode(&bundle.encode()).unwrap();
    assert_eq!(decoded, bundle);
    let verify = |now| {
        decoded
            .verify(&BOB.keys, &BOB.user_id, &BOB.live_id, now)
            .map(|_| ())
    };
    assert_eq!(verify(NOW), Ok(()));
    assert_eq!(verify(NOW + 300), Ok(()));
    assert_eq!(verify(NOW + 600), Err(PrekeyError::StaleBundle));
    assert_eq!(verify(NOW - 300), Ok(()));
    assert_eq!(verify(NOW - 301), Err(PrekeyError::FromTheFuture));
    assert_eq!(
        bundle
            .verify(&BOB.keys, &BOB.user_id, &ALICE.live_id, NOW)
            .map(|_| ()),
        Err(PrekeyError::WrongSession)
    );
    assert_eq!(
        bundle
            .verify(&BOB.keys, &ALICE.user_id, &BOB.live_id, NOW)
            .map(|_| ()),
        Err(PrekeyError::WrongUser)
    );
    assert_eq!(
        bundle
            .verify(&ALICE.keys, &BOB.user_id, &BOB.live_id, NOW)
            .map(|_| ()),
        Err(PrekeyError::WrongIdentity)
    );
    let mut changed = bundle;
    changed.bucket += 1;
    assert_eq!(
        changed
            .verify(&BOB.keys, &BOB.user_id, &BOB.live_id, NOW)
            .map(|_| ()),
        Err(PrekeyError::BadSignature)
    );
}

proptest! {
    #[test]
    fn every_leaf_of_every_tree_leads_to_the_root_from_its_own_place_only(
        count in 1_usize..130, at in 0_usize..130, wrong in 0_u32..130
    ) {
        let at = at % count;
        let leaves: Vec<[u8; 32]> = (0..count)
            .map(|index| [u8::try_from(index).unwrap(); 32])
            .collect();
        let top = root(&leaves);
        let way = path(&leaves, at).unwrap();
        let total = u32::try_from(count).unwrap();
        let place = u32::try_from(at).unwrap();
        prop_assert_eq!(way.root(leaves[at], place, total), Some(top));
        if wrong != place {
            prop_assert_ne!(way.root(leaves[at], wrong, total), Some(top));
        }
        prop_assert_ne!(way.root([0xee; 32], place, total), Some(top));
        prop_assert!(path(&leaves, count).is_none());
    }
}
