//! What a slot says, and what it prints.

use protocol::envelope::{
    BodyHash, ContentKey, ContentKind, Conversation, SealedSlot, SequenceCounter, SlotContent,
    open_slot, seal_slot,
};
use protocol::epoch::{PendingEpoch, SenderEpoch};
use protocol::ids::{GroupId, MessageId};
use protocol::safe::SafeMark;

use crate::support::{ALICE, BOB, NOW, SeededRng};

const BODY: BodyHash = BodyHash([4; 32]);

fn content() -> SlotContent {
    let earlier = SequenceCounter::resumed([9; 32], NOW + 50).earlier_ends(NOW);
    SlotContent {
        key: ContentKey::from_bytes(&[1; 32]),
        sender: ALICE.user_id,
        session: ALICE.live_id,
        conversation: Conversation::Direct {
            recipient: BOB.user_id,
        },
        sequence: 7,
        previous: [2; 32],
        earlier,
        sent_at: NOW,
        life_secs: 3_600,
        burn_on_read: false,
        burn_after_secs: 0,
        kind: ContentKind::Text,
        safe_mark: None,
    }
}

#[test]
fn a_slot_says_what_was_put_into_it() {
    let group = Conversation::Group {
        id: GroupId::from_bytes([5; 16]),
    };
    let changes: [fn(&mut SlotContent); 5] = [
        |_| (),
        |content| content.burn_on_read = true,
        |content| content.burn_after_secs = 30,
        |content| content.safe_mark = Some(SafeMark::of(9, b"sealed")),
        |content| content.sequence = 0,
    ];
    let mut contents: Vec<SlotContent> = changes
        .into_iter()
        .map(|change| {
            let mut content = content();
            change(&mut content);
            content
        })
        .collect();
    contents.push(SlotContent {
        conversation: group,
        ..content()
    });
    for kind in [
        ContentKind::Receipt,
        ContentKind::Typing,
        ContentKind::Request,
        ContentKind::Accept,
        ContentKind::Edit,
        ContentKind::Delete,
        ContentKind::Profile,
        ContentKind::Sync,
    ] {
        contents.push(SlotContent { kind, ..content() });
    }
    let (session, bundle) = BOB.session(60, NOW);
    let target = BOB.live_target(&bundle, NOW);
    let rng = &mut SeededRng::new(61);
    let mut epoch = SenderEpoch::start(rng, NOW, &ALICE.party(), &target).unwrap();
    let handshake = epoch.handshake().clone();
    let pairs = session.pairs_for(&handshake).unwrap();
    let receiver = PendingEpoch::begin(&handshake, pairs, NOW)
        .unwrap()
        .finish(&BOB.party(), &ALICE.keys)
        .unwrap();
    for content in contents {
        let id = MessageId::random(rng);
        let slot = seal_slot(&mut epoch, NOW, &id, &BODY, &content).unwrap();
        let sealed = SealedSlot::decode(&slot.bytes).unwrap();
        let opened = open_slot(&receiver, &sealed, &slot.target, &id, &BODY).unwrap();
        assert_eq!(opened, content);
    }
}

#[test]
fn handshakes_and_hashes_print_no_more_than_their_beginning() {
    let (session, bundle) = BOB.session(62, NOW);
    let target = BOB.live_target(&bundle, NOW);
    let rng = &mut SeededRng::new(63);
    let epoch = SenderEpoch::start(rng, NOW, &ALICE.party(), &target).unwrap();
    let handshake = epoch.handshake();
    assert_eq!(
        format!("{handshake:?}"),
        format!(
            "Handshake {{ bucket: 6000000, path: Live, signed_id: {}, one_time_id: None, .. }}",
            session.key_id()
        )
    );
    let pairs = session.pairs_for(handshake).unwrap();
    let pending = PendingEpoch::begin(handshake, pairs, NOW).unwrap();
    let beginning = hex::encode(&ALICE.keys.fingerprint().as_bytes()[..4]);
    assert_eq!(
        format!("{pending:?}"),
        format!(
            "PendingEpoch {{ claim: SenderClaim {{ user_id: UserId(…), fingerprint: Fingerprint({beginning}..) }}, .. }}"
        )
    );
    assert_eq!(format!("{:?}", BodyHash([0xab; 32])), "BodyHash(abab..)");
}
