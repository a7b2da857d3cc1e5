use proptest::prelude::*;
use protocol::DecodeError;
use protocol::envelope::{
    BodyHash, Content, ContentKey, ContentKind, Conversation, EnvelopeError, GroupContext,
    InviteCode, MIN_PADDED, Parcel, ParcelRef, Receipt, ReceiptState, ResealError, SealedSlot,
    SecretText, SentRecord, Slot, SlotSet, Submission, SubmissionHeader, Target, members_hash,
    open_body, open_chunk, open_slot, padded_len, seal_body, seal_chunk, seal_slot,
};
use protocol::epoch::{PendingEpoch, SenderEpoch};
use protocol::ids::{AttachmentId, GroupId, LiveId, MessageId, UserId};

use crate::support::{ALICE, BOB, MALLORY, NOW, SeededRng, Sent, content, open, text_of};

fn every_kind() -> Vec<Content> {
    let id = MessageId::from_bytes([3; 16]);
    vec![
        Content::text(""),
        Content::Text {
            text: "an answer".into(),
            reply_to: Some(id),
        },
        Content::Receipt(vec![
            Receipt {
                message_id: id,
                state: ReceiptState::Delivered,
            },
            Receipt {
                message_id: id,
                state: ReceiptState::Burned,
            },
        ]),
        Content::Typing { active: true },
        Content::Request {
            handle: "alice".into(),
            alias: "Alice".into(),
            greeting: "hello".into(),
            invite: None,
        },
        Content::Request {
            handle: "carol".into(),
            alias: "Carol".into(),
            greeting: "".into(),
            invite: Some(InviteCode([7; 16])),
        },
        Content::Accept {
            handle: "bob".into(),
            alias: "Bob".into(),
        },
        Content::Edit {
            message_id: id,
            text: "better".into(),
        },
        Content::Delete { message_id: id },
        Content::Profile { alias: "B.".into() },
        Content::Sync,
    ]
}

#[test]
fn every_kind_of_content_survives_sealing() {
    let rng = &mut SeededRng::new(1);
    for content in every_kind() {
        let sealed = seal_body(rng, &content, None).unwrap();
        assert_eq!(sealed.hash, BodyHash::of(&sealed.bytes));
        let opened = open_body(&sealed.key, &sealed.bytes).unwrap();
        assert_eq!(opened.content, content);
        assert_eq!(opened.group, None);
    }
}

#[test]
fn a_group_body_names_group_membership_and_members() {
    let rng = &mut SeededRng::new(2);
    let (a, b) = (*ALICE.keys.fingerprint(), *BOB.keys.fingerprint());
    assert_eq!(members_hash(&[a, b]), members_hash(&[b, a]));
    assert_ne!(members_hash(&[a, b]), members_hash(&[a]));
    let group = GroupContext {
        id: GroupId::from_bytes([4; 16]),
        membership_version: 9,
        members: members_hash(&[a, b]),
    };
    let sealed = seal_body(rng, &Content::text("all"), Some(&group)).unwrap();
    let opened = open_body(&sealed.key, &sealed.bytes).unwrap();
    assert_eq!(opened.group, Some(group));
}

#[test]
fn a_changed_body_another_key_and_a_wrong_commitment_are_refused_by_their_own_errors() {
    let rng = &mut SeededRng::new(3);
    let sealed = seal_body(rng, &Content::text("x"), None).unwrap();
    let mut changed = sealed.bytes.clone();
    *changed.last_mut().unwrap() ^= 1;
    assert_eq!(
        open_body(&sealed.key, &changed).unwrap_err(),
        EnvelopeError::BadBody
    );
    let other = ContentKey::from_bytes(&[1; 32]);
    assert_eq!(
        open_body(&other, &sealed.bytes).unwrap_err(),
        EnvelopeError::BadCommitment
    );
    let mut recommitted = sealed.bytes.clone();
    recommitted[5] ^= 1;
    assert_eq!(
        open_body(&sealed.key, &recommitted).unwrap_err(),
        EnvelopeError::BadCommitment
    );
    let mut suite = sealed.bytes;
    suite[2] = 7;
    assert_eq!(
        open_body(&sealed.key, &suite).unwrap_err(),
        EnvelopeError::Decode(DecodeError::UnknownSuite(7))
    );
}

#[test]
fn short_texts_of_any_length_look_alike() {
    let rng = &mut SeededRng::new(4);
    let mut lengths = std::collections::BTreeSet::new();
    for len in [0, 1, 100, 450] {
        let body = seal_body(rng, &Content::text("x".repeat(len)), None).unwrap();
        lengths.insert(body.bytes.len());
    }
    assert_eq!(lengths.len(), 1);
    assert!(lengths.first().unwrap() >= &MIN_PADDED);
}

#[test]
fn content_above_its_bound_is_not_sealed() {
    let rng = &mut SeededRng::new(5);
    let long = |len: usize| SecretText::new("x".repeat(len));
    for content in [
        Content::text(long((1 << 20) + 1)),
        Content::Profile { alias: long(257) },
        Content::Request {
            handle: long(1),
            alias: long(1),
            greeting: long(1_025),
            invite: None,
        },
    ] {
        assert_eq!(
            seal_body(rng, &content, None).unwrap_err(),
            EnvelopeError::TooLong
        );
    }
    let fits = Content::text(long(1 << 20));
    assert!(seal_body(rng, &fits, None).is_ok());
}

struct Live {
    epoch: SenderEpoch,
    session: protocol::prekeys::SessionSecrets,
}

fn live() -> Live {
    let (session, bundle) = BOB.session(30, NOW);
    let target = BOB.live_target(&bundle, NOW);
    let rng = &mut SeededRng::new(31);
    let epoch = SenderEpoch::start(rng, NOW, &ALICE.party(), &target).unwrap();
    Live { epoch, session }
}

impl Live {
    fn open(&self, parcel: &Parcel) -> Result<Content, EnvelopeError> {
        let slot = SealedSlot::decode(&parcel.slot)?;
        let pairs = self.session.pairs_for(&slot.handshake)?;
        open(parcel, &BOB, pairs, &ALICE.keys, NOW).map(|(.., content)| content)
    }
}

#[test]
fn a_slot_moved_to_another_message_target_body_or_counter_is_refused() {
    let mut live = live();
    let one = Sent::new(&mut live.epoch, &ALICE, &BOB, "one").parcel();
    let two = Sent::new(&mut live.epoch, &ALICE, &BOB, "two").parcel();
    assert_eq!(text_of(&live.open(&one).unwrap()), "one");

    let mut body = one.clone();
    body.body.clone_from(&two.body);
    assert_eq!(live.open(&body).unwrap_err(), EnvelopeError::MovedSlot);

    let mut message = one.clone();
    message.message_id = two.message_id;
    assert_eq!(live.open(&message).unwrap_err(), EnvelopeError::MovedSlot);

    let mut whole = one.clone();
    (whole.message_id, whole.body) = (two.message_id, two.body.clone());
    assert_eq!(live.open(&whole).unwrap_err(), EnvelopeError::MovedSlot);

    let mut target = one.clone();
    target.target = Target::Account {
        account: BOB.user_id,
    };
    assert_eq!(live.open(&target).unwrap_err(), EnvelopeError::MovedSlot);

    let mut counter = one.clone();
    counter.slot[3 + 1_716] = 1;
    assert_eq!(live.open(&counter).unwrap_err(), EnvelopeError::MovedSlot);
    counter.slot[3 + 1_716] = 50;
    assert_eq!(
        live.open(&counter).unwrap_err(),
        EnvelopeError::Epoch(protocol::epoch::EpochError::CounterTooHigh)
    );
}

#[test]
fn an_epoch_kept_from_an_earlier_message_opens_no_slot_with_another_handshake() {
    let mut live = live();
    let sent = Sent::new(&mut live.epoch, &ALICE, &BOB, "x");
    let slot = SealedSlot::decode(&sent.slot.bytes).unwrap();
    let pairs = live.session.pairs_for(&slot.handshake).unwrap();
    let kept = PendingEpoch::begin(&slot.handshake, pairs, NOW)
        .unwrap()
        .finish(&BOB.party(), &ALICE.keys)
        .unwrap();
    let opens = |bytes: &[u8]| {
        let slot = SealedSlot::decode(bytes).unwrap();
        let target = &sent.slot.target;
        open_slot(&kept, &slot, target, &sent.message_id, &sent.body.hash).map(|_| ())
    };
    assert_eq!(opens(&sent.slot.bytes), Ok(()));
    let mut other_hint = sent.slot.bytes.clone();
    other_hint[3 + 1_700] ^= 1;
    assert_eq!(opens(&other_hint), Err(EnvelopeError::MovedSlot));
}

#[test]
fn a_parcel_for_somebody_else_is_cross_delivered() {
    let mut live = live();
    let mut parcel = Sent::new(&mut live.epoch, &ALICE, &BOB, "x").parcel();
    parcel.target = Target::Live {
        account: BOB.user_id,
        live_id: MALLORY.live_id,
    };
    assert_eq!(live.open(&parcel).unwrap_err(), EnvelopeError::WrongTarget);
    parcel.target = Target::Account {
        account: MALLORY.user_id,
    };
    assert_eq!(live.open(&parcel).unwrap_err(), EnvelopeError::WrongTarget);
}

#[test]
fn a_slot_that_names_another_sender_than_its_keys_prove_is_refused() {
    let mut live = live();
    let rng = &mut SeededRng::new(32);
    let body = seal_body(rng, &Content::text("x"), None).unwrap();
    let lie = content(&MALLORY, &BOB, &body, 1);
    let id = MessageId::random(rng);
    let slot = seal_slot(&mut live.epoch, NOW, &id, &body.hash, &lie).unwrap();
    let sealed = SealedSlot::decode(&slot.bytes).unwrap();
    let pairs = live.session.pairs_for(&sealed.handshake).unwrap();
    let epoch = PendingEpoch::begin(&sealed.handshake, pairs, NOW)
        .unwrap()
        .finish(&BOB.party(), &ALICE.keys)
        .unwrap();
    assert_eq!(
        open_slot(&epoch, &sealed, &slot.target, &id, &body.hash).unwrap_err(),
        EnvelopeError::SenderMismatch
    );
}

#[test]
fn a_conversation_of_other_people_is_refused() {
    let to_bob = Conversation::Direct {
        recipient: BOB.user_id,
    };
    let peer = |me: &UserId, sender: &UserId| to_bob.peer(me, sender);
    assert_eq!(peer(&BOB.user_id, &ALICE.user_id), Ok(Some(ALICE.user_id)));
    assert_eq!(peer(&ALICE.user_id, &ALICE.user_id), Ok(Some(BOB.user_id)));
    assert_eq!(
        peer(&MALLORY.user_id, &ALICE.user_id),
        Err(EnvelopeError::WrongConversation)
    );
    let group = Conversation::Group {
        id: GroupId::from_bytes([0; 16]),
    };
    assert_eq!(group.peer(&BOB.user_id, &ALICE.user_id), Ok(None));
}

#[test]
fn every_slot_has_the_same_length() {
    let mut live = live();
    let rng = &mut SeededRng::new(33);
    let body = seal_body(rng, &Content::Sync, None).unwrap();
    let mut other = content(&ALICE, &BOB, &body, 1);
    other.kind = ContentKind::Sync;
    other.safe_mark = Some(protocol::safe::SafeMark::of(9, b"sealed"));
    let id = MessageId::random(rng);
    let marked = seal_slot(&mut live.epoch, NOW, &id, &body.hash, &other).unwrap();
    let plain = Sent::new(&mut live.epoch, &ALICE, &BOB, "x");
    assert_eq!(marked.bytes.len(), plain.slot.bytes.len());
    assert_eq!(marked.bytes.len(), SealedSlot::ENCODED_LEN);
}

#[test]
fn a_message_is_sealed_again_once_and_only_to_the_identity_first_sent_to() {
    let (_, bundle) = BOB.session(34, NOW);
    let same = BOB.live_target(&bundle, NOW);
    let (_, bundle) = MALLORY.session(35, NOW);
    let foreign = MALLORY.live_target(&bundle, NOW);
    // Bob's account with new keys.
    let renewed = crate::support::Person {
        user_id: BOB.user_id,
        live_id: BOB.live_id,
        secrets: MALLORY.secrets.duplicate(),
        keys: MALLORY.keys.clone(),
    };
    let (_, bundle) = renewed.session(36, NOW);
    let renewed = renewed.live_target(&bundle, NOW);
    let record = || {
        SentRecord::new(
            MessageId::from_bytes([1; 16]),
            BOB.user_id,
            *BOB.keys.fingerprint(),
        )
    };

    let mut sent = record();
    assert_eq!(sent.allow_reseal(&foreign), Err(ResealError::OtherAccount));
    assert_eq!(sent.allow_reseal(&renewed), Err(ResealError::OtherIdentity));
    assert_eq!(sent.allow_slot(&renewed), Err(ResealError::OtherIdentity));
    assert_eq!(sent.allow_reseal(&same), Ok(()));
    assert_eq!(sent.allow_reseal(&same), Err(ResealError::AlreadyResealed));

    let mut receipted = record();
    receipted.receipted();
    assert_eq!(
        receipted.allow_reseal(&same),
        Err(ResealError::AlreadyReceipted)
    );
}

#[test]
fn attachment_chunks_stay_at_their_place() {
    let key = ContentKey::from_bytes(&[5; 32]);
    let id = AttachmentId::from_bytes([6; 16]);
    let sealed = seal_chunk(&key, &id, 1, 3, b"chunk").unwrap();
    let opened = open_chunk(&key, &id, 1, 3, &sealed).unwrap();
    assert_eq!(opened.as_slice(), b"chunk");
    let other = AttachmentId::from_bytes([7; 16]);
    for (of, index, total) in [(id, 0, 3), (id, 1, 2), (id, 2, 3), (other, 1, 3)] {
        assert_eq!(
            open_chunk(&key, &of, index, total, &sealed).unwrap_err(),
            EnvelopeError::MovedSlot
        );
    }
    let mut relabelled = sealed.clone();
    relabelled[3 + 16 + 3] = 2;
    assert_eq!(
        open_chunk(&key, &id, 2, 3, &relabelled).unwrap_err(),
        EnvelopeError::BadBody
    );
    let mut renamed = sealed;
    renamed[3..19].copy_from_slice(other.as_bytes());
    assert_eq!(
        open_chunk(&key, &other, 1, 3, &renamed).unwrap_err(),
        EnvelopeError::BadBody
    );
    assert!(seal_chunk(&key, &id, 3, 3, b"").is_err());
}

#[test]
fn two_attachments_of_one_length_in_a_message_share_no_key_stream() {
    let key = ContentKey::from_bytes(&[5; 32]);
    let sealed = |id| seal_chunk(&key, &AttachmentId::from_bytes([id; 16]), 0, 1, &[0; 64]);
    // Of zeros the ciphertext is the key stream.
    let stream = |id| sealed(id).unwrap()[27..27 + 64].to_vec();
    assert_eq!(stream(1), stream(1));
    assert_ne!(stream(1), stream(2));
}

fn slots() -> impl Strategy<Value = Vec<Slot>> {
    let slot = (
        any::<bool>(),
        any::<[u8; 16]>(),
        any::<[u8; 16]>(),
        any::<Option<u32>>(),
        proptest::collection::vec(any::<u8>(), 0..64),
    )
        .prop_map(|(live, account, live_id, prekey_id, bytes)| {
            let account = UserId::from_bytes(account);
            Slot {
                target: if live {
                    Target::Live {
                        account,
                        live_id: LiveId::from_bytes(live_id),
                    }
                } else {
                    Target::Account { account }
                },
                prekey_id,
                bytes,
            }
        });
    proptest::collection::vec(slot, 1..5)
}

proptest! {
    #[test]
    fn a_submission_survives_its_encoding_and_is_parsed_from_any_prefix(
        id: [u8; 16], life in 1_u32..604_801, burn: bool, slots in slots(),
        body in proptest::collection::vec(any::<u8>(), 0..200),
    ) {
        let submission = Submission {
            message_id: MessageId::from_bytes(id), life_secs: life, burn_on_read: burn, slots, body,
        };
        let encoded = submission.encode();
        prop_assert_eq!(Submission::decode(&encoded).unwrap(), submission.clone());
        let (header, consumed) = SubmissionHeader::parse_prefix(&encoded).unwrap().unwrap();
        prop_assert_eq!(&header.slots, &submission.slots);
        prop_assert_eq!(header.body_len, submission.body.len());
        prop_assert_eq!(consumed + header.body_len, encoded.len());
        for len in 0..consumed {
            prop_assert_eq!(SubmissionHeader::parse_prefix(&encoded[..len]), Ok(None));
        }
        for len in 0..encoded.len() {
            prop_assert_eq!(Submission::decode(&encoded[..len]), Err(DecodeError::Truncated));
        }
        let mut longer = encoded;
        longer.push(0);
        prop_assert_eq!(Submission::decode(&longer), Err(DecodeError::TrailingBytes));
    }

    #[test]
    fn slot_sets_and_parcels_survive_their_encoding(
        id: [u8; 16], token: [u8; 16], lease: u32, slots in slots(),
        body in proptest::collection::vec(any::<u8>(), 0..200),
    ) {
        let message_id = MessageId::from_bytes(id);
        let set = SlotSet { message_id, slots: slots.clone() };
        prop_assert_eq!(SlotSet::decode(&set.encode()).unwrap(), set);
        let parcel = Parcel {
            message_id, token, lease_ms: lease, target: slots[0].target,
            slot: slots[0].bytes.clone(), body,
        };
        let encoded = parcel.encode();
        prop_assert_eq!(Parcel::decode(&encoded).unwrap(), parcel.clone());
        let lent = ParcelRef::decode(&encoded).unwrap();
        prop_assert_eq!((lent.slot, lent.body), (parcel.slot.as_slice(), parcel.body.as_slice()));
        for len in 0..encoded.len() {
            prop_assert_eq!(Parcel::decode(&encoded[..len]), Err(DecodeError::Truncated));
        }
    }

    #[test]
    fn padding_hides_the_length_at_little_cost(len in 0_usize..2_000_000) {
        let padded = padded_len(len);
        prop_assert!(padded >= len.max(MIN_PADDED));
        prop_assert!(padded <= len.max(MIN_PADDED) * 112 / 100 + 1);
        prop_assert_eq!(padded_len(padded), padded);
        prop_assert!(padded_len(len + 1) >= padded);
    }

    #[test]
    fn any_text_survives_sealing(text in "\\PC{0,600}") {
        let rng = &mut SeededRng::new(6);
        let sealed = seal_body(rng, &Content::text(text.as_str()), None).unwrap();
        let opened = open_body(&sealed.key, &sealed.bytes).unwrap();
        prop_assert_eq!(text_of(&opened.content), text);
    }
}

#[test]
fn submissions_outside_their_bounds_are_refused() {
    let slot = Slot {
        target: Target::Account {
            account: UserId::from_bytes([1; 16]),
        },
        prekey_id: None,
        bytes: vec![1],
    };
    let submission = |life_secs, slots: Vec<Slot>| {
        let submission = Submission {
            message_id: MessageId::from_bytes([0; 16]),
            life_secs,
            burn_on_read: false,
            slots,
            body: vec![],
        };
        Submission::decode(&submission.encode()).map(|_| ())
    };
    let invalid = |field| Err(DecodeError::InvalidValue(field));
    assert_eq!(submission(1, vec![slot.clone()]), Ok(()));
    assert_eq!(submission(0, vec![slot.clone()]), invalid("life"));
    assert_eq!(submission(604_801, vec![slot.clone()]), invalid("life"));
    assert_eq!(submission(1, vec![]), invalid("slot count"));
    assert_eq!(
        submission(1, vec![slot.clone(), slot.clone()]),
        invalid("target given twice")
    );
    let mut long = slot;
    long.bytes = vec![0; 4_097];
    assert_eq!(submission(1, vec![long]), Err(DecodeError::TooLong));
}
