//! Somebody with an account of their own, helped by the server.

use client::Command;
use client::event::MessageState;
use client::id::ConversationId;
use client::testing::{SeededRng, World};
use protocol::envelope::{
    Content, Conversation, Receipt, ReceiptState, SlotContent, Submission, seal_body, seal_slot,
};
use protocol::epoch::{LocalParty, SenderEpoch};
use protocol::identity::{AccountKeys, AccountSecrets};
use protocol::ids::{LiveId, MessageId, UserId};
use protocol::prekeys::SessionBundle;

use super::nothing_refused;

/// Seals any content as mallory, for the live session of a tab, and posts it.
fn forge(
    world: &mut World,
    (mallory, secrets): &(UserId, AccountSecrets),
    tab: usize,
    to: ConversationId,
    content: Content,
    seed: u64,
) {
    let mut rng = SeededRng::new(seed);
    let now = world.server.now();
    let victim = to.peer();
    let (live, bundle) = world.server.bundle_of(tab);
    let keys = AccountKeys::decode(&world.server.accounts[&victim].public_keys).unwrap();
    let target = SessionBundle::decode(&bundle)
        .unwrap()
        .verify(&keys, &victim, &live, now)
        .unwrap();
    let own = secrets.account_keys(&mut rng);
    let party = LocalParty {
        user_id: *mallory,
        secrets,
        keys: &own,
    };
    let mut epoch = SenderEpoch::start(&mut rng, now, &party, &target).unwrap();
    let body = seal_body(&mut rng, &content, None).unwrap();
    let message_id = MessageId::random(&mut rng);
    let slot_content = SlotContent {
        key: body.key.duplicate(),
        sender: *mallory,
        session: LiveId::from_bytes([3; 16]),
        conversation: Conversation::Direct { recipient: victim },
        sequence: 0,
        previous: [0; 32],
        earlier: protocol::envelope::EarlierEnds::default(),
        sent_at: now,
        life_secs: 60,
        burn_on_read: false,
        burn_after_secs: 0,
        kind: content.kind(),
        safe_mark: None,
    };
    let slot = seal_slot(&mut epoch, now, &message_id, &body.hash, &slot_content).unwrap();
    let submission = Submission {
        message_id,
        life_secs: 60,
        burn_on_read: false,
        slots: vec![slot],
        body: body.bytes,
    };
    world.server.post_as(*mallory, &submission.encode());
    world.settle();
}

fn read(id: MessageId) -> Content {
    Content::Receipt(vec![Receipt {
        message_id: MessageId::from_bytes(*id.as_bytes()),
        state: ReceiptState::Read,
    }])
}

#[test]
fn a_receipt_of_somebody_who_never_had_the_message_is_refused() {
    let mut world = World::default();
    world.server.delivers = false;
    let f = world.friends();
    let mallory = world.server.plant("mallory");
    world.command(
        f.alice,
        Command::RequestContact {
            handle: "mallory".into(),
            greeting: "".into(),
        },
    );
    world.tabs[f.bob] = None;
    let id = world.say(f.alice, f.to_bob, "for bob");
    let alice = world.id("alice");
    forge(&mut world, &mallory, f.alice, alice, read(id), 1);
    assert_eq!(world.refusals(f.alice), ["forged-receipt"]);
    assert_eq!(
        world.message(f.alice, id).unwrap().state,
        MessageState::Waiting
    );
    // Control: mallory's receipt for a message to mallory counts.
    let to_mallory = world.id("mallory");
    let other = world.say(f.alice, to_mallory, "for mallory");
    forge(&mut world, &mallory, f.alice, alice, read(other), 2);
    let view = world.message(f.alice, other).unwrap();
    assert_eq!((view.state, view.by_server), (MessageState::Read, false));
}

#[test]
fn what_only_the_server_says_is_marked_as_its_word() {
    let mut world = World::default();
    let f = world.friends();
    world.tabs[f.bob] = None;
    let id = world.say(f.alice, f.to_bob, "for bob");
    let live = world.server.bundle_of(f.bob).0;
    let frame = serde_json::json!({"t": "message", "id": id.to_string(),
        "state": "acknowledged", "target": live.to_string(), "live": true});
    world
        .server
        .push(f.alice, client::testing::Reply::Text(frame));
    world.settle();
    let view = world.message(f.alice, id).unwrap();
    assert_eq!(
        (view.state, view.by_server),
        (MessageState::Delivered, true),
        "it can say that it arrived, not that it was read"
    );
}

#[test]
fn only_the_author_changes_a_message() {
    let mut world = World::default();
    let f = world.friends();
    let mallory = world.server.plant("mallory");
    world.command(
        f.bob,
        Command::RequestContact {
            handle: "mallory".into(),
            greeting: "".into(),
        },
    );
    let id = world.say(f.alice, f.to_bob, "ten");
    let bob = world.id("bob");
    let edit = Content::Edit {
        message_id: MessageId::from_bytes(*id.as_bytes()),
        text: "a hundred".into(),
    };
    forge(&mut world, &mallory, f.bob, bob, edit, 1);
    assert_eq!(world.refusals(f.bob), ["forged-edit"]);
    assert_eq!(world.texts(f.bob, f.to_alice), ["ten"]);
    // Control: the author may.
    world.edit(f.alice, f.to_bob, id, "eleven");
    assert_eq!(world.texts(f.bob, f.to_alice), ["eleven"]);
    nothing_refused(&world, f.alice);
}
