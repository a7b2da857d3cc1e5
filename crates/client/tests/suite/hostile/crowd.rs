//! Somebody who sends heaps of messages, readable or not, holds nobody else up.

use std::cell::RefCell;
use std::rc::Rc;

use client::testing::{Reply, SeededRng, World};
use protocol::envelope::{Content, ParcelRef, Target};
use protocol::identity::AccountKeys;
use protocol::ids::MessageId;
use protocol::prekeys::generate_batch;

use super::forge::{Forged, garbage, prekey_target, stolen};
use super::{nothing_refused, refused};

/// Notes the ids of the parcels that a tab gets, in their order.
fn parcels(world: &mut World, tab: usize) -> Rc<RefCell<Vec<MessageId>>> {
    let seen = Rc::new(RefCell::new(Vec::new()));
    let noted = Rc::clone(&seen);
    world.server.tamper = Some(Box::new(move |to, reply| {
        if let Reply::Binary(bytes) = &reply
            && to == tab
        {
            let parcel = ParcelRef::decode(bytes).unwrap();
            noted.borrow_mut().push(parcel.message_id);
        }
        vec![reply]
    }));
    seen
}

#[test]
fn senders_take_turns_and_contacts_every_other_one() {
    let mut world = World::default();
    let f = world.friends();
    let bob = world.server.user("bob");
    world.close(f.bob);
    world.advance(4_000);
    // Two strangers leave heaps of what opens for nobody; a contact writes after them.
    for name in ["s0", "s1"] {
        let (stranger, _) = world.server.plant(name);
        for n in 0..20 {
            let mut id = [n; 16];
            id[..2].copy_from_slice(&stranger.as_bytes()[..2]);
            let target = Target::Account { account: bob };
            garbage(&mut world, stranger, target, MessageId::from_bytes(id));
        }
    }
    let said: Vec<_> = ["one", "two", "three"]
        .map(|words| world.say(f.alice, f.to_bob, words))
        .to_vec();
    let tab = world.tabs.len();
    let seen = parcels(&mut world, tab);
    let bob = world.sign_in("bob");
    let seen = seen.borrow();
    let place = |id: &MessageId| {
        let id = MessageId::from_bytes(*id.as_bytes());
        seen.iter().position(|seen| *seen == id).unwrap()
    };
    assert_eq!(said.iter().map(place).collect::<Vec<_>>(), [0, 2, 4]);
    let posters: Vec<_> = seen.iter().map(|id| id.as_bytes()[0]).collect();
    assert_ne!(posters[1], posters[3], "strangers take turns as well");
    assert_eq!(seen.len(), 43, "in the end all were looked at");
    assert_eq!(world.texts(bob, f.to_alice), ["one", "two", "three"]);
}

#[test]
fn unknown_prekeys_cause_one_read_of_the_safes_in_a_while_and_hold_nobody_up() {
    let mut world = World::default();
    let f = world.friends();
    let bob = world.server.user("bob");
    let mallory = world.server.plant("mallory");
    // Prekeys that bob signed, and that are in no safe.
    let secrets = stolen(&mut world, "bob");
    let mut rng = SeededRng::new(9);
    let now = world.server.now();
    let batch = generate_batch(&mut rng, &secrets, bob, 7, 40, now, &Default::default());
    let keys = AccountKeys::decode(&world.server.accounts[&bob].public_keys).unwrap();
    let heap: Vec<Vec<u8>> = (0..40_usize)
        .map(|n| {
            let claimed = batch
                .signed
                .claimed(Some(batch.signed.leaves[n].prekey_id))
                .unwrap();
            let target = claimed.verify(&keys, &bob, now, 0).unwrap();
            let forged = Forged::new(
                &world,
                Content::text("x"),
                MessageId::from_bytes([n as u8 + 50; 16]),
            );
            forged.seal(&world, mallory.0, &mallory.1, &target).encode()
        })
        .collect();
    world.server.log.clear();
    for bytes in &heap {
        world.server.post_as(mallory.0, bytes);
    }
    world.say(f.alice, f.to_bob, "at once");
    assert_eq!(world.texts(f.bob, f.to_alice), ["at once"]);
    world.advance(4_000);
    let reads = |world: &World| {
        let log = world.server.log.iter();
        log.filter(|asked| asked.starts_with("GET /safe?")).count()
    };
    assert_eq!(reads(&world), 1);
    world.advance(20_000);
    assert!((2..5).contains(&reads(&world)), "{}", reads(&world));
    assert!(refused(&world, f.bob, "cannot-open"));
    // All were answered for: none is left that could be claimed.
    let mut held = world.server.messages.values();
    assert!(held.all(|held| held.poster != mallory.0 || held.slots.values().all(|s| s.dead)));
}

#[test]
fn a_request_and_the_texts_after_it_come_in_order_from_a_stranger() {
    let mut world = World::default();
    let (tab, _) = world.register("bob");
    let bob = world.server.user("bob");
    let mallory = world.server.plant("mallory");
    for n in 0..3 {
        let one_time = world.server.accounts[&bob].unclaimed[n];
        let target = prekey_target(&world, &bob, Some(one_time));
        let forged = Forged::new(
            &world,
            Content::text("x"),
            MessageId::from_bytes([n as u8 + 50; 16]),
        );
        let submission = forged.seal(&world, mallory.0, &mallory.1, &target);
        world.server.post_as(mallory.0, &submission.encode());
    }
    world.settle();
    assert_eq!(world.requests(tab).len(), 1);
    nothing_refused(&world, tab);
}
