//! Messages that a server pushes: without a word, twice, for others, too many, or with claims that are over.

use std::cell::RefCell;
use std::rc::Rc;

use client::Command;
use client::testing::{Friends, Reply, World};
use protocol::envelope::{Parcel, Target};
use protocol::ids::MessageId;
use serde_json::json;

use super::rests::claims_of;
use super::{nothing_refused, refused};

/// Two who know each other, and bob's look-up of alice's keys is under way: what is pushed waits for its turn.
fn busy() -> (World, Friends) {
    let mut world = World::default();
    let f = world.friends();
    world.advance(301_000);
    let lookup = format!("GET /users/{}", f.to_alice);
    world.slow = Some(lookup.leak());
    world.say(f.alice, f.to_bob, "first");
    assert!(world.texts(f.bob, f.to_alice).is_empty());
    (world, f)
}

fn is_pushed(reply: &Reply) -> bool {
    matches!(reply, Reply::Text(frame) if frame["t"] == "pushed")
}

/// Keeps what is pushed to a tab, beside delivering it.
fn keep_pushes(world: &mut World, tab: usize) -> Rc<RefCell<Vec<Reply>>> {
    let kept = Rc::new(RefCell::new(Vec::new()));
    let keeper = Rc::clone(&kept);
    world.server.tamper = Some(Box::new(move |to, reply| {
        if to == tab && (is_pushed(&reply) || matches!(reply, Reply::Binary(_))) {
            keeper.borrow_mut().push(reply.clone());
        }
        vec![reply]
    }));
    kept
}

/// Says a text of which bob hears nothing.
fn say_unheard(world: &mut World, f: &Friends, text: &str) -> MessageId {
    let bob = f.bob;
    world.server.delivers = false;
    world.server.tamper = Some(Box::new(move |to, reply| {
        if to == bob && reply.announces() {
            return Vec::new();
        }
        vec![reply]
    }));
    let id = world.say(f.alice, f.to_bob, text);
    world.server.tamper = None;
    id
}

/// The frames that push a held message to a tab, claimed by nobody.
fn push_of(world: &World, id: MessageId, lease_ms: u32) -> [Reply; 2] {
    let held = &world.server.messages[&id];
    let (target, slot) = held.slots.iter().next().unwrap();
    let told = json!({"t": "pushed", "id": id.to_string(), "burn": false, "size": 1,
        "expires_at": held.expires_at, "target": "live", "from": held.poster.to_string()});
    let parcel = Parcel {
        message_id: id,
        token: [7; 16],
        lease_ms,
        target: *target,
        slot: slot.bytes.clone(),
        body: held.body.clone(),
    };
    [Reply::Text(told), Reply::Binary(parcel.encode())]
}

fn push(world: &mut World, tab: usize, replies: impl IntoIterator<Item = Reply>) {
    for reply in replies {
        world.server.push(tab, reply);
    }
    world.settle();
}

#[test]
fn what_is_pushed_is_opened_without_a_claim_and_acknowledged_under_its_own() {
    for pushes in [true, false] {
        let mut world = World::default();
        let f = world.friends();
        world.server.delivers = pushes;
        let id = world.say(f.alice, f.to_bob, "one trip");
        assert_eq!(world.texts(f.bob, f.to_alice), ["one trip"]);
        assert_eq!(claims_of(&world, id), usize::from(!pushes));
        world.show(f.bob, f.to_alice, vec![id]);
        world.advance(6_000);
        assert!(world.server.messages.is_empty());
        assert_eq!(claims_of(&world, id), usize::from(!pushes));
        nothing_refused(&world, f.bob);
    }
}

#[test]
fn pushed_messages_take_their_turns_and_what_is_beyond_eight_is_claimed() {
    let (mut world, f) = busy();
    let ids: Vec<_> = (0..9)
        .map(|n| world.say(f.alice, f.to_bob, &n.to_string()))
        .collect();
    world.arrive();
    let mut said: Vec<String> = (0..9).map(|n: u32| n.to_string()).collect();
    said.insert(0, "first".to_owned());
    assert_eq!(world.texts(f.bob, f.to_alice), said);
    let claims: Vec<usize> = ids.iter().map(|id| claims_of(&world, *id)).collect();
    assert_eq!(claims, [0, 0, 0, 0, 0, 0, 0, 1, 1]);
    nothing_refused(&world, f.bob);
}

#[test]
fn a_parcel_of_which_nothing_was_said_is_refused() {
    for attack in [false, true] {
        let mut world = World::default();
        let f = world.friends();
        let bob = f.bob;
        world.server.tamper = Some(Box::new(move |to, reply| {
            if attack && to == bob && is_pushed(&reply) {
                return Vec::new();
            }
            vec![reply]
        }));
        world.say(f.alice, f.to_bob, "hello");
        if attack {
            assert!(refused(&world, f.bob, "cross-delivered"));
            assert!(world.texts(f.bob, f.to_alice).is_empty());
            // When the claim that it was pushed with is over, it is announced.
            world.server.tamper = None;
            world.advance(31_000);
        } else {
            nothing_refused(&world, f.bob);
        }
        assert_eq!(world.texts(f.bob, f.to_alice), ["hello"]);
    }
}

#[test]
fn what_is_for_another_session_is_refused_although_the_server_spoke_of_it() {
    let mut world = World::default();
    let f = world.friends();
    let (carol, _) = world.register("carol");
    world.befriend(f.alice, carol, "carol");
    let to_carol = world.id("carol");
    world.tabs[carol] = None;
    let id = world.say(f.alice, to_carol, "for carol");
    let frames = push_of(&world, id, 30_000);
    push(&mut world, f.bob, frames);
    assert_eq!(world.refusals(f.bob), ["cross-delivered"]);

    // Nor what any session of his account may claim: that is announced.
    let slots = &mut world.server.messages.get_mut(&id).unwrap().slots;
    let slot = slots.pop_first().unwrap().1;
    let account = world.server.user("bob");
    let slots = &mut world.server.messages.get_mut(&id).unwrap().slots;
    slots.insert(Target::Account { account }, slot);
    let frames = push_of(&world, id, 30_000);
    push(&mut world, f.bob, frames);
    assert_eq!(world.refusals(f.bob), ["cross-delivered"; 2]);
    assert!(world.texts(f.bob, f.to_alice).is_empty());

    // Control.
    world.say(f.alice, f.to_bob, "for bob");
    assert_eq!(world.texts(f.bob, f.to_alice), ["for bob"]);
}

#[test]
fn what_is_pushed_twice_or_after_it_was_read_is_shown_once() {
    let mut world = World::default();
    let f = world.friends();
    let kept = keep_pushes(&mut world, f.bob);
    let id = world.say(f.alice, f.to_bob, "once");
    world.server.tamper = None;
    let frames = kept.borrow().clone();
    assert_eq!(frames.len(), 2);
    push(&mut world, f.bob, frames.clone());
    assert_eq!(world.texts(f.bob, f.to_alice), ["once"]);
    world.show(f.bob, f.to_alice, vec![id]);
    world.advance(6_000);
    assert!(world.server.messages.is_empty());
    push(&mut world, f.bob, frames);
    assert_eq!(world.texts(f.bob, f.to_alice), ["once"]);
    assert_eq!(claims_of(&world, id), 0);
    nothing_refused(&world, f.bob);
}

#[test]
fn what_is_pushed_twice_before_its_turn_is_shown_once() {
    let (mut world, f) = busy();
    let kept = keep_pushes(&mut world, f.bob);
    let id = world.say(f.alice, f.to_bob, "once");
    world.server.tamper = None;
    let frames = kept.borrow().clone();
    push(&mut world, f.bob, frames);
    world.arrive();
    assert_eq!(world.texts(f.bob, f.to_alice), ["first", "once"]);
    assert_eq!(claims_of(&world, id), 0);
    nothing_refused(&world, f.bob);
}

#[test]
fn of_a_flood_the_last_eight_are_kept_and_the_others_are_claimed_in_their_order() {
    let (mut world, f) = busy();
    let mut said = vec!["first".to_owned()];
    let mut ids = Vec::new();
    for n in 0..30 {
        said.push(n.to_string());
        ids.push(say_unheard(&mut world, &f, &n.to_string()));
    }
    for id in &ids {
        let frames = push_of(&world, *id, 30_000);
        push(&mut world, f.bob, frames);
    }
    world.arrive();
    assert_eq!(world.texts(f.bob, f.to_alice), said);
    let claims: Vec<usize> = ids.iter().map(|id| claims_of(&world, *id)).collect();
    assert_eq!(claims, [[1; 22].as_slice(), &[0; 8]].concat());
    // What the server says of claims that were never made is found out when they are acknowledged.
    world.show(f.bob, f.to_alice, ids);
    world.advance(70_000);
    assert_eq!(world.server.messages.len(), 1, "but the first");
    nothing_refused(&world, f.bob);
}

#[test]
fn what_was_pushed_is_claimed_when_its_lease_is_over_before_its_turn() {
    for (lease_ms, claims) in [(30_000, 0), (2_000, 1)] {
        let (mut world, f) = busy();
        let id = say_unheard(&mut world, &f, "second");
        let frames = push_of(&world, id, lease_ms);
        push(&mut world, f.bob, frames);
        world.advance(3_000);
        world.arrive();
        assert_eq!(world.texts(f.bob, f.to_alice), ["first", "second"]);
        assert_eq!(claims_of(&world, id), claims);
        nothing_refused(&world, f.bob);
    }
}

#[test]
fn what_the_session_can_claim_again_is_claimed_and_what_others_can_is_not() {
    for (target, claims) in [("live", 1), ("account", 0)] {
        let (mut world, f) = busy();
        let id = world.say(f.alice, f.to_bob, "second");
        let held = world.server.messages.get_mut(&id).unwrap();
        let slot = held.slots.values_mut().next().unwrap();
        slot.claim = None;
        let told = json!({"t": "waiting", "id": id.to_string(), "burn": false, "size": 1,
            "expires_at": held.expires_at, "target": target, "from": held.poster.to_string()});
        push(&mut world, f.bob, [Reply::Text(told)]);
        world.arrive();
        assert_eq!(world.texts(f.bob, f.to_alice), ["first", "second"]);
        assert_eq!(claims_of(&world, id), claims);
        nothing_refused(&world, f.bob);
    }
}

#[test]
fn a_claim_that_is_lost_to_a_push_of_the_same_message_takes_nothing_away() {
    let mut world = World::default();
    let f = world.friends();
    world.advance(301_000);
    world.slow = Some(format!("GET /users/{}", f.to_alice).leak());
    let bob = f.bob;
    let mut kept = Vec::new();
    world.server.tamper = Some(Box::new(move |to, reply| match &reply {
        Reply::Text(frame) if to == bob && frame["t"] == "pushed" => {
            // It was listed a moment before.
            let mut listed = frame.clone();
            listed["t"] = json!("waiting");
            kept.push(reply);
            vec![Reply::Text(listed)]
        }
        Reply::Binary(_) if to == bob => {
            kept.push(reply);
            Vec::new()
        }
        Reply::Text(frame) if to == bob && frame["re"] == "claim" => {
            assert_eq!(frame["code"], "taken");
            kept.drain(..).chain([reply]).collect()
        }
        _ => vec![reply],
    }));
    let id = world.say(f.alice, f.to_bob, "hello");
    assert_eq!(claims_of(&world, id), 1);
    world.arrive();
    assert_eq!(world.texts(f.bob, f.to_alice), ["hello"]);
    nothing_refused(&world, f.bob);
}

#[test]
fn what_was_pushed_and_not_opened_is_claimed_over_the_next_connection() {
    let (mut world, f) = busy();
    let ids = ["second", "third"].map(|text| world.say(f.alice, f.to_bob, text));
    world.cut(f.bob);
    world.arrive();
    world.advance(2_000);
    assert_eq!(world.texts(f.bob, f.to_alice), ["first", "second", "third"]);
    assert_eq!(ids.map(|id| claims_of(&world, id)), [1, 1]);
    nothing_refused(&world, f.bob);
}

#[test]
fn what_was_pushed_keeps_its_turn_when_the_whole_list_comes_without_it() {
    let (mut world, f) = busy();
    let bob = f.bob;
    let late = Rc::new(RefCell::new(None));
    let list = Rc::clone(&late);
    world.server.tamper = Some(Box::new(move |to, mut reply| {
        match &mut reply {
            Reply::Text(frame) if to == bob && frame["t"] == "hello" => {
                frame["more"] = json!(true);
            }
            Reply::Text(frame)
                if to == bob && frame["t"] == "listed" && list.borrow().is_none() =>
            {
                list.replace(Some(reply));
                return Vec::new();
            }
            _ => {}
        }
        vec![reply]
    }));
    world.cut(f.bob);
    // Bundles that alice fetched while he was away serve for three seconds.
    world.advance(4_000);
    let id = world.say(f.alice, f.to_bob, "second");
    assert!(world.texts(f.bob, f.to_alice).is_empty());
    let list = late.borrow().clone().expect("a list");
    world.server.push(f.bob, list);
    world.settle();
    world.arrive();
    assert_eq!(world.texts(f.bob, f.to_alice), ["first", "second"]);
    assert_eq!(claims_of(&world, id), 0);
    nothing_refused(&world, f.bob);
}

#[test]
fn a_long_message_that_was_pushed_is_fetched_in_its_turn() {
    let (mut world, f) = busy();
    let long = "word ".repeat(8_000);
    let id = world.say(f.alice, f.to_bob, &long);
    let fetched = |world: &World| {
        let mut log = world.server.log.iter();
        log.any(|line| line.starts_with("GET /messages/sealed/"))
    };
    assert!(!fetched(&world));
    world.arrive();
    assert_eq!(world.texts(f.bob, f.to_alice), ["first", &*long]);
    assert!(fetched(&world));
    assert_eq!(claims_of(&world, id), 0);
    nothing_refused(&world, f.bob);
}

#[test]
fn a_session_that_locks_gives_back_what_was_pushed() {
    let (mut world, f) = busy();
    let id = world.say(f.alice, f.to_bob, "second");
    world.command(f.bob, Command::Lock);
    let held = &world.server.messages[&id];
    assert!(held.slots.values().all(|slot| slot.claim.is_none()));
}
