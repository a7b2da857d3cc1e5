use protocol::envelope::{
    BodyHash, Content, ContentKey, ContentKind, Conversation, EarlierEnds, InviteCode, SealedSlot,
    SecretText, SlotContent, open_body, open_chunk, open_slot, seal_body, seal_chunk, seal_slot,
};
use protocol::epoch::{LocalParty, PendingEpoch, SenderEpoch};
use protocol::identity::AccountSecrets;
use protocol::ids::{AttachmentId, LiveId, MessageId, UserId};
use protocol::prekeys::SessionSecrets;
use protocol::vectors::SeededRng;

use crate::{MARK, NOW, legible_after, marks, text};

#[test]
fn texts_are_overwritten() {
    assert_eq!(legible_after(|| drop(text(100))), 0);
    let text = SecretText::from(marks(100).as_str());
    assert_eq!(legible_after(|| drop(text.clone())), 0);
}

#[test]
fn sealing_and_opening_a_body_leaves_no_word_behind() {
    let id = MessageId::from_bytes([3; 16]);
    let all = [
        Content::Text {
            text: text(1_000),
            reply_to: Some(id),
        },
        Content::Request {
            handle: text(200),
            alias: text(200),
            greeting: text(1_000),
            invite: Some(InviteCode([MARK; 16])),
        },
        Content::Accept {
            handle: text(200),
            alias: text(200),
        },
        Content::Edit {
            message_id: id,
            text: text(1_000),
        },
        Content::Profile { alias: text(200) },
    ];
    let rng = &mut SeededRng::new(1);
    for content in all {
        let sealed = seal_body(rng, &content, None).unwrap();
        let opened = || drop(open_body(&sealed.key, &sealed.bytes).unwrap());
        assert_eq!(legible_after(opened), 0, "opening {:?}", content.kind());
        let sealed = || drop(seal_body(rng, &content, None).unwrap());
        assert_eq!(legible_after(sealed), 0, "sealing {:?}", content.kind());
        assert_eq!(legible_after(|| drop(content)), 0);
    }
}

#[test]
fn sealing_and_opening_an_attachment_leaves_nothing_of_it_behind() {
    let key = ContentKey::from_bytes(&[5; 32]);
    let id = AttachmentId::from_bytes([6; 16]);
    let chunk = [MARK; 1_000];
    let sealed = seal_chunk(&key, &id, 1, 3, &chunk).unwrap();
    assert_eq!(
        legible_after(|| drop(seal_chunk(&key, &id, 1, 3, &chunk).unwrap())),
        0
    );
    let opened = || {
        let opened = open_chunk(&key, &id, 1, 3, &sealed).unwrap();
        assert_eq!(opened.as_slice(), chunk);
    };
    assert_eq!(legible_after(opened), 0);
}

#[test]
fn sealing_and_opening_a_slot_leaves_no_content_key_behind() {
    let rng = &mut SeededRng::new(2);
    let (alice, bob) = (AccountSecrets::generate(rng), AccountSecrets::generate(rng));
    let (alice_keys, bob_keys) = (alice.account_keys(rng), bob.account_keys(rng));
    let party = |id, secrets, keys| LocalParty {
        user_id: UserId::from_bytes([id; 16]),
        secrets,
        keys,
    };
    let (alice, bob) = (party(1, &alice, &alice_keys), party(2, &bob, &bob_keys));
    let live_id = LiveId::from_bytes([3; 16]);
    let (session, bundle) = SessionSecrets::generate(rng, bob.secrets, bob.user_id, live_id, NOW);
    let target = bundle
        .verify(&bob_keys, &bob.user_id, &live_id, NOW)
        .unwrap();
    let mut sender = SenderEpoch::start(rng, NOW, &alice, &target).unwrap();
    let handshake = sender.handshake().clone();
    let receiver = PendingEpoch::begin(&handshake, session.pairs_for(&handshake).unwrap(), NOW)
        .unwrap()
        .finish(&bob, &alice_keys)
        .unwrap();
    let id = MessageId::from_bytes([4; 16]);
    let body = BodyHash([5; 32]);
    let content = SlotContent {
        key: ContentKey::from_bytes(&[MARK; 32]),
        sender: alice.user_id,
        session: LiveId::from_bytes([6; 16]),
        conversation: Conversation::Direct {
            recipient: bob.user_id,
        },
        sequence: 1,
        previous: [0; 32],
        earlier: EarlierEnds::default(),
        sent_at: NOW,
        life_secs: 60,
        burn_on_read: false,
        burn_after_secs: 0,
        kind: ContentKind::Text,
        safe_mark: None,
    };
    let mut slot = None;
    let sealing = || slot = Some(seal_slot(&mut sender, NOW, &id, &body, &content).unwrap());
    assert_eq!(legible_after(sealing), 0);
    let slot = slot.unwrap();
    let sealed = SealedSlot::decode(&slot.bytes).unwrap();
    let opening = || {
        let opened = open_slot(&receiver, &sealed, &slot.target, &id, &body).unwrap();
        assert_eq!(opened, content);
    };
    assert_eq!(legible_after(opening), 0);
}
