//! What the server has: how it is watched until somebody reads it or its life is over.

use client::Command;
use client::command::ChatChange;
use client::event::MessageState;
use client::testing::{PASSPHRASE, World};
use protocol::ids::MessageId;

use super::{all_read, asked_for_keys, says};

fn slots(world: &World, id: MessageId) -> Vec<Vec<u8>> {
    let held = &world.server.messages[&MessageId::from_bytes(*id.as_bytes())];
    held.slots.values().map(|slot| slot.bytes.clone()).collect()
}

/// From now on the server shows other keys for Bob; gives his own.
fn other_keys(world: &mut World) -> Vec<u8> {
    let (mallory, _) = world.server.plant("mallory");
    let bob = world.server.user("bob");
    let others = world.server.accounts[&mallory].public_keys.clone();
    let shown = &mut world.server.accounts.get_mut(&bob).unwrap().public_keys;
    std::mem::replace(shown, others)
}

#[test]
fn the_servers_word_that_a_claim_ended_does_not_put_off_the_slot_that_waits() {
    let mut world = World::default();
    let f = world.acquainted();
    // Bob's tab hangs: the server still believes it is live.
    world.tabs[f.bob] = None;
    let id = world.say(f.alice, f.to_bob, "three");
    for word in ["claimed", "returned", "waiting"] {
        world.advance(3_000);
        says(&mut world, &f, id, word, (f.to_bob, false));
    }
    world.advance(1_500);
    assert_eq!(world.message(f.alice, id).unwrap().path, "waiting");
}

#[test]
fn what_rests_already_is_not_sealed_once_more() {
    let mut world = World::default();
    let f = all_read(&mut world);
    world.close(f.bob);
    world.advance(4_000);
    let id = world.say(f.alice, f.to_bob, "three");
    let (asked, sealed) = (asked_for_keys(&world, f.to_bob), slots(&world, id));
    world.advance(40_000);
    assert_eq!(asked_for_keys(&world, f.to_bob), asked);
    assert_eq!(slots(&world, id), sealed);
}

#[test]
fn a_slot_that_was_made_without_a_socket_is_given_to_the_server_once_there_is_one() {
    let mut world = World::default();
    let f = world.acquainted();
    world.tabs[f.bob] = None;
    let id = world.say(f.alice, f.to_bob, "three");
    world.sockets = false;
    world.cut(f.alice);
    world.advance(12_000);
    assert_eq!(world.message(f.alice, id).unwrap().path, "waiting");
    assert_eq!(slots(&world, id).len(), 1);
    world.sockets = true;
    world.advance(30_000);
    assert_eq!(slots(&world, id).len(), 2);
}

#[test]
fn what_the_server_put_off_goes_at_the_very_time_that_it_named() {
    let mut world = World::default();
    let f = world.acquainted();
    world.server.refuse.push_back("too-many-requests");
    world.say(f.alice, f.to_bob, "three");
    world.advance(1_999);
    assert_eq!(world.texts(f.bob, f.to_alice), ["one", "two"]);
    world.advance(1);
    assert_eq!(world.texts(f.bob, f.to_alice), ["one", "two", "three"]);
}

#[test]
fn what_arrived_while_it_was_held_is_watched_as_before() {
    for back in [false, true] {
        let mut world = World::default();
        world.server.delivers = false;
        let f = world.acquainted();
        let alice = f.alice;
        // Bob's receipt is held back.
        world.server.tamper = Some(Box::new(move |tab, reply| {
            if tab == alice && reply.announces() {
                Vec::new()
            } else {
                vec![reply]
            }
        }));
        let id = world.say_with(f.alice, f.to_bob, "three", None, Some(120));
        world.advance(5_000);
        let own = other_keys(&mut world);
        world.advance(7_000);
        let state = |world: &World| world.message(alice, id).unwrap().state;
        assert_eq!(state(&world), MessageState::Held);
        world.server.tamper = None;
        // Bob's tab hangs, and the server says nothing of it.
        world.tabs[f.bob] = None;
        world.cut(f.alice);
        world.advance(5_000);
        assert_eq!(state(&world), MessageState::Delivered);
        if back {
            let bob = world.server.user("bob");
            world.server.accounts.get_mut(&bob).unwrap().public_keys = own;
        }
        world.advance(12_000);
        let path = world.message(f.alice, id).unwrap().path;
        assert_eq!(path == "waiting", back);
        world.advance(100_000);
        assert_eq!(state(&world), MessageState::Expired, "{back}");
    }
}

#[test]
fn in_a_chat_for_live_sessions_only_what_nobody_can_open_any_more_is_held_too() {
    let mut world = World::default();
    let f = world.acquainted();
    let change = ChatChange {
        live_only: Some(true),
        ..ChatChange::default()
    };
    let chat = f.to_bob;
    world.command(f.alice, Command::SetChat { chat, change });
    world.tabs[f.bob] = None;
    let id = world.say(f.alice, f.to_bob, "three");
    let elsewhere = world.sign_in("bob");
    let passphrase = PASSPHRASE.into();
    world.command(elsewhere, Command::NewIdentity { passphrase });
    world.advance(12_000);
    let state = world.message(f.alice, id).unwrap().state;
    assert_eq!(state, MessageState::Held);
    world.command(f.alice, Command::AcceptChangedKey { chat });
    world.advance(4_000);
    let texts = world.texts(elsewhere, f.to_alice);
    assert_eq!(texts.last().unwrap(), "three");
}
