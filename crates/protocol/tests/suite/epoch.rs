use proptest::prelude::*;
use protocol::envelope::{EnvelopeError, SealedSlot};
use protocol::epoch::{
    EpochError, EpochPath, Handshake, MAX_MESSAGES, PendingEpoch, ReplayError, ReplayMap,
    SenderEpoch, WAITING_EPOCH_SECS, bucket_of,
};

use crate::support::{ALICE, BOB, MALLORY, NOW, Person, SeededRng, Sent, open, text_of};

fn live_epoch(now: u64) -> (SenderEpoch, protocol::prekeys::SessionSecrets) {
    let (session, bundle) = BOB.session(10, now);
    let target = BOB.live_target(&bundle, now);
    let rng = &mut SeededRng::new(11);
    let epoch = SenderEpoch::start(rng, now, &ALICE.party(), &target).unwrap();
    (epoch, session)
}

#[test]
fn a_live_message_opens_with_the_session_pair_and_proves_its_sender() {
    let (mut epoch, session) = live_epoch(NOW);
    for text in ["first", "second", "third"] {
        let sent = Sent::new(&mut epoch, &ALICE, &BOB, text);
        assert_eq!(sent.slot.prekey_id, None);
        let slot = SealedSlot::decode(&sent.slot.bytes).unwrap();
        let pairs = session.pairs_for(&slot.handshake).unwrap();
        let pending = PendingEpoch::begin(&slot.handshake, pairs, NOW).unwrap();
        assert_eq!(pending.claim().user_id, ALICE.user_id);
        assert_eq!(pending.claim().fingerprint, *ALICE.keys.fingerprint());
        let (opened, _, content, body) =
            open(&sent.parcel(), &BOB, pairs, &ALICE.keys, NOW).unwrap();
        assert_eq!(opened.epoch_id(), epoch.epoch_id());
        assert_eq!(opened.sender().user_id, ALICE.user_id);
        assert_eq!(content.session, ALICE.live_id);
        assert_eq!(text_of(&body), text);
    }
}

#[test]
fn a_waiting_message_opens_in_any_browser_that_has_the_prekey_safe() {
    let (safe, batch) = BOB.prekeys(12, 1, NOW);
    let rng = &mut SeededRng::new(13);
    for (one_time, path) in [(Some(1), EpochPath::OneTime), (None, EpochPath::LastResort)] {
        let target = BOB.waiting_target(&batch, one_time, NOW);
        let mut epoch = SenderEpoch::start(rng, NOW, &ALICE.party(), &target).unwrap();
        assert_eq!(epoch.handshake().path(), path);
        let sent = Sent::new(&mut epoch, &ALICE, &BOB, "for later");
        let index = one_time.unwrap_or(4);
        assert_eq!(sent.slot.prekey_id, Some(batch.leaves[index].prekey_id));
        let slot = SealedSlot::decode(&sent.slot.bytes).unwrap();
        let pairs = safe.pairs_for(&slot.handshake).unwrap();
        let (.., body) = open(&sent.parcel(), &BOB, pairs, &ALICE.keys, NOW + 86_400).unwrap();
        assert_eq!(text_of(&body), "for later");
    }
}

#[test]
fn keys_of_an_unknown_or_destroyed_id_are_told_apart() {
    let (mut safe, batch) = BOB.prekeys(14, 1, NOW);
    let rng = &mut SeededRng::new(15);
    let target = BOB.waiting_target(&batch, Some(0), NOW);
    let epoch = SenderEpoch::start(rng, NOW, &ALICE.party(), &target).unwrap();
    let (other, _) = BOB.prekeys(16, 1, NOW);
    assert_eq!(
        other.pairs_for(epoch.handshake()).unwrap_err(),
        EpochError::UnknownKey
    );
    safe.destroy(&[batch.leaves[0].prekey_id], NOW);
    assert_eq!(
        safe.pairs_for(epoch.handshake()).unwrap_err(),
        EpochError::DestroyedKey
    );
    let (live, session) = live_epoch(NOW);
    assert_eq!(
        safe.pairs_for(live.handshake()).unwrap_err(),
        EpochError::UnknownKey
    );
    assert_eq!(
        session.pairs_for(epoch.handshake()).unwrap_err(),
        EpochError::UnknownKey
    );
}

#[test]
fn another_persons_keys_for_the_claimed_sender_are_swapped_keys() {
    let (mut epoch, session) = live_epoch(NOW);
    let sent = Sent::new(&mut epoch, &ALICE, &BOB, "x");
    let slot = SealedSlot::decode(&sent.slot.bytes).unwrap();
    let pairs = session.pairs_for(&slot.handshake).unwrap();
    assert_eq!(
        open(&sent.parcel(), &BOB, pairs, &MALLORY.keys, NOW)
            .map(|_| ())
            .unwrap_err(),
        EnvelopeError::Epoch(EpochError::SwappedKey)
    );
}

#[test]
fn an_impostor_who_claims_a_sender_without_its_identity_key_proves_nothing() {
    // Mallory runs the handshake with Alice's name and public keys but her own secrets.
    let (session, bundle) = BOB.session(17, NOW);
    let target = BOB.live_target(&bundle, NOW);
    let rng = &mut SeededRng::new(18);
    let forged = protocol::epoch::LocalParty {
        user_id: ALICE.user_id,
        secrets: &MALLORY.secrets,
        keys: &ALICE.keys,
    };
    let mut epoch = SenderEpoch::start(rng, NOW, &forged, &target).unwrap();
    let sent = Sent::new(&mut epoch, &ALICE, &BOB, "trust me");
    let slot = SealedSlot::decode(&sent.slot.bytes).unwrap();
    let pairs = session.pairs_for(&slot.handshake).unwrap();
    let pending = PendingEpoch::begin(&slot.handshake, pairs, NOW).unwrap();
    assert_eq!(
        pending.claim().user_id,
        ALICE.user_id,
        "the claim alone is free"
    );
    assert_eq!(
        open(&sent.parcel(), &BOB, pairs, &ALICE.keys, NOW)
            .map(|_| ())
            .unwrap_err(),
        EnvelopeError::MovedSlot
    );
}

#[test]
fn the_handshake_is_refused_when_any_part_of_it_is_changed() {
    let (mut epoch, session) = live_epoch(NOW);
    let sent = Sent::new(&mut epoch, &ALICE, &BOB, "x");
    // Bucket, key id, EK, CT and hint, one byte each.
    for at in [3 + 3 + 7, 3 + 15, 3 + 25, 3 + 60, 3 + 1_000, 3 + 1_630] {
        let mut parcel = sent.parcel();
        parcel.slot[at] ^= 1;
        let slot = SealedSlot::decode(&parcel.slot).unwrap();
        let pairs = match session.pairs_for(&slot.handshake) {
            Ok(pairs) => pairs,
            Err(error) => {
                assert_eq!((at, error), (3 + 15, EpochError::UnknownKey));
                continue;
            }
        };
        assert_eq!(
            open(&parcel, &BOB, pairs, &ALICE.keys, NOW)
                .map(|_| ())
                .unwrap_err(),
            EnvelopeError::Epoch(EpochError::BadHint),
            "byte {at}"
        );
    }
}

#[test]
fn a_handshake_of_another_suite_or_path_is_refused_by_its_own_error() {
    let (epoch, _) = live_epoch(NOW);
    let bytes = epoch.handshake().as_bytes();
    assert_eq!(bytes.len(), 1_716);
    assert_eq!(Handshake::decode(bytes).unwrap(), *epoch.handshake());
    let with = |at: usize, value: u8| {
        let mut changed = bytes.to_vec();
        changed[at] = value;
        Handshake::decode(&changed).unwrap_err()
    };
    use protocol::DecodeError::{InvalidKey, InvalidValue, UnknownSuite, UnknownVersion};
    assert_eq!(with(1, 9), UnknownVersion(9));
    assert_eq!(with(2, 9), UnknownSuite(9));
    assert_eq!(with(11, 0), InvalidValue("epoch path"));
    assert_eq!(with(11, 2), InvalidValue("one-time prekey id"));
    assert_eq!(with(19, 1), InvalidValue("one-time prekey id"));
    let mut zero_point = bytes.to_vec();
    zero_point[20..52].fill(0);
    assert_eq!(Handshake::decode(&zero_point).unwrap_err(), InvalidKey);
}

#[test]
fn buckets_too_far_ahead_or_too_old_are_refused() {
    let (mut epoch, session) = live_epoch(NOW);
    let sent = Sent::new(&mut epoch, &ALICE, &BOB, "x");
    let slot = SealedSlot::decode(&sent.slot.bytes).unwrap();
    let pairs = session.pairs_for(&slot.handshake).unwrap();
    let begin = |now| PendingEpoch::begin(&slot.handshake, pairs, now).map(|_| ());
    assert_eq!(begin(NOW), Ok(()));
    assert_eq!(begin(NOW - 12 * 300), Ok(()));
    assert_eq!(begin(NOW - 13 * 300), Err(EpochError::TooFarAhead));
    assert_eq!(begin(NOW + 8 * 86_400), Ok(()));
    assert_eq!(begin(NOW + 8 * 86_400 + 300), Err(EpochError::TooOld));
}

#[test]
fn an_epoch_ends_after_fifty_messages() {
    let (mut epoch, _) = live_epoch(NOW);
    for _ in 0..MAX_MESSAGES {
        Sent::new(&mut epoch, &ALICE, &BOB, "x");
    }
    assert!(!epoch.is_open(NOW));
    let body = protocol::envelope::BodyHash([0; 32]);
    let sealed = protocol::envelope::seal_body(
        &mut SeededRng::new(1),
        &protocol::envelope::Content::Sync,
        None,
    )
    .unwrap();
    let content = crate::support::content(&ALICE, &BOB, &sealed, 51);
    let id = protocol::ids::MessageId::from_bytes([0; 16]);
    assert_eq!(
        protocol::envelope::seal_slot(&mut epoch, NOW, &id, &body, &content).unwrap_err(),
        EnvelopeError::Epoch(EpochError::Over)
    );
}

#[test]
fn a_live_epoch_ends_with_its_bucket_and_a_waiting_one_when_it_is_acknowledged() {
    let (live, _) = live_epoch(NOW);
    assert!(live.is_open(NOW + 299));
    assert!(!live.is_open(NOW + 300));

    let (_, batch) = BOB.prekeys(19, 1, NOW);
    let target = BOB.waiting_target(&batch, Some(0), NOW);
    let rng = &mut SeededRng::new(20);
    let mut waiting = SenderEpoch::start(rng, NOW, &ALICE.party(), &target).unwrap();
    assert!(waiting.is_open(NOW + WAITING_EPOCH_SECS - 1));
    assert!(!waiting.is_open(NOW + WAITING_EPOCH_SECS));
    waiting.acknowledged();
    assert!(waiting.is_open(NOW + 299), "until its bucket ends");
    assert!(!waiting.is_open(NOW + 300));
}

#[test]
fn a_live_epoch_is_not_started_with_a_bundle_of_long_ago() {
    let (_, bundle) = BOB.session(21, NOW);
    let target = BOB.live_target(&bundle, NOW);
    let rng = &mut SeededRng::new(22);
    let start = |rng: &mut SeededRng, now| {
        SenderEpoch::start(rng, now, &ALICE.party(), &target).map(|_| ())
    };
    assert_eq!(start(rng, NOW + 599), Ok(()));
    assert_eq!(start(rng, NOW + 600), Err(EpochError::Over));
}

#[test]
fn two_epochs_with_the_same_pair_share_nothing() {
    let (_, bundle) = BOB.session(23, NOW);
    let target = BOB.live_target(&bundle, NOW);
    let rng = &mut SeededRng::new(24);
    let one = SenderEpoch::start(rng, NOW, &ALICE.party(), &target).unwrap();
    let two = SenderEpoch::start(rng, NOW, &ALICE.party(), &target).unwrap();
    assert_ne!(one.epoch_id(), two.epoch_id());
    assert_ne!(
        one.handshake().as_bytes()[20..],
        two.handshake().as_bytes()[20..]
    );
}

#[test]
fn one_can_write_to_ones_own_other_session() {
    let other = Person {
        live_id: MALLORY.live_id,
        user_id: ALICE.user_id,
        secrets: ALICE.secrets.duplicate(),
        keys: ALICE.keys.clone(),
    };
    let (session, bundle) = other.session(25, NOW);
    let target = other.live_target(&bundle, NOW);
    let rng = &mut SeededRng::new(26);
    let mut epoch = SenderEpoch::start(rng, NOW, &ALICE.party(), &target).unwrap();
    let sent = Sent::new(&mut epoch, &ALICE, &BOB, "a copy");
    let slot = SealedSlot::decode(&sent.slot.bytes).unwrap();
    let pairs = session.pairs_for(&slot.handshake).unwrap();
    let (.., content, body) = open(&sent.parcel(), &other, pairs, &ALICE.keys, NOW).unwrap();
    assert_eq!(text_of(&body), "a copy");
    assert_eq!(
        content.conversation.peer(&ALICE.user_id, &content.sender),
        Ok(Some(BOB.user_id))
    );
}

#[test]
fn a_replayed_message_is_told_from_a_fresh_one() {
    let (mut epoch, session) = live_epoch(NOW);
    let mut map = ReplayMap::default();
    let mut opened = Vec::new();
    for text in ["one", "two"] {
        let sent = Sent::new(&mut epoch, &ALICE, &BOB, text);
        let slot = SealedSlot::decode(&sent.slot.bytes).unwrap();
        let pairs = session.pairs_for(&slot.handshake).unwrap();
        let (receiver, counter, ..) = open(&sent.parcel(), &BOB, pairs, &ALICE.keys, NOW).unwrap();
        opened.push((receiver, counter));
    }
    let (receiver, first) = &opened[0];
    assert_eq!(map.check(receiver, *first), Ok(()));
    assert_eq!(map.mark(receiver, *first), Ok(()));
    assert_eq!(map.mark(receiver, *first), Err(ReplayError::Replayed));
    assert_eq!(map.check(receiver, 50), Err(ReplayError::CounterTooHigh));
    let (receiver, second) = &opened[1];
    assert_eq!(map.mark(receiver, *second), Ok(()));
    assert_eq!(map.len(), 1, "one epoch, one entry");
    map.retain(|key| key.id != session.key_id());
    assert!(map.is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whatever order a hostile network delivers in, every message opens exactly once.
    #[test]
    fn any_order_of_delivery_opens_every_message_once(order in proptest::collection::vec(0_usize..8, 1..24)) {
        let (mut epoch, session) = live_epoch(NOW);
        let sent: Vec<Sent> = (0..8)
            .map(|number| Sent::new(&mut epoch, &ALICE, &BOB, &format!("message {number}")))
            .collect();
        let mut map = ReplayMap::default();
        let mut seen = [false; 8];
        for index in order {
            let slot = SealedSlot::decode(&sent[index].slot.bytes).unwrap();
            let pairs = session.pairs_for(&slot.handshake).unwrap();
            let (receiver, counter, _, body) =
                open(&sent[index].parcel(), &BOB, pairs, &ALICE.keys, NOW).unwrap();
            prop_assert_eq!(text_of(&body), format!("message {index}"));
            let expected = if seen[index] { Err(ReplayError::Replayed) } else { Ok(()) };
            prop_assert_eq!(map.mark(&receiver, counter), expected);
            seen[index] = true;
        }
    }

    #[test]
    fn an_epoch_is_open_exactly_while_its_rules_say_so(
        sent in 0_u8..=50, acknowledged: bool, live: bool, later in 0_u64..200_000
    ) {
        let mut epoch = if live {
            live_epoch(NOW).0
        } else {
            let (_, batch) = BOB.prekeys(27, 1, NOW);
            let target = BOB.waiting_target(&batch, None, NOW);
            SenderEpoch::start(&mut SeededRng::new(28), NOW, &ALICE.party(), &target).unwrap()
        };
        for _ in 0..sent {
            Sent::new(&mut epoch, &ALICE, &BOB, "x");
        }
        if acknowledged {
            epoch.acknowledged();
        }
        let now = NOW + later;
        let in_bucket = bucket_of(now) == bucket_of(NOW);
        let waits = !live && !acknowledged && later < 86_400;
        prop_assert_eq!(epoch.is_open(now), sent < 50 && (in_bucket || waits));
    }
}
