//! Which session bundle is published, and what is opened with it while its bucket ends.

use std::cell::RefCell;
use std::rc::Rc;

use client::testing::{Reply, World};
use protocol::envelope::Content;
use serde_json::json;

use super::forge::{Forger, live};

fn text() -> Content {
    Content::text("to be read by whoever has the key")
}

/// Lets time pass until so many seconds of the next bucket are over.
fn until_after_bucket(world: &mut World, secs: u64) {
    let left = 300_000 - world.server.now_ms % 300_000;
    world.advance(left + secs * 1_000);
}

#[test]
fn a_session_that_connects_again_publishes_the_bundle_of_its_bucket_once_more() {
    let mut world = World::default();
    let f = world.acquainted();
    let first = world.server.bundle_of(f.bob);
    for _ in 0..3 {
        world.cut(f.bob);
        world.advance(10_000);
        assert_eq!(world.server.bundle_of(f.bob), first);
    }
    until_after_bucket(&mut world, 1);
    let second = world.server.bundle_of(f.bob);
    assert_ne!(second, first);
    world.cut(f.bob);
    world.advance(10_000);
    assert_eq!(world.server.bundle_of(f.bob), second);
}

#[test]
fn a_session_pair_made_late_in_its_bucket_goes_a_minute_after_its_end_all_the_same() {
    for (secs, opened) in [(58, true), (63, false)] {
        let mut world = World::default();
        let mut f = world.friends();
        world.close(f.bob);
        let left = 300_000 - world.server.now_ms % 300_000;
        world.advance(left - 10_000);
        f.bob = world.sign_in("bob");
        let bob = world.server.user("bob");
        let mut mallory = Forger::plant(&mut world, "mallory", 1);
        let (then, old) = (world.server.now(), live(&world, f.bob, &bob));
        until_after_bucket(&mut world, secs);
        mallory.post(&mut world, &old, &text(), then);
        world.settle();
        let asks = world.requests(f.bob).len();
        assert_eq!(asks == 1, opened, "{secs}: {:?}", world.refusals(f.bob));
    }
}

#[test]
fn what_is_being_fetched_when_the_bucket_of_its_pair_ends_is_opened() {
    let mut world = World::default();
    world.server.delivers = false;
    let f = world.acquainted();
    let bob = world.server.user("bob");
    let mut mallory = Forger::plant(&mut world, "mallory", 1);
    let (then, old) = (world.server.now(), live(&world, f.bob, &bob));
    until_after_bucket(&mut world, 57);
    let held = Rc::new(RefCell::new(None));
    let (to, kept) = (f.bob, held.clone());
    world.server.tamper = Some(Box::new(move |tab, reply| match reply {
        Reply::Binary(_) if tab == to => {
            *kept.borrow_mut() = Some(reply);
            Vec::new()
        }
        _ => vec![reply],
    }));
    mallory.post(&mut world, &old, &text(), then);
    world.settle();
    world.advance(6_000);
    world.server.tamper = None;
    let parcel = held.borrow_mut().take().expect("a claim was answered");
    world.server.push(f.bob, parcel);
    world.settle();
    assert_eq!(
        world.requests(f.bob).len(),
        1,
        "{:?}",
        world.refusals(f.bob)
    );
}

#[test]
fn what_waits_for_the_keys_of_its_sender_when_the_bucket_of_its_pair_ends_is_opened() {
    let mut world = World::default();
    let f = world.acquainted();
    let bob = world.server.user("bob");
    let mut mallory = Forger::plant(&mut world, "mallory", 1);
    let (then, old) = (world.server.now(), live(&world, f.bob, &bob));
    until_after_bucket(&mut world, 57);
    let asked = format!("GET /users/{}", mallory.user);
    world.slow = Some(Box::leak(asked.into_boxed_str()));
    mallory.post(&mut world, &old, &text(), then);
    world.settle();
    world.advance(6_000);
    assert!(world.requests(f.bob).is_empty());
    world.arrive();
    assert_eq!(
        world.requests(f.bob).len(),
        1,
        "{:?}",
        world.refusals(f.bob)
    );
}

#[test]
fn a_claim_that_ended_with_its_connection_delays_nothing_on_the_next() {
    let mut world = World::default();
    let f = world.acquainted();
    let to = f.bob;
    world.server.tamper = Some(Box::new(move |tab, reply| match reply {
        Reply::Binary(_) if tab == to => Vec::new(),
        _ => vec![reply],
    }));
    world.say(f.alice, f.to_bob, "three");
    world.server.tamper = None;
    world.cut(f.bob);
    world.advance(2_000);
    assert_eq!(world.texts(f.bob, f.to_alice), ["one", "two", "three"]);
}

#[test]
fn a_claim_that_the_server_denies_is_not_acknowledged_later() {
    let mut world = World::default();
    let f = world.acquainted();
    let id = world.say(f.alice, f.to_bob, "three");
    let frame = json!({"t": "refused", "re": "cannot_open", "id": id.to_string(),
        "code": "stale-claim", "detail": ""});
    world.server.push(f.bob, Reply::Text(frame));
    world.settle();
    let read = world.server.traffic.len();
    world.show(f.bob, f.to_alice, vec![id]);
    let frames = world.server.traffic[read..].iter();
    let mut frames = frames.map(|bytes| String::from_utf8_lossy(bytes));
    let id = id.to_string();
    assert!(!frames.any(|frame| frame.contains("\"ack\"") && frame.contains(&id)));
}
