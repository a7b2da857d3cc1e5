//! Keys that are not the recipient's.

use client::Command;
use client::event::MessageState;
use client::testing::{Reply, World};
use serde_json::Value;

use super::{nothing_refused, refused};

/// Changes the bundles that a tab fetches.
fn tamper_bundles(world: &mut World, of: usize, mut change: impl FnMut(&mut Value) + 'static) {
    world.server.tamper = Some(Box::new(move |tab, mut reply| {
        if let Reply::Json { request, body, .. } = &mut reply
            && tab == of
            && request.ends_with("/bundles")
            && body["public_keys"].is_string()
        {
            change(body);
        }
        vec![reply]
    }));
}

/// Messages that the server has been given by anybody.
fn posted(world: &World) -> usize {
    world.server.messages.len()
}

#[test]
fn swapped_keys_are_refused_before_anything_is_sent() {
    for attack in [false, true] {
        let mut world = World::default();
        let f = world.friends();
        let (mallory, _) = world.server.plant("mallory");
        let keys = Value::from(base64(&world.server.accounts[&mallory].public_keys));
        if attack {
            tamper_bundles(&mut world, f.alice, move |body| {
                body["public_keys"] = keys.clone();
            });
        }
        let id = world.say(f.alice, f.to_bob, "for bob alone");
        let view = world.message(f.alice, id).unwrap();
        if attack {
            assert!(refused(&world, f.alice, "swapped-key"));
            assert_eq!((view.state, posted(&world)), (MessageState::Held, 0));
            assert!(world.chats(f.alice)[0].key_changed);
            assert!(world.texts(f.bob, f.to_alice).is_empty());
        } else {
            nothing_refused(&world, f.alice);
            assert_eq!(world.texts(f.bob, f.to_alice), ["for bob alone"]);
        }
    }
}

#[test]
fn a_held_message_goes_out_once_the_person_accepts_keys_that_really_changed() {
    let mut world = World::default();
    let f = world.friends();
    let bob = world.server.user("bob");
    // Another identity takes bob's place, with bundles of its own.
    let (mallory, _) = world.server.plant("mallory");
    let account = world.server.accounts[&mallory].clone();
    world.close(f.bob);
    world.advance(4_000);
    let real = world.server.accounts.get_mut(&bob).unwrap();
    real.public_keys = account.public_keys.clone();
    let id = world.say(f.alice, f.to_bob, "to whom?");
    assert_eq!(
        world.message(f.alice, id).unwrap().state,
        MessageState::Held
    );
    world.command(f.alice, Command::AcceptChangedKey { chat: f.to_bob });
    assert!(!world.chats(f.alice)[0].verified);
    // Their batch was signed by the old identity: still nothing is sent.
    assert!(refused(&world, f.alice, "swapped-key"));
    assert_eq!(posted(&world), 0);
}

#[test]
fn a_batch_older_than_one_that_was_seen_is_refused() {
    for attack in [false, true] {
        let mut world = World::default();
        let f = world.friends();
        let bob = world.server.user("bob");
        let old = world.server.accounts[&bob].batch.clone();
        world.advance(25 * 3_600_000);
        world.close(f.bob);
        world.advance(4_000);
        world.say(f.alice, f.to_bob, "under the new batch");
        nothing_refused(&world, f.alice);
        if attack {
            world.server.roll_back_batch(bob, old);
        }
        world.advance(301_000);
        let id = world.say(f.alice, f.to_bob, "under which batch?");
        let state = world.message(f.alice, id).unwrap().state;
        if attack {
            assert!(refused(&world, f.alice, "stale-batch"));
            assert_eq!(state, MessageState::Failed);
        } else {
            nothing_refused(&world, f.alice);
            assert_eq!(state, MessageState::Waiting);
        }
    }
}

#[test]
fn a_bundle_that_was_changed_or_belongs_to_another_time_is_refused() {
    // Where in the bundle one bit is turned, and by which clause that is refused.
    let type_len = 3;
    for (at, code) in [
        (2, "unknown-suite"),
        (1, "unknown-version"),
        (type_len + 40, "swapped-key"),
        (type_len + 120, "bad-prekeys"),
    ] {
        let mut world = World::default();
        let f = world.friends();
        world.advance(4_000);
        tamper_bundles(&mut world, f.alice, move |body| {
            let Some(bundle) = body["live"][0]["bundle"].as_str() else {
                return;
            };
            let mut bytes = unbase64(bundle);
            bytes[at] ^= 2;
            body["live"][0]["bundle"] = base64(&bytes).into();
        });
        world.say(f.alice, f.to_bob, "hello");
        assert!(
            refused(&world, f.alice, code),
            "{at}: {:?}",
            world.refusals(f.alice)
        );
        assert!(world.texts(f.bob, f.to_alice).is_empty());
    }
}

#[test]
fn a_bundle_of_an_earlier_bucket_is_refused() {
    let mut world = World::default();
    let f = world.friends();
    let (_, old) = world.server.bundle_of(f.bob);
    world.advance(700_000);
    let replay = base64(&old);
    tamper_bundles(&mut world, f.alice, move |body| {
        if body["live"][0]["bundle"].is_string() {
            body["live"][0]["bundle"] = replay.clone().into();
        }
    });
    world.say(f.alice, f.to_bob, "hello");
    assert!(refused(&world, f.alice, "stale-bundle"));
    assert!(world.texts(f.bob, f.to_alice).is_empty());
    // Control: the bundle of the present bucket is taken.
    world.server.tamper = None;
    world.advance(4_000);
    world.say(f.alice, f.to_bob, "again");
    assert_eq!(world.texts(f.bob, f.to_alice), ["again"]);
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
}

fn unbase64(text: &str) -> Vec<u8> {
    use base64::Engine;
    base64::engine::general_purpose::URL_SAFE_NO_PAD
        .decode(text)
        .unwrap()
}
