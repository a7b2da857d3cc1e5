//! Messages stand in the order in which they were said, and what is missing is told for what it is.

use client::event::{Event, MessageState};
use client::id::MessageId;
use client::testing::{Friends, Reply, World};
use serde_json::json;

fn warnings(world: &World, tab: usize, id: MessageId) -> Vec<String> {
    world.message(tab, id).unwrap().warnings
}

/// Never announces the next messages to a tab, so many, also not when they are sealed anew. Nothing is pushed.
fn drop_next(world: &mut World, tab: usize, count: usize) {
    let mut dropped: Vec<String> = Vec::new();
    world.server.delivers = false;
    world.server.tamper = Some(Box::new(move |to, reply| {
        if to != tab || !reply.announces() {
            return vec![reply];
        }
        let Reply::Text(frame) = &reply else {
            return vec![reply];
        };
        let id = frame["id"].as_str().unwrap().to_owned();
        if dropped.len() < count && !dropped.contains(&id) {
            dropped.push(id.clone());
        }
        if dropped.contains(&id) {
            Vec::new()
        } else {
            vec![reply]
        }
    }));
}

fn alarmed(world: &World, tab: usize) -> usize {
    let refused = world.refusals(tab).into_iter();
    refused.filter(|code| code == "dropped").count()
}

#[test]
fn a_message_sealed_anew_after_a_reload_stands_before_the_later_one_and_nothing_is_said() {
    let mut world = World::default();
    let f = world.friends();
    // The first reaches a tab that reloads unread, the second waits from the beginning.
    world.say(f.alice, f.to_bob, "first");
    world.advance(4_000);
    world.close(f.bob);
    let second = world.say(f.alice, f.to_bob, "second");
    let bob = world.sign_in("bob");
    assert_eq!(world.texts(bob, f.to_alice), ["second"]);
    world.advance(30_000);
    assert_eq!(world.texts(bob, f.to_alice), ["first", "second"]);
    assert_eq!(world.refusals(bob), Vec::<String>::new());
    assert!(!warnings(&world, bob, second).contains(&"dropped".to_owned()));
}

#[test]
fn messages_of_two_sessions_of_one_sender_stand_in_the_order_of_their_times() {
    let mut world = World::default();
    let f = world.friends();
    let desk = world.sign_in("alice");
    world.advance(4_000);
    world.swap_announcements(f.bob);
    world.say(f.alice, f.to_bob, "from the phone");
    world.advance(2_000);
    world.say(desk, f.to_bob, "from the desk");
    let texts = world.texts(f.bob, f.to_alice);
    assert_eq!(texts, ["from the phone", "from the desk"]);
}

#[test]
fn many_late_messages_between_two_stand_in_their_order() {
    let mut world = World::default();
    world.server.delivers = false;
    let f = world.friends();
    let bob = f.bob;
    let mut count = 0;
    let mut held = Vec::new();
    world.server.tamper = Some(Box::new(move |tab, reply| {
        if tab != bob || !reply.announces() {
            return vec![reply];
        }
        count += 1;
        match count {
            2..=21 => {
                held.push(reply);
                Vec::new()
            }
            22 => {
                // The last comes second, and the rest from the newest to the oldest.
                let mut all = vec![reply];
                all.extend(held.drain(..).rev());
                all
            }
            _ => vec![reply],
        }
    }));
    let said: Vec<String> = (0..22).map(|n| format!("number {n}")).collect();
    for text in &said {
        world.say(f.alice, f.to_bob, text);
    }
    assert_eq!(world.texts(f.bob, f.to_alice), said);
}

#[test]
fn one_refused_claim_excuses_one_message_and_does_not_end_the_alarm() {
    let mut world = World::default();
    let f = world.friends();
    world.say(f.alice, f.to_bob, "zero");
    // The server announces a message that does not exist, and refuses it.
    let frame = json!({"t": "waiting", "id": "000000000000000000000000000000aa", "burn": false,
        "size": 1, "expires_at": world.server.now() + 60, "target": "account",
        "from": "000000000000000000000000000000bb"});
    world.server.push(f.bob, Reply::Text(frame));
    world.settle();
    drop_next(&mut world, f.bob, 2);
    for text in ["one", "two"] {
        world.say(f.alice, f.to_bob, text);
    }
    let three = world.say(f.alice, f.to_bob, "three");
    world.advance(16_000);
    assert_eq!(warnings(&world, f.bob, three), ["dropped"]);
    // One that another session took is said, and is no alarm.
    drop_next(&mut world, f.bob, 1);
    world.say(f.alice, f.to_bob, "four");
    let five = world.say(f.alice, f.to_bob, "five");
    world.advance(16_000);
    assert_eq!(warnings(&world, f.bob, five), ["elsewhere"]);
    // The excuse is used up.
    drop_next(&mut world, f.bob, 1);
    world.say(f.alice, f.to_bob, "six");
    let seven = world.say(f.alice, f.to_bob, "seven");
    world.advance(16_000);
    assert_eq!(warnings(&world, f.bob, seven), ["dropped"]);
    assert_eq!(alarmed(&world, f.bob), 2);
}

/// Bob is away without a tab closing: what comes meanwhile is not announced to him.
fn missed(life_secs: u32) -> (World, Friends, MessageId) {
    let mut world = World::default();
    let f = world.friends();
    let first = world.say(f.alice, f.to_bob, "zero");
    world.show(f.bob, f.to_alice, vec![first]);
    drop_next(&mut world, f.bob, 1);
    world.say_with(f.alice, f.to_bob, "short-lived", None, Some(life_secs));
    world.advance(8_000);
    let next = world.say(f.alice, f.to_bob, "next");
    world.advance(16_000);
    (world, f, next)
}

#[test]
fn a_message_that_expired_unread_is_told_from_one_that_was_lost() {
    let (world, f, next) = missed(5);
    assert_eq!(warnings(&world, f.bob, next), ["expired-before"]);
    assert_eq!(alarmed(&world, f.bob), 0);
    let (world, f, next) = missed(3_600);
    assert_eq!(warnings(&world, f.bob, next), ["dropped"]);
    assert_eq!(alarmed(&world, f.bob), 1);
}

#[test]
fn an_alarm_is_withdrawn_when_the_missing_message_comes_after_all() {
    let mut world = World::default();
    let f = world.friends();
    world.say(f.alice, f.to_bob, "zero");
    drop_next(&mut world, f.bob, 1);
    let one = world.say(f.alice, f.to_bob, "one");
    let two = world.say(f.alice, f.to_bob, "two");
    world.advance(9_000);
    assert!(warnings(&world, f.bob, two).is_empty(), "it may come yet");
    world.advance(7_000);
    let waiting = json!({"t": "waiting", "id": one.to_string(), "burn": false, "size": 1,
        "expires_at": world.server.now() + 60, "target": "live",
        "from": f.to_alice.to_string()});
    world.server.tamper = None;
    world.server.push(f.bob, Reply::Text(waiting));
    world.settle();
    assert!(warnings(&world, f.bob, two).is_empty());
    assert_eq!(warnings(&world, f.bob, one), ["late"]);
    assert_eq!(world.texts(f.bob, f.to_alice), ["zero", "one", "two"]);
}

#[test]
fn the_first_message_that_is_seen_says_that_it_is_not_the_first_that_was_sent() {
    let mut world = World::default();
    let f = world.friends();
    let read = world.say(f.alice, f.to_bob, "read before");
    world.show(f.bob, f.to_alice, vec![read]);
    let bob = world.reload(f.bob);
    world.advance(4_000);
    let id = world.say(f.alice, f.to_bob, "after the reload");
    assert_eq!(warnings(&world, bob, id), ["first"]);
    let next = world.say(f.alice, f.to_bob, "and another");
    assert!(warnings(&world, bob, next).is_empty());
    assert_eq!(world.refusals(bob), Vec::<String>::new());
}

#[test]
fn what_a_session_said_before_its_reload_cannot_be_dropped_unseen() {
    for attack in [false, true] {
        let mut world = World::default();
        let f = world.friends();
        world.say(f.alice, f.to_bob, "zero");
        if attack {
            drop_next(&mut world, f.bob, 1);
        }
        let last = world.say(f.alice, f.to_bob, "the last before the reload");
        // The safe takes note of it within five minutes.
        world.advance(301_000);
        let alice = world.reload(f.alice);
        world.advance(4_000);
        let next = world.say(alice, f.to_bob, "after the reload");
        world.advance(16_000);
        let expected: &[&str] = if attack { &["dropped"] } else { &[] };
        assert_eq!(warnings(&world, f.bob, next), expected);
        assert_eq!(world.message(f.bob, last).is_none(), attack);
    }
}

#[test]
fn a_message_on_the_screen_moves_down_for_one_that_was_said_before_it() {
    let mut world = World::default();
    let f = world.friends();
    world.swap_announcements(f.bob);
    let one = world.say(f.alice, f.to_bob, "one");
    let two = world.say(f.alice, f.to_bob, "two");
    let places: Vec<u64> = [one, two]
        .iter()
        .map(|id| world.message(f.bob, *id).unwrap().place)
        .collect();
    assert!(places[0] < places[1]);
    let told = world.tab(f.bob).events.iter();
    let shown = told.filter(|event| {
        matches!(event, Event::Message { message, .. } if message.state == MessageState::Unread)
    });
    assert!(shown.count() >= 2);
}
