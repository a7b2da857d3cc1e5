//! What is asked for before something is sealed, and which keys it is sealed to.

use client::Command;
use client::command::ChatChange;
use client::event::MessageState;
use client::id::MessageId;
use client::testing::{Friends, Reply, World};
use protocol::ids::LiveId;
use serde_json::{Value, json};

use super::{all_read, asked_for_keys, says};

/// How often a prekey was asked for.
fn prekeys_wanted(world: &World) -> usize {
    let sent = world.server.traffic.iter();
    sent.filter_map(|bytes| serde_json::from_slice::<Value>(bytes).ok())
        .filter(|body| body["want_prekey"] == true)
        .count()
}

/// Contacts of whom one keeps the chat off the waiting path, if so, and the other's tab hangs: the server
/// still believes it is live.
fn hanging(world: &mut World, live_only: bool) -> (Friends, LiveId) {
    let f = all_read(world);
    let change = ChatChange {
        live_only: Some(live_only),
        ..ChatChange::default()
    };
    let chat = f.to_bob;
    world.command(f.alice, Command::SetChat { chat, change });
    let (live, _) = world.server.bundle_of(f.bob);
    world.tabs[f.bob] = None;
    (f, live)
}

#[test]
fn a_message_without_keys_says_why_and_for_the_next_one_they_are_asked_for_at_once() {
    for prekey in [Value::Null, json!("AAAA")] {
        let mut world = World::default();
        let f = all_read(&mut world);
        world.close(f.bob);
        world.advance(4_000);
        let expected = if prekey.is_null() {
            "no-keys"
        } else {
            "malformed"
        };
        let asked = format!("POST /users/{}/bundles", f.to_bob);
        world.server.tamper = Some(Box::new(move |_, mut reply| {
            if let Reply::Json { request, body, .. } = &mut reply
                && *request == asked
            {
                body["prekey"] = prekey.clone();
            }
            vec![reply]
        }));
        let id = world.say(f.alice, f.to_bob, "three");
        let view = world.message(f.alice, id).unwrap();
        assert_eq!(view.state, MessageState::Failed);
        assert_eq!(view.failure.as_deref(), Some(expected));
        world.server.tamper = None;
        let id = world.say(f.alice, f.to_bob, "four");
        assert_eq!(world.message(f.alice, id).unwrap().path, "waiting");
    }
}

#[test]
fn a_prekey_is_asked_for_only_where_something_is_to_rest() {
    for (live_only, resealed, expected) in [
        (false, None, 1),
        (true, None, 0),
        (false, Some(true), 0),
        (true, Some(true), 0),
        // The slot is a live one, also where only its account is named.
        (false, Some(false), 0),
        (true, Some(false), 0),
    ] {
        let mut world = World::default();
        let (f, session) = hanging(&mut world, live_only);
        let id = world.say(f.alice, f.to_bob, "three");
        world.advance(4_000);
        let before = prekeys_wanted(&world);
        let asked = asked_for_keys(&world, f.to_bob);
        match resealed {
            Some(true) => says(&mut world, &f, id, "cannot_open", (session, true)),
            Some(false) => says(&mut world, &f, id, "cannot_open", (f.to_bob, false)),
            None => world.advance(7_000),
        }
        let case = format!("{live_only} {resealed:?}");
        assert_eq!(prekeys_wanted(&world) - before, expected, "{case}");
        assert_eq!(asked_for_keys(&world, f.to_bob) - asked, 1, "{case}");
    }
}

#[test]
fn what_nobody_takes_rests_in_time_though_ordinary_keys_came_a_moment_ago() {
    let mut world = World::default();
    let (f, _) = hanging(&mut world, false);
    let id = world.say(f.alice, f.to_bob, "three");
    world.advance(9_000);
    world.say(f.alice, f.to_bob, "four");
    world.advance(1_500);
    assert_eq!(world.message(f.alice, id).unwrap().path, "waiting");
}

#[test]
fn with_a_prekey_at_hand_what_is_said_next_goes_to_live_sessions_all_the_same() {
    let mut world = World::default();
    let (f, _) = hanging(&mut world, false);
    let id = world.say(f.alice, f.to_bob, "three");
    world.advance(10_500);
    assert_eq!(world.message(f.alice, id).unwrap().path, "waiting");
    let asked = asked_for_keys(&world, f.to_bob);
    let id = world.say(f.alice, f.to_bob, "four");
    assert_eq!(asked_for_keys(&world, f.to_bob), asked, "they are at hand");
    assert_eq!(world.message(f.alice, id).unwrap().path, "live");
}

#[test]
fn a_request_goes_to_live_sessions_where_the_server_gives_no_prekey() {
    let mut world = World::default();
    let (alice, _) = world.register("alice");
    let (bob, _) = world.register("bob");
    world.server.tamper = Some(Box::new(|_, mut reply| {
        if let Reply::Json { request, body, .. } = &mut reply
            && request.ends_with("/bundles")
        {
            body["prekey"] = Value::Null;
        }
        vec![reply]
    }));
    world.command(
        alice,
        Command::RequestContact {
            handle: "bob".into(),
            greeting: "hello".into(),
        },
    );
    assert_eq!(world.requests(bob).len(), 1);
}

#[test]
fn each_epoch_of_what_is_to_rest_asks_for_a_prekey_of_its_own() {
    for (messages, prekeys) in [(50, 1), (51, 2)] {
        let mut world = World::default();
        let f = all_read(&mut world);
        // Alice's tab hangs. Nothing of bob's has waited for her yet.
        world.tabs[f.alice] = None;
        let ids: Vec<MessageId> = (0..messages)
            .map(|n| world.say(f.bob, f.to_alice, &n.to_string()))
            .collect();
        let before = prekeys_wanted(&world);
        world.advance(12_000);
        assert_eq!(prekeys_wanted(&world) - before, prekeys, "{messages}");
        for id in ids {
            assert_eq!(world.message(f.bob, id).unwrap().path, "waiting");
        }
    }
}

#[test]
fn the_chat_list_shows_whether_the_last_message_found_somebody_there() {
    let mut world = World::default();
    let f = world.acquainted();
    for there in [true, false] {
        world.say(f.alice, f.to_bob, "hello?");
        assert_eq!(world.chats(f.alice)[0].live, there);
        world.close(f.bob);
        world.advance(4_000);
    }
}

#[test]
fn a_prekey_of_a_batch_that_was_seen_before_costs_no_write_of_the_safe() {
    let mut world = World::default();
    let f = all_read(&mut world);
    world.close(f.bob);
    world.advance(4_000);
    world.say(f.alice, f.to_bob, "first");
    world.advance(400_000);
    let alice = world.reload(f.alice);
    world.advance(20_000);
    let writes = |world: &World| {
        let log = world.server.log.iter();
        log.filter(|line| line.starts_with("PUT /safe")).count()
    };
    let before = writes(&world);
    world.say(alice, f.to_bob, "second");
    assert_eq!(writes(&world), before);
}
