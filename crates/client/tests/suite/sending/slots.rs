//! More slots for what the server has: when they are asked for, and with which keys.

use client::Command;
use client::command::{Burn, ChatChange};
use client::event::MessageState;
use client::testing::{Friends, Reply, World};
use protocol::ids::MessageId;
use serde_json::Value;

use super::{asked_for_keys, word};

fn mid(id: MessageId) -> MessageId {
    MessageId::from_bytes(*id.as_bytes())
}

/// Two contacts of whom one has read everything.
fn all_read(world: &mut World, receipts: bool) -> Friends {
    let f = world.acquainted();
    let change = ChatChange {
        receipts: Some(receipts),
        ..ChatChange::default()
    };
    let chat = f.to_alice;
    world.command(f.bob, Command::SetChat { chat, change });
    let ids = world.ids(f.bob, chat);
    world.show(f.bob, chat, ids);
    world.advance(15_000);
    f
}

#[test]
fn a_session_that_leaves_is_a_reason_to_ask_for_keys_only_for_what_it_alone_could_open() {
    for (case, asked) in [
        ("live", 1),
        ("rests", 0),
        ("collected", 0),
        ("not taken", 0),
    ] {
        let mut world = World::default();
        let f = all_read(&mut world, false);
        if case == "not taken" {
            world.server.tamper = Some(Box::new(|_, reply| match &reply {
                Reply::Text(frame) if frame["t"] == "sent" => Vec::new(),
                _ => vec![reply],
            }));
        }
        let id = world.say(f.alice, f.to_bob, "three");
        match case {
            "rests" => world.advance(12_000),
            "collected" => world.show(f.bob, f.to_alice, vec![id]),
            _ => world.advance(4_000),
        }
        let before = asked_for_keys(&world, f.to_bob);
        world
            .server
            .push(f.alice, word(id, "left", (f.to_bob, true)));
        world.settle();
        let now = asked_for_keys(&world, f.to_bob) - before;
        assert_eq!(now, asked, "{case}");
    }
}

#[test]
fn what_was_taken_back_is_not_sealed_to_other_keys() {
    let mut world = World::default();
    let f = all_read(&mut world, true);
    world.close(f.bob);
    world.advance(4_000);
    world.server.tamper = Some(Box::new(|_, reply| match &reply {
        Reply::Text(frame) if frame["t"] == "sent" => Vec::new(),
        _ => vec![reply],
    }));
    let long = "regretted ".repeat(2_000);
    let id = world.say(f.alice, f.to_bob, &long);
    world.held_up = Some("POST /messages/sealed");
    world.advance(9_000);
    let (chat, message, everywhere) = (f.to_bob, id, true);
    world.command(
        f.alice,
        Command::Delete {
            chat,
            message,
            everywhere,
        },
    );
    world.advance(4_000);
    let before = asked_for_keys(&world, f.to_bob);
    world
        .server
        .push(f.alice, word(id, "cannot_open", (f.to_bob, false)));
    world.settle();
    assert_eq!(asked_for_keys(&world, f.to_bob), before);
}

#[test]
fn messages_that_do_not_open_ask_for_a_prekey_each() {
    let mut world = World::default();
    let f = all_read(&mut world, true);
    world.close(f.bob);
    world.advance(4_000);
    let ids = ["three", "four"].map(|text| world.say(f.alice, f.to_bob, text));
    world.advance(4_000);
    let before = asked_for_keys(&world, f.to_bob);
    for id in ids {
        let reply = word(id, "cannot_open", (f.to_bob, false));
        world.server.push(f.alice, reply);
    }
    world.settle();
    assert_eq!(asked_for_keys(&world, f.to_bob) - before, 2);
}

#[test]
fn messages_that_nobody_takes_share_a_prekey() {
    let mut world = World::default();
    let f = all_read(&mut world, true);
    // Alice's tab hangs: the server still believes it is live. Nothing of bob's has waited for her yet.
    world.tabs[f.alice] = None;
    let ids = ["three", "four", "five"].map(|text| world.say(f.bob, f.to_alice, text));
    let before = asked_for_keys(&world, f.to_alice);
    world.advance(12_000);
    assert_eq!(asked_for_keys(&world, f.to_alice) - before, 1);
    for id in ids {
        assert_eq!(world.message(f.bob, id).unwrap().path, "waiting");
    }
}

#[test]
fn a_prekey_that_the_server_did_not_give_is_asked_for_again_twenty_seconds_later() {
    let mut world = World::default();
    let f = all_read(&mut world, true);
    // Bob's tab hangs: the server still believes it is live.
    world.tabs[f.bob] = None;
    let id = world.say(f.alice, f.to_bob, "three");
    let asked = format!("POST /users/{}/bundles", f.to_bob);
    world.server.tamper = Some(Box::new(move |_, mut reply| {
        if let Reply::Json { request, body, .. } = &mut reply
            && *request == asked
        {
            body["prekey"] = Value::Null;
        }
        vec![reply]
    }));
    world.advance(12_000);
    world.server.tamper = None;
    world.advance(15_000);
    let view = world.message(f.alice, id).unwrap();
    assert_eq!((view.path.as_str(), view.failure), ("live", None));
    world.advance(10_000);
    assert_eq!(world.message(f.alice, id).unwrap().path, "waiting");
}

#[test]
fn what_the_server_lets_go_of_has_expired() {
    let mut world = World::default();
    let f = all_read(&mut world, true);
    world.close(f.bob);
    world.advance(4_000);
    let id = world.say(f.alice, f.to_bob, "three");
    world
        .server
        .push(f.alice, word(id, "expired", (f.to_bob, false)));
    world.settle();
    let view = world.message(f.alice, id).unwrap();
    assert_eq!(view.state, MessageState::Expired);
}

#[test]
fn a_burning_message_whose_lease_the_server_ended_is_revealed_all_the_same() {
    let mut world = World::default();
    let f = all_read(&mut world, true);
    let burn = Some(Burn::OnRead);
    let id = world.say_with(f.alice, f.to_bob, "once", burn, None);
    let held = world.server.messages.get_mut(&mid(id)).unwrap();
    for slot in held.slots.values_mut() {
        slot.claim = None;
    }
    let (chat, message) = (f.to_alice, id);
    world.command(f.bob, Command::Reveal { chat, message });
    let text = world.message(f.bob, id).unwrap().text.unwrap();
    assert_eq!(text.expose(), "once");
}

#[test]
fn a_burning_message_opens_when_the_bucket_of_its_live_slot_is_long_over() {
    let mut world = World::default();
    let f = all_read(&mut world, true);
    let burn = Some(Burn::OnRead);
    let id = world.say_with(f.alice, f.to_bob, "once", burn, None);
    // Nobody seals it again.
    world.close(f.alice);
    world.advance(900_000);
    let (chat, message) = (f.to_alice, id);
    world.command(f.bob, Command::Reveal { chat, message });
    let text = world.message(f.bob, id).unwrap().text.unwrap();
    assert_eq!(text.expose(), "once");
}
