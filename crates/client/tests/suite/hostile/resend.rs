//! "Could not open it, send it again": once, and only to the keys it was first sent to.

use client::event::MessageState;
use client::id::MessageId;
use client::testing::{Friends, Reply, World};
use serde_json::json;

use super::{nothing_refused, refused};

/// A message that waits for bob, who is away.
fn waiting(world: &mut World) -> (Friends, MessageId) {
    let f = world.friends();
    world.close(f.bob);
    world.advance(4_000);
    let id = world.say(f.alice, f.to_bob, "the plan");
    (f, id)
}

/// The server says that bob could not open it.
fn cannot_open(world: &mut World, f: &Friends, id: MessageId) {
    let frame = json!({"t": "message", "id": id.to_string(), "state": "cannot_open",
        "target": f.to_bob.to_string(), "live": false});
    world.server.push(f.alice, Reply::Text(frame));
    world.settle();
}

fn slots(world: &World) -> Vec<Vec<u8>> {
    let held = world.server.messages.values();
    held.flat_map(|held| held.slots.values().map(|slot| slot.bytes.clone()))
        .collect()
}

#[test]
fn a_repetition_goes_to_the_pinned_keys_once_and_opens() {
    let mut world = World::default();
    let (f, id) = waiting(&mut world);
    let first = slots(&world);
    cannot_open(&mut world, &f, id);
    let second = slots(&world);
    assert_eq!(second.len(), 1);
    assert_ne!(first, second, "sealed anew");
    nothing_refused(&world, f.alice);
    cannot_open(&mut world, &f, id);
    assert!(refused(&world, f.alice, "resend-again"));
    assert_eq!(slots(&world), second);
    let bob = world.sign_in("bob");
    assert_eq!(world.texts(bob, f.to_alice), ["the plan"]);
}

/// Bob's keys become those of an enemy.
fn swap_keys(world: &mut World) {
    let (mallory, _) = world.server.plant("mallory");
    let bob = world.server.user("bob");
    let theirs = world.server.accounts[&mallory].clone();
    let account = world.server.accounts.get_mut(&bob).unwrap();
    account.public_keys = theirs.public_keys;
    account.batch = theirs.batch;
    account.unclaimed.clear();
}

#[test]
fn a_repetition_to_other_keys_is_held_until_the_person_decides() {
    let mut world = World::default();
    let (f, id) = waiting(&mut world);
    swap_keys(&mut world);
    let before = slots(&world);
    cannot_open(&mut world, &f, id);
    assert!(refused(&world, f.alice, "swapped-key"));
    assert!(world.chats(f.alice)[0].key_changed);
    assert_eq!(slots(&world), before, "nothing was sealed");
    assert_eq!(
        world.message(f.alice, id).unwrap().state,
        MessageState::Held
    );
    // Nor does anything the server says later move it.
    cannot_open(&mut world, &f, id);
    world.cut(f.alice);
    world.advance(60_000);
    assert_eq!(slots(&world), before);
    assert_eq!(
        world.message(f.alice, id).unwrap().state,
        MessageState::Held
    );
}

#[test]
fn what_was_sealed_to_keys_of_before_is_not_sealed_again_to_keys_that_were_accepted_since() {
    let mut world = World::default();
    let (f, id) = waiting(&mut world);
    swap_keys(&mut world);
    world.advance(4_000);
    world.say(f.alice, f.to_bob, "next");
    let command = client::Command::AcceptChangedKey { chat: f.to_bob };
    world.command(f.alice, command);
    let before = slots(&world);
    cannot_open(&mut world, &f, id);
    assert!(refused(&world, f.alice, "resend-other-key"));
    assert_eq!(slots(&world), before, "nothing was sealed");
    assert_eq!(
        world.message(f.alice, id).unwrap().state,
        MessageState::Failed,
        "the person may send it again"
    );
}

#[test]
fn after_a_receipt_nothing_is_repeated() {
    let mut world = World::default();
    let f = world.friends();
    let id = world.say(f.alice, f.to_bob, "the plan");
    world.advance(3_000);
    let view = world.message(f.alice, id).unwrap();
    assert_eq!(
        (view.state, view.by_server),
        (MessageState::Delivered, false)
    );
    let before = slots(&world);
    cannot_open(&mut world, &f, id);
    assert!(refused(&world, f.alice, "resend-again"));
    assert_eq!(slots(&world), before);
}

#[test]
fn a_recipient_whose_session_keys_are_gone_gets_the_message_again() {
    let mut world = World::default();
    world.server.delivers = false;
    let f = world.friends();
    // Bob's tab is closed, but the server keeps its slot and hands it to the next tab as its own.
    world.tabs[f.bob] = None;
    let id = world.say(f.alice, f.to_bob, "hello?");
    let held = world.server.messages.values().next().unwrap().clone();
    let old = held.slots.values().next().unwrap().clone();
    let bob = world.sign_in("bob");
    let (live, _) = world.server.bundle_of(bob);
    let account = world.server.user("bob");
    let message = protocol::ids::MessageId::from_bytes(*id.as_bytes());
    let entry = world.server.messages.get_mut(&message).unwrap();
    entry.slots = [(
        protocol::envelope::Target::Live {
            account,
            live_id: live,
        },
        old,
    )]
    .into();
    let frame = json!({"t": "waiting", "id": id.to_string(), "burn": false, "size": 1,
        "expires_at": held.expires_at, "target": "live", "from": held.poster.to_string()});
    world.server.push(bob, Reply::Text(frame));
    world.settle();
    assert!(refused(&world, bob, "cannot-open"));
    world.advance(2_000);
    assert_eq!(world.texts(bob, f.to_alice), ["hello?"]);
}
