//! Requests and answers to them under keys that are not the pinned ones.

use std::collections::BTreeSet;

use client::Command;
use client::event::ChatView;
use client::id::MessageId;
use client::testing::{SeededRng, World};
use protocol::envelope::Content;
use protocol::identity::AccountSecrets;
use protocol::ids::UserId;
use protocol::prekeys::generate_batch;

use super::forge::{deliver, stolen};
use super::{nothing_refused, refused};

fn id(byte: u8) -> MessageId {
    MessageId::from_bytes([byte; 16])
}

fn ask(world: &mut World, tab: usize, handle: &str) {
    let (handle, greeting) = (handle.into(), "hello".into());
    world.command(tab, Command::RequestContact { handle, greeting });
}

fn asks(alias: &str) -> Content {
    Content::Request {
        handle: "bob".into(),
        alias: alias.into(),
        greeting: "it is me".into(),
        invite: None,
    }
}

fn accepts(alias: &str) -> Content {
    Content::Accept {
        handle: "bob".into(),
        alias: alias.into(),
    }
}

fn row(world: &World, tab: usize) -> ChatView {
    world.chats(tab)[0].clone()
}

/// The server gives somebody's name to keys of its own, with prekeys that these have signed.
fn take_over(world: &mut World, of: &UserId) -> AccountSecrets {
    let mut rng = SeededRng::new(4_721);
    let secrets = AccountSecrets::generate(&mut rng);
    let now = world.server.now();
    let none = BTreeSet::new();
    let batch = generate_batch(&mut rng, &secrets, *of, 100, 3, now, &none);
    let account = world.server.accounts.get_mut(of).unwrap();
    account.public_keys = secrets.account_keys(&mut rng).encode();
    account.batch = batch.signed;
    account.unclaimed.clear();
    secrets
}

/// Whether something of an account waits for another.
fn waits(world: &World, from: &UserId, to: &UserId) -> bool {
    let mut held = world.server.messages.values();
    held.any(|held| held.poster == *from && held.slots.keys().any(|slot| slot.account() == to))
}

/// Alice has asked bob, who is away and has not answered.
fn asked() -> (World, usize, [UserId; 2]) {
    let mut world = World::default();
    let (alice, _) = world.register("alice");
    let (bob, _) = world.register("bob");
    world.close(bob);
    ask(&mut world, alice, "bob");
    world.advance(4_000);
    let people = [world.server.user("alice"), world.server.user("bob")];
    (world, alice, people)
}

#[test]
fn nobody_answers_a_request_under_keys_other_than_those_that_were_asked() {
    let (mut world, alice, [_, bob]) = asked();
    let genuine = stolen(&mut world, "bob");
    let public = world.server.accounts[&bob].public_keys.clone();
    let fake = take_over(&mut world, &bob);
    deliver(
        &mut world,
        alice,
        bob,
        &fake,
        accepts("Bob the other"),
        id(1),
    );
    assert!(refused(&world, alice, "unaccepted-keys"));
    // To ask back is to answer as well.
    deliver(&mut world, alice, bob, &fake, asks("Bob the other"), id(2));
    let chat = row(&world, alice);
    assert_eq!(
        (chat.relation.as_str(), chat.alias.as_str()),
        ("requested", "bob")
    );
    assert!(chat.key_changed);
    let said = world.message(alice, id(2)).unwrap();
    assert_eq!(said.warnings, ["key-changed"]);
    // Nor when the true keys are shown again: what was said under the others counts for nothing.
    world.server.accounts.get_mut(&bob).unwrap().public_keys = public;
    world.advance(4_000);
    world.command(alice, Command::OpenChat { chat: chat.chat });
    assert_eq!(row(&world, alice).relation, "requested");
    // Control: an answer under the keys that were asked.
    deliver(&mut world, alice, bob, &genuine, accepts("Bob"), id(3));
    let chat = row(&world, alice);
    assert_eq!(
        (chat.relation.as_str(), chat.alias.as_str()),
        ("contact", "Bob")
    );
}

#[test]
fn a_request_of_a_contact_under_other_keys_is_words_and_is_not_answered() {
    for accepted in [false, true] {
        let mut world = World::default();
        let f = world.friends();
        let [alice, bob] = ["alice", "bob"].map(|handle| world.server.user(handle));
        let ids = world.ids(f.alice, f.to_bob);
        world.show(f.alice, f.to_bob, ids);
        world.advance(4_000);
        let genuine = stolen(&mut world, "bob");
        world.close(f.bob);
        let sender = if accepted {
            genuine
        } else {
            take_over(&mut world, &bob)
        };
        deliver(
            &mut world,
            f.alice,
            bob,
            &sender,
            asks("Bob the other"),
            id(1),
        );
        let said = world.message(f.alice, id(1)).unwrap();
        assert_eq!(said.text.unwrap().expose(), "it is me");
        assert_eq!(said.warnings.is_empty(), accepted);
        assert_eq!(row(&world, f.alice).alias, "bob");
        world.advance(4_000);
        if !accepted {
            // Nothing was held back for them either.
            world.command(f.alice, Command::AcceptChangedKey { chat: f.to_bob });
            world.advance(4_000);
        }
        let answered = waits(&world, &alice, &bob);
        assert_eq!(answered, accepted, "control: the pinned keys get an answer");
    }
}

#[test]
fn asking_somebody_again_under_other_keys_waits_for_the_person() {
    for swapped in [false, true] {
        let mut world = World::default();
        let f = world.friends();
        let [alice, bob] = ["alice", "bob"].map(|handle| world.server.user(handle));
        world.command(f.alice, Command::RemoveContact { chat: f.to_bob });
        world.close(f.bob);
        world.advance(4_000);
        if swapped {
            take_over(&mut world, &bob);
        }
        ask(&mut world, f.alice, "bob");
        world.advance(4_000);
        assert_eq!(waits(&world, &alice, &bob), !swapped);
        assert_eq!(row(&world, f.alice).key_changed, swapped);
        if swapped {
            assert!(refused(&world, f.alice, "swapped-key"));
            let chat = f.to_bob;
            world.command(f.alice, Command::AcceptChangedKey { chat });
            world.advance(4_000);
            assert!(waits(&world, &alice, &bob), "the person has decided");
        } else {
            nothing_refused(&world, f.alice);
        }
    }
}

#[test]
fn accepting_somebody_whose_keys_changed_since_they_asked_waits_for_the_person() {
    for swapped in [false, true] {
        let mut world = World::default();
        let (alice, _) = world.register("alice");
        let (bob, _) = world.register("bob");
        let [from, to] = ["alice", "bob"].map(|handle| world.server.user(handle));
        ask(&mut world, bob, "alice");
        world.close(bob);
        assert!(!world.requests(alice)[0].key_changed);
        world.advance(301_000);
        if swapped {
            let fake = take_over(&mut world, &to);
            deliver(&mut world, alice, to, &fake, asks("Bob the other"), id(1));
            let request = &world.requests(alice)[0];
            assert!(request.key_changed);
            assert_eq!(request.alias, "bob");
        }
        let chat = world.id("bob");
        world.command(alice, Command::AcceptRequest { chat });
        world.advance(4_000);
        assert_eq!(waits(&world, &from, &to), !swapped);
        if swapped {
            world.command(alice, Command::AcceptChangedKey { chat });
            world.advance(4_000);
            assert!(waits(&world, &from, &to), "the person has decided");
        }
    }
}
