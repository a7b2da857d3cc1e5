//! Messages that are held back, exchanged, repeated or given to the wrong person.

use client::testing::{Reply, World};
use protocol::envelope::{ParcelRef, Target};
use protocol::ids::MessageId;

use super::{nothing_refused, refused};

#[test]
fn a_message_delivered_after_a_later_one_is_shown_where_it_was_said_and_named_late() {
    for attack in [false, true] {
        let mut world = World::default();
        let f = world.friends();
        world.say(f.alice, f.to_bob, "zero");
        if attack {
            world.swap_announcements(f.bob);
        }
        let one = world.say(f.alice, f.to_bob, "one");
        let two = world.say(f.alice, f.to_bob, "two");
        world.advance(16_000);
        assert_eq!(world.texts(f.bob, f.to_alice), ["zero", "one", "two"]);
        nothing_refused(&world, f.bob);
        let named = world.message(f.bob, one).unwrap().warnings;
        assert_eq!(named.contains(&"late".to_owned()), attack);
        assert!(world.message(f.bob, two).unwrap().warnings.is_empty());
    }
}

#[test]
fn a_message_that_is_held_back_is_missed_when_the_next_one_comes() {
    for attack in [false, true] {
        let mut world = World::default();
        world.server.delivers = false;
        let f = world.friends();
        world.say(f.alice, f.to_bob, "zero");
        if attack {
            let bob = f.bob;
            let mut dropped = None;
            world.server.tamper = Some(Box::new(move |tab, reply| match &reply {
                Reply::Text(frame) if tab == bob && reply.announces() => {
                    // Also when its sender seals it anew.
                    let first = dropped.get_or_insert_with(|| frame["id"].clone());
                    if *first == frame["id"] {
                        Vec::new()
                    } else {
                        vec![reply]
                    }
                }
                _ => vec![reply],
            }));
        }
        world.say(f.alice, f.to_bob, "one");
        let two = world.say(f.alice, f.to_bob, "two");
        world.advance(16_000);
        let view = world.message(f.bob, two).unwrap();
        if attack {
            assert!(refused(&world, f.bob, "dropped"));
            assert_eq!(view.warnings, ["dropped"]);
        } else {
            nothing_refused(&world, f.bob);
            assert!(view.warnings.is_empty());
        }
    }
}

#[test]
fn a_message_that_was_shown_is_not_shown_again_in_any_session() {
    let mut world = World::default();
    let f = world.friends();
    world.close(f.bob);
    world.advance(4_000);
    let id = world.say(f.alice, f.to_bob, "once only");
    let kept = world.server.messages.clone();
    let first = world.sign_in("bob");
    assert_eq!(world.texts(first, f.to_alice), ["once only"]);
    world.show(first, f.to_alice, vec![id]);
    assert!(world.server.messages.is_empty());
    world.close(first);
    // The enemy kept a copy and delivers it to the next session.
    world.server.messages = kept.clone();
    let second = world.sign_in("bob");
    assert!(world.texts(second, f.to_alice).is_empty());
    assert!(refused(&world, second, "replayed"));
    assert!(world.server.messages.is_empty(), "acknowledged, not shown");
    world.close(second);
    // Control: the same copy in the hands of a session that has not marked it would have opened.
    let fresh = {
        let mut world = World::default();
        let f = world.friends();
        world.close(f.bob);
        world.advance(4_000);
        world.say(f.alice, f.to_bob, "once only");
        let tab = world.sign_in("bob");
        world.texts(tab, f.to_alice)
    };
    assert_eq!(fresh, ["once only"]);
}

#[test]
fn what_was_made_for_somebody_else_is_refused() {
    let mut world = World::default();
    world.server.delivers = false;
    let f = world.friends();
    let (carol, _) = world.register("carol");
    world.befriend(f.alice, carol, "carol");
    let to_carol = world.id("carol");
    world.tabs[carol] = None;
    world.say(f.alice, to_carol, "for carol");
    let (id, held) = world.server.messages.iter().next().unwrap();
    let (id, held) = (*id, held.clone());
    let (live, _) = world.server.bundle_of(f.bob);
    // The enemy announces it to bob and hands over carol's parcel as it is.
    let bob = f.bob;
    let frame = serde_json::json!({"t": "waiting", "id": id.to_string(), "burn": false,
        "size": 1, "expires_at": held.expires_at, "target": "live", "from": held.poster.to_string()});
    let parcel = protocol::envelope::Parcel {
        message_id: id,
        token: [7; 16],
        lease_ms: 30_000,
        target: *held.slots.keys().next().unwrap(),
        slot: held.slots.values().next().unwrap().bytes.clone(),
        body: held.body.clone(),
    };
    let bytes = parcel.encode();
    world.server.tamper = Some(Box::new(move |tab, reply| match &reply {
        Reply::Text(frame) if tab == bob && frame["re"] == "claim" => {
            vec![Reply::Binary(bytes.clone())]
        }
        _ => vec![reply],
    }));
    world.server.push(f.bob, Reply::Text(frame));
    world.settle();
    assert!(refused(&world, f.bob, "cross-delivered"));

    // The same with bob's name on it: the keys are not his either.
    world.server.tamper = None;
    let account = world.server.user("bob");
    let other = MessageId::from_bytes([9; 16]);
    let mut forged = held.clone();
    let slot = forged.slots.values().next().unwrap().clone();
    forged.slots = [(
        Target::Live {
            account,
            live_id: live,
        },
        slot,
    )]
    .into();
    world.server.messages.insert(other, forged);
    let frame = serde_json::json!({"t": "waiting", "id": other.to_string(), "burn": false,
        "size": 1, "expires_at": held.expires_at, "target": "live", "from": held.poster.to_string()});
    world.server.push(f.bob, Reply::Text(frame));
    world.settle();
    assert!(refused(&world, f.bob, "cannot-open"));
    assert!(world.texts(f.bob, f.to_alice).is_empty());

    // Control: a message of alice to bob opens.
    world.say(f.alice, f.to_bob, "for bob");
    assert_eq!(world.texts(f.bob, f.to_alice), ["for bob"]);
}

#[test]
fn a_slot_moved_to_another_body_is_refused() {
    for attack in [false, true] {
        let mut world = World::default();
        let f = world.friends();
        world.close(f.bob);
        world.advance(4_000);
        world.say(f.alice, f.to_bob, "yes");
        world.say(f.alice, f.to_bob, "no");
        if attack {
            let ids: Vec<MessageId> = world.server.messages.keys().copied().collect();
            let first = world.server.messages[&ids[0]].body.clone();
            let second = world.server.messages[&ids[1]].body.clone();
            world.server.messages.get_mut(&ids[0]).unwrap().body = second;
            world.server.messages.get_mut(&ids[1]).unwrap().body = first;
        }
        let bob = world.sign_in("bob");
        if attack {
            // Both, and both again after alice sealed them once more for bob.
            assert_eq!(world.refusals(bob), vec!["moved-slot"; 4]);
            assert!(world.texts(bob, f.to_alice).is_empty());
        } else {
            nothing_refused(&world, bob);
            assert_eq!(world.texts(bob, f.to_alice), ["yes", "no"]);
        }
    }
}

#[test]
fn a_parcel_of_an_unknown_suite_or_version_is_refused() {
    for (at, code) in [
        (2, Some("unknown-suite")),
        (1, Some("unknown-version")),
        (0, None),
    ] {
        for inner in [false, true] {
            let mut world = World::default();
            let f = world.friends();
            let bob = f.bob;
            world.server.tamper = Some(Box::new(move |tab, reply| match reply {
                Reply::Binary(mut bytes) if tab == bob && code.is_some() => {
                    let slot = ParcelRef::decode(&bytes).unwrap().slot.to_vec();
                    let start = if inner {
                        bytes.windows(slot.len()).position(|w| w == slot).unwrap()
                    } else {
                        0
                    };
                    bytes[start + at] = 2;
                    vec![Reply::Binary(bytes)]
                }
                other => vec![other],
            }));
            world.say(f.alice, f.to_bob, "hello");
            match code {
                Some(code) => {
                    assert!(refused(&world, f.bob, code), "{:?}", world.refusals(f.bob));
                    assert!(world.texts(f.bob, f.to_alice).is_empty());
                }
                None => assert_eq!(world.texts(f.bob, f.to_alice), ["hello"]),
            }
        }
    }
}
