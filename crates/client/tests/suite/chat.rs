//! Two people chat, without a network.

use client::Command;
use client::command::{Burn, SettingsChange};
use client::event::{Event, MessageState, Phase};
use client::testing::World;

fn none() -> Vec<String> {
    Vec::new()
}

#[test]
fn two_people_become_contacts_and_chat_live() {
    let mut world = World::default();
    let f = world.friends();
    assert_eq!(world.phase(f.alice), Phase::Unlocked);
    assert_eq!(world.chats(f.alice)[0].relation, "contact");
    let hello = world.say(f.alice, f.to_bob, "hello bob");
    assert_eq!(world.texts(f.bob, f.to_alice), ["hello bob"]);
    let seen = world.message(f.bob, hello).unwrap();
    assert_eq!(
        (seen.path.as_str(), seen.state),
        ("live", MessageState::Unread)
    );
    world.show(f.bob, f.to_alice, vec![hello]);
    world.advance(3_000);
    let read = world.message(f.alice, hello).unwrap();
    assert_eq!((read.state, read.by_server), (MessageState::Read, false));
    assert!(world.server.messages.is_empty());
    assert_eq!(world.refusals(f.alice), none());
    assert_eq!(world.refusals(f.bob), none());
}

#[test]
fn a_message_to_somebody_away_waits_and_opens_at_the_next_sign_in_in_any_browser() {
    let mut world = World::default();
    let f = world.friends();
    world.close(f.bob);
    world.advance(4_000);
    let id = world.say(f.alice, f.to_bob, "are you there?");
    let sent = world.message(f.alice, id).unwrap();
    assert_eq!(
        (sent.state, sent.path.as_str()),
        (MessageState::Waiting, "waiting")
    );
    assert!(sent.expires_at.is_some());
    let elsewhere = world.sign_in("bob");
    assert_eq!(world.texts(elsewhere, f.to_alice), ["are you there?"]);
    world.show(elsewhere, f.to_alice, vec![id]);
    world.advance(3_000);
    assert!(world.server.messages.is_empty());
    let read = world.message(f.alice, id).unwrap();
    assert_eq!((read.state, read.by_server), (MessageState::Read, false));
}

#[test]
fn a_live_slot_that_nobody_claims_gets_a_waiting_slot_after_ten_seconds() {
    let mut world = World::default();
    let f = world.friends();
    // Bob's tab hangs: the server still believes it is live.
    world.tabs[f.bob] = None;
    let id = world.say(f.alice, f.to_bob, "hello?");
    assert_eq!(world.message(f.alice, id).unwrap().path, "live");
    world.advance(9_000);
    assert_eq!(world.message(f.alice, id).unwrap().path, "live");
    world.advance(2_000);
    assert_eq!(world.message(f.alice, id).unwrap().path, "waiting");
    let elsewhere = world.sign_in("bob");
    assert_eq!(world.texts(elsewhere, f.to_alice), ["hello?"]);
}

#[test]
fn a_message_that_burns_on_reading_is_sealed_until_revealed_and_gone_when_hidden() {
    let mut world = World::default();
    let f = world.friends();
    let id = world.say_with(f.alice, f.to_bob, "once", Some(Burn::OnRead), None);
    let sealed = world.message(f.bob, id).unwrap();
    assert_eq!((sealed.sealed, sealed.text), (true, None));
    world.show(f.bob, f.to_alice, vec![id]);
    assert_eq!(
        world.server.messages.len(),
        1,
        "showing a sealed one burns nothing"
    );
    world.command(
        f.bob,
        Command::Reveal {
            chat: f.to_alice,
            message: id,
        },
    );
    assert_eq!(
        world.message(f.bob, id).unwrap().text.unwrap().expose(),
        "once"
    );
    world.show(f.bob, f.to_alice, vec![id]);
    assert!(world.server.messages.is_empty());
    world.command(
        f.bob,
        Command::Hide {
            chat: f.to_alice,
            messages: vec![id],
        },
    );
    let burned = world.message(f.bob, id).unwrap();
    assert_eq!((burned.state, burned.text), (MessageState::Burned, None));
    world.advance(3_000);
    let sent = world.message(f.alice, id).unwrap();
    assert_eq!(
        (sent.state, sent.text, sent.by_server),
        (MessageState::Burned, None, false)
    );
}

#[test]
fn two_browsers_of_one_account_never_both_reveal_a_burning_message() {
    let mut world = World::default();
    let f = world.friends();
    let second = world.sign_in("bob");
    world.advance(4_000);
    let id = world.say_with(f.alice, f.to_bob, "for one", Some(Burn::OnRead), None);
    world.advance(40_000);
    for tab in [f.bob, second] {
        assert!(world.message(tab, id).unwrap().sealed, "both know of it");
    }
    let reveal = Command::Reveal {
        chat: f.to_alice,
        message: id,
    };
    world.command(second, reveal.clone());
    assert!(world.message(second, id).unwrap().text.is_some());
    world.command(f.bob, reveal.clone());
    assert!(world.message(f.bob, id).unwrap().text.is_none());
    assert_eq!(world.failures(f.bob), ["message-taken"]);
    world.show(second, f.to_alice, vec![id]);
    world.command(f.bob, reveal);
    assert_eq!(world.message(f.bob, id).unwrap().state, MessageState::Gone);
}

#[test]
fn a_text_burns_so_many_seconds_after_it_was_read_on_both_sides() {
    let mut world = World::default();
    let f = world.friends();
    let burn = Some(Burn::After(20));
    let id = world.say_with(f.alice, f.to_bob, "soon gone", burn, None);
    world.command(
        f.bob,
        Command::Reveal {
            chat: f.to_alice,
            message: id,
        },
    );
    world.show(f.bob, f.to_alice, vec![id]);
    world.advance(15_000);
    assert!(world.message(f.bob, id).unwrap().text.is_some());
    world.advance(10_000);
    for tab in [f.alice, f.bob] {
        let view = world.message(tab, id).unwrap();
        assert_eq!((view.state, view.text), (MessageState::Burned, None));
    }
}

#[test]
fn an_unread_message_expires_after_its_life_on_both_sides() {
    let mut world = World::default();
    let f = world.friends();
    let id = world.say_with(f.alice, f.to_bob, "short", None, Some(5));
    world.advance(4_000);
    assert_eq!(
        world.message(f.bob, id).unwrap().state,
        MessageState::Unread
    );
    world.advance(4_000);
    let there = world.message(f.bob, id).unwrap();
    assert_eq!((there.state, there.text), (MessageState::Expired, None));
    assert_eq!(
        world.message(f.alice, id).unwrap().state,
        MessageState::Expired
    );
    assert!(world.server.messages.is_empty());
}

#[test]
fn what_waited_when_the_server_restarts_has_vanished_and_can_be_sent_again() {
    let mut world = World::default();
    let f = world.friends();
    world.close(f.bob);
    let id = world.say(f.alice, f.to_bob, "hold this");
    world.server.restart();
    world.advance(60_000);
    assert_eq!(
        world.message(f.alice, id).unwrap().state,
        MessageState::Vanished
    );
    world.command(
        f.alice,
        Command::SendAgain {
            chat: f.to_bob,
            message: id,
        },
    );
    assert_eq!(world.message(f.alice, id), None);
    let elsewhere = world.sign_in("bob");
    assert_eq!(world.texts(elsewhere, f.to_alice), ["hold this"]);
}

#[test]
fn a_message_written_while_offline_goes_out_when_the_connection_is_back() {
    let mut world = World::default();
    let f = world.friends();
    world.network = false;
    world.cut(f.alice);
    let id = world.say(f.alice, f.to_bob, "later");
    world.advance(5_000);
    assert_eq!(
        world.message(f.alice, id).unwrap().state,
        MessageState::Sending
    );
    world.network = true;
    world.advance(60_000);
    assert_eq!(world.texts(f.bob, f.to_alice), ["later"]);
}

#[test]
fn an_edit_replaces_the_text_there_and_a_deletion_takes_it_away() {
    let mut world = World::default();
    let f = world.friends();
    let id = world.say(f.alice, f.to_bob, "helo");
    world.edit(f.alice, f.to_bob, id, "hello");
    assert_eq!(world.texts(f.bob, f.to_alice), ["hello"]);
    assert!(world.message(f.bob, id).unwrap().edited);
    world.command(
        f.alice,
        Command::Delete {
            chat: f.to_bob,
            message: id,
            everywhere: true,
        },
    );
    assert_eq!(
        world.message(f.bob, id).unwrap().state,
        MessageState::Deleted
    );
    assert_eq!(world.texts(f.alice, f.to_bob), none());
}

/// What the list says of the only chat.
fn preview(world: &World, tab: usize) -> Option<String> {
    let chats = world.chats(tab);
    chats[0].preview.as_ref().map(|it| it.expose().to_owned())
}

#[test]
fn the_list_of_chats_follows_what_becomes_of_the_newest_message_in_every_session() {
    let mut world = World::default();
    let f = world.friends();
    let second = world.sign_in("alice");
    let tabs = [f.alice, second, f.bob];
    let everywhere = |world: &World, text: Option<&str>, what: &str| {
        for tab in tabs {
            assert_eq!(preview(world, tab).as_deref(), text, "{what}, tab {tab}");
        }
    };
    let id = world.say(f.alice, f.to_bob, "helo");
    everywhere(&world, Some("helo"), "sent");
    let (chat, message) = (f.to_bob, id);
    world.edit(f.alice, chat, message, "hello");
    everywhere(&world, Some("hello"), "edited");
    world.show(f.bob, f.to_alice, vec![id]);
    world.advance(3_000);
    for tab in [f.alice, second] {
        assert_eq!(world.chats(tab)[0].last_state, Some(MessageState::Read));
    }
    world.command(
        f.alice,
        Command::Delete {
            chat,
            message,
            everywhere: true,
        },
    );
    world.advance(1_000);
    everywhere(&world, None, "taken back");

    let once = world.say_with(f.alice, f.to_bob, "once", Some(Burn::OnRead), None);
    everywhere(&world, None, "sealed");
    let chat = f.to_alice;
    world.command(
        f.bob,
        Command::Reveal {
            chat,
            message: once,
        },
    );
    everywhere(&world, None, "revealed");
    world.show(f.bob, f.to_alice, vec![once]);
    world.advance(125_000);
    everywhere(&world, None, "burned");

    let timed = world.say_with(f.alice, f.to_bob, "a while", Some(Burn::After(30)), None);
    let (chat, message) = (f.to_alice, timed);
    world.command(f.bob, Command::Reveal { chat, message });
    world.show(f.bob, f.to_alice, vec![timed]);
    assert!(world.message(f.bob, timed).unwrap().text.is_some());
    everywhere(&world, None, "while it burns");

    world.say_with(f.alice, f.to_bob, "soon gone", None, Some(30));
    everywhere(&world, Some("soon gone"), "not read yet");
    world.advance(40_000);
    assert_eq!(preview(&world, f.bob), None, "expired");
    assert_eq!(
        world.chats(f.bob)[0].last_state,
        Some(MessageState::Expired)
    );
}

#[test]
fn what_one_session_says_appears_in_the_other_sessions_of_the_account() {
    let mut world = World::default();
    let f = world.friends();
    let second = world.sign_in("alice");
    let id = world.say(f.alice, f.to_bob, "from the desk");
    let copy = world.message(second, id).unwrap();
    assert!(copy.mine);
    assert_eq!(world.texts(second, f.to_bob), ["from the desk"]);
    world.show(f.bob, f.to_alice, vec![id]);
    world.advance(3_000);
    assert_eq!(world.message(second, id).unwrap().state, MessageState::Read);
}

#[test]
fn typing_reaches_live_sessions_and_can_be_switched_off() {
    let mut world = World::default();
    let f = world.friends();
    let typed = |world: &World, tab: usize| {
        let events = world.tabs[tab].as_ref().unwrap().events.iter();
        events.filter(|e| matches!(e, Event::Typing { .. })).count()
    };
    world.command(f.alice, Command::Typing { chat: f.to_bob });
    world.command(f.alice, Command::Typing { chat: f.to_bob });
    assert_eq!(typed(&world, f.bob), 1, "not on every key");
    world.command(
        f.alice,
        Command::SetSettings(SettingsChange {
            typing: Some(false),
            ..SettingsChange::default()
        }),
    );
    world.advance(10_000);
    world.command(f.alice, Command::Typing { chat: f.to_bob });
    assert_eq!(typed(&world, f.bob), 1);
}

#[test]
fn fifty_messages_and_more_go_over_one_bucket_and_into_the_next() {
    let mut world = World::default();
    let f = world.friends();
    let mut said = Vec::new();
    for n in 0..60 {
        let text = format!("number {n}");
        world.say(f.alice, f.to_bob, &text);
        said.push(text);
    }
    world.advance(301_000);
    world.say(f.alice, f.to_bob, "next bucket");
    said.push("next bucket".to_owned());
    assert_eq!(world.texts(f.bob, f.to_alice), said);
    assert_eq!(world.refusals(f.bob), none());
}

#[test]
fn a_long_text_goes_under_tickets_in_both_directions() {
    let mut world = World::default();
    let f = world.friends();
    let long = "word ".repeat(8_000);
    world.say(f.alice, f.to_bob, &long);
    assert_eq!(world.texts(f.bob, f.to_alice), [long]);
    let asked = world.server.log.iter();
    let asked = asked.filter(|line| line.contains("/messages"));
    let methods: Vec<&str> = asked.filter_map(|line| line.split('/').next()).collect();
    assert_eq!(methods, ["POST ", "GET "]);
}

#[test]
fn a_clock_that_is_put_back_neither_stops_the_client_nor_makes_it_early() {
    let mut world = World::default();
    let f = world.friends();
    // Both devices and the server agree that it is an hour earlier than they thought.
    world.server.now_ms -= 3_600_000;
    world.input(f.alice, client::Input::Tick);
    world.input(f.bob, client::Input::Tick);
    world.advance(301_000);
    world.say(f.alice, f.to_bob, "what time is it?");
    assert_eq!(world.texts(f.bob, f.to_alice), ["what time is it?"]);
    assert_eq!(world.refusals(f.alice), none());
}
