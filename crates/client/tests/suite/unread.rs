//! What is unread survives a reload, a lock and a closed tab, or people are told that it is gone.

use std::cell::RefCell;
use std::rc::Rc;

use client::Command;
use client::command::Burn;
use client::event::MessageState;
use client::id::MessageId;
use client::testing::{Friends, PASSPHRASE, Reply, World};
use protocol::envelope::ParcelRef;
use serde_json::json;

fn state(world: &World, tab: usize, id: MessageId) -> MessageState {
    world.message(tab, id).unwrap().state
}

fn path(world: &World, tab: usize, id: MessageId) -> String {
    world.message(tab, id).unwrap().path
}

/// A live message that reached a tab and is not looked at, ten seconds later.
fn unread(world: &mut World) -> (Friends, MessageId) {
    let f = world.friends();
    let id = world.say(f.alice, f.to_bob, "bob is at lunch");
    assert_eq!(state(world, f.bob, id), MessageState::Unread);
    assert_eq!(path(world, f.alice, id), "live");
    world.advance(12_000);
    (f, id)
}

#[test]
fn a_live_message_that_nobody_reads_within_ten_seconds_waits_and_says_so() {
    let mut world = World::default();
    let (f, id) = unread(&mut world);
    assert_eq!(path(&world, f.alice, id), "waiting");
    assert_eq!(state(&world, f.alice, id), MessageState::Delivered);
    // Its reader sees it once, and it is gone from the server when it was read.
    world.show(f.bob, f.to_alice, vec![id]);
    world.advance(3_000);
    assert_eq!(state(&world, f.alice, id), MessageState::Read);
    assert!(world.server.messages.is_empty());
    assert_eq!(world.texts(f.bob, f.to_alice), ["bob is at lunch"]);
    let bob = world.reload(f.bob);
    assert!(world.texts(bob, f.to_alice).is_empty(), "it was read");
}

#[test]
fn a_live_message_that_is_read_within_ten_seconds_never_waits() {
    let mut world = World::default();
    let f = world.friends();
    let id = world.say(f.alice, f.to_bob, "look");
    world.advance(9_000);
    world.show(f.bob, f.to_alice, vec![id]);
    world.advance(60_000);
    assert_eq!(path(&world, f.alice, id), "live");
    assert_eq!(state(&world, f.alice, id), MessageState::Read);
}

#[test]
fn what_is_unread_is_there_at_once_after_a_reload_although_its_sender_is_gone() {
    let mut world = World::default();
    let (f, id) = unread(&mut world);
    world.close(f.alice);
    world.advance(20_000);
    let bob = world.reload(f.bob);
    assert_eq!(world.texts(bob, f.to_alice), ["bob is at lunch"]);
    assert_eq!(state(&world, bob, id), MessageState::Unread);
    world.show(bob, f.to_alice, vec![id]);
    world.advance(60_000);
    let read = protocol::ids::MessageId::from_bytes(*id.as_bytes());
    assert!(!world.server.messages.contains_key(&read));
}

#[test]
fn what_is_unread_is_there_at_once_after_a_lock_although_its_sender_is_gone() {
    let mut world = World::default();
    let (f, _) = unread(&mut world);
    world.close(f.alice);
    world.advance(20_000);
    world.command(f.bob, Command::Lock);
    let unlock = Command::Unlock {
        passphrase: PASSPHRASE.into(),
    };
    world.command(f.bob, unlock);
    assert_eq!(world.chats(f.bob)[0].unread, 1);
    assert_eq!(world.texts(f.bob, f.to_alice), ["bob is at lunch"]);
}

#[test]
fn what_waited_and_was_not_read_is_there_at_once_after_a_reload() {
    let mut world = World::default();
    let f = world.friends();
    world.close(f.bob);
    world.advance(4_000);
    world.say(f.alice, f.to_bob, "are you there?");
    world.close(f.alice);
    let mut bob = world.sign_in("bob");
    for _ in 0..3 {
        assert_eq!(world.texts(bob, f.to_alice), ["are you there?"]);
        assert_eq!(world.chats(bob)[0].unread, 1);
        bob = world.reload(bob);
    }
}

#[test]
fn a_message_whose_reader_reloads_at_once_comes_again_within_ten_seconds() {
    let mut world = World::default();
    let f = world.friends();
    let id = world.say(f.alice, f.to_bob, "just now");
    world.advance(1_000);
    let bob = world.reload(f.bob);
    world.advance(11_000);
    assert_eq!(world.texts(bob, f.to_alice), ["just now"]);
    assert_eq!(state(&world, bob, id), MessageState::Unread);
}

#[test]
fn another_session_gets_what_a_session_that_left_had_not_read_as_soon_as_it_leaves() {
    let mut world = World::default();
    let f = world.friends();
    let id = world.say(f.alice, f.to_bob, "just now");
    world.advance(4_000);
    let second = world.sign_in("bob");
    world.close(f.bob);
    world.settle();
    assert_eq!(world.texts(second, f.to_alice), ["just now"]);
    assert_eq!(path(&world, f.alice, id), "live");
}

#[test]
fn the_waiting_slot_is_added_once_the_network_is_back() {
    let mut world = World::default();
    let f = world.friends();
    let id = world.say(f.alice, f.to_bob, "hold on");
    world.network = false;
    world.advance(15_000);
    assert_eq!(path(&world, f.alice, id), "live");
    world.network = true;
    world.advance(15_000);
    assert_eq!(path(&world, f.alice, id), "waiting");
}

#[test]
fn where_reader_and_sender_both_went_within_ten_seconds_the_reader_is_told() {
    let mut world = World::default();
    let f = world.friends();
    let id = world.say(f.alice, f.to_bob, "just now");
    world.advance(5_000);
    world.close(f.alice);
    let bob = world.reload(f.bob);
    assert_eq!(world.message(bob, id), None);
    world.advance(31_000);
    let view = world.message(bob, id).unwrap();
    assert_eq!((view.state, view.by_server), (MessageState::Lost, true));
    assert_eq!(view.text, None);
    assert_eq!(world.chats(bob)[0].unread, 0);
}

#[test]
fn a_server_cannot_put_a_lost_message_of_a_stranger_on_the_screen() {
    let mut world = World::default();
    let f = world.friends();
    let (mallory, _) = world.server.plant("mallory");
    let frame = json!({"t": "hello", "boot_id": world.server.boot.0.to_string(),
        "now": world.server.now(), "waiting": [], "more": false,
        "stranded": [{"id": "000000000000000000000000000000aa", "from": mallory.to_string()}]});
    world.server.push(f.bob, Reply::Text(frame));
    world.settle();
    world.advance(31_000);
    let lost = "000000000000000000000000000000aa".parse().unwrap();
    assert_eq!(world.message(f.bob, lost), None);
}

#[test]
fn what_came_is_not_called_lost_whatever_the_server_lists() {
    let mut world = World::default();
    let f = world.friends();
    let came = Rc::new(RefCell::new(Vec::new()));
    let (noted, alice) = (Rc::clone(&came), f.alice);
    world.server.tamper = Some(Box::new(move |tab, reply| {
        if let Reply::Binary(bytes) = &reply
            && tab == alice
        {
            let parcel = ParcelRef::decode(bytes).unwrap();
            noted.borrow_mut().push(parcel.message_id.to_string());
        }
        vec![reply]
    }));
    let id = world.say(f.alice, f.to_bob, "here");
    world.show(f.bob, f.to_alice, vec![id]);
    world.advance(5_000);
    let answer = world.say(f.bob, f.to_alice, "and there");
    assert_eq!(state(&world, f.alice, id), MessageState::Read);
    // A text, and a receipt, of which nothing is in the chat.
    assert!(came.borrow().contains(&answer.to_string()));
    assert!(came.borrow().len() > 1);
    let from = f.to_bob.to_string();
    let listed = |id: &String| json!({"id": id, "from": from});
    let mut stranded: Vec<_> = came.borrow().iter().map(listed).collect();
    let lost = MessageId::from_bytes([0xaa; 16]);
    stranded.push(listed(&lost.to_string()));
    let frame = json!({"t": "hello", "boot_id": world.server.boot.0.to_string(),
        "now": world.server.now(), "waiting": [], "more": false, "stranded": stranded});
    world.server.push(f.alice, Reply::Text(frame));
    world.settle();
    world.advance(31_000);
    assert_eq!(world.ids(f.alice, f.to_bob), [id, answer, lost]);
}

#[test]
fn a_burning_message_that_nobody_revealed_waits_for_the_next_session_and_burns_once() {
    let mut world = World::default();
    let f = world.friends();
    let id = world.say_with(f.alice, f.to_bob, "once", Some(Burn::OnRead), None);
    world.advance(12_000);
    world.close(f.alice);
    let bob = world.reload(f.bob);
    assert!(world.message(bob, id).unwrap().sealed);
    let reveal = Command::Reveal {
        chat: f.to_alice,
        message: id,
    };
    world.command(bob, reveal.clone());
    assert_eq!(
        world.message(bob, id).unwrap().text.unwrap().expose(),
        "once"
    );
    world.show(bob, f.to_alice, vec![id]);
    // What waits there now is the receipt for her.
    let id = protocol::ids::MessageId::from_bytes(*id.as_bytes());
    assert!(!world.server.messages.contains_key(&id));
    assert_eq!(world.server.messages.len(), 1);
}

#[test]
fn a_burning_message_on_the_screen_is_nobody_elses_when_the_connection_breaks() {
    for late in [false, true] {
        let mut world = World::default();
        let f = world.friends();
        let id = world.say_with(f.alice, f.to_bob, "once", Some(Burn::OnRead), None);
        world.advance(12_000);
        let second = world.sign_in("bob");
        if late {
            // The leases of the first openings have run out, and the reveal claims anew.
            world.advance(70_000);
        }
        let reveal = Command::Reveal {
            chat: f.to_alice,
            message: id,
        };
        world.command(f.bob, reveal.clone());
        assert!(world.message(f.bob, id).unwrap().text.is_some());
        world.cut(f.bob);
        world.command(second, reveal);
        let there = world.message(second, id);
        assert!(there.is_none_or(|view| view.text.is_none()));
        world.advance(5_000);
        world.show(f.bob, f.to_alice, vec![id]);
        assert!(world.server.messages.is_empty(), "late: {late}");
    }
}

#[test]
fn a_live_message_that_was_read_is_not_sealed_again_whatever_the_server_says() {
    let mut world = World::default();
    let f = world.friends();
    let off = client::command::SettingsChange {
        receipts: Some(false),
        ..client::command::SettingsChange::default()
    };
    world.command(f.bob, Command::SetSettings(off));
    let id = world.say(f.alice, f.to_bob, "said while both were there");
    world.show(f.bob, f.to_alice, vec![id]);
    world.advance(20_000);
    let from = world.server.traffic.len();
    for live in [true, false] {
        let frame = json!({"t": "message", "id": id.to_string(),
            "state": "cannot_open", "target": f.to_bob.to_string(), "live": live});
        world.server.push(f.alice, Reply::Text(frame));
        world.settle();
        world.advance(30_000);
    }
    assert!(nothing_sealed(&world, from));
    assert!(world.refusals(f.alice).contains(&"resend-again".to_owned()));
    assert_eq!(path(&world, f.alice, id), "live");
}

#[test]
fn a_live_slot_that_does_not_open_is_sealed_again_to_live_sessions_only() {
    let mut world = World::default();
    let f = world.friends();
    world.tabs[f.bob] = None;
    let id = world.say(f.alice, f.to_bob, "hello?");
    let from = world.server.traffic.len();
    let (live, _) = world.server.bundle_of(f.bob);
    // The server says that the session could not open it, and that nobody is there.
    world.server.tamper = Some(Box::new(|_, mut reply| {
        if let Reply::Json { request, body, .. } = &mut reply
            && request.ends_with("/bundles")
        {
            body["live"] = json!([]);
        }
        vec![reply]
    }));
    let frame = json!({"t": "message", "id": id.to_string(),
        "state": "cannot_open", "target": live.to_string(), "live": true});
    world.server.push(f.alice, Reply::Text(frame));
    world.settle();
    world.advance(5_000);
    assert!(nothing_sealed(&world, from));
    // Nobody has read it in ten seconds: then it waits, as any other.
    world.advance(6_000);
    assert_eq!(path(&world, f.alice, id), "waiting");
}

/// Whether no more slots were made since.
fn nothing_sealed(world: &World, from: usize) -> bool {
    let sent = world.server.traffic[from..].iter();
    !sent
        .map(|bytes| protocol::envelope::SlotSet::decode(bytes))
        .any(|set| set.is_ok())
}

#[test]
fn in_a_chat_for_live_sessions_only_no_text_ever_waits_and_its_sender_is_told() {
    let mut world = World::default();
    let f = world.friends();
    let change = client::command::ChatChange {
        live_only: Some(true),
        ..client::command::ChatChange::default()
    };
    let only = Command::SetChat {
        chat: f.to_bob,
        change,
    };
    world.command(f.alice, only);
    assert!(world.chats(f.alice)[0].live_only);
    let from = world.server.traffic.len();
    let id = world.say(f.alice, f.to_bob, "between us");
    let late = world.say_with(f.alice, f.to_bob, "too late", None, Some(60));
    world.advance(40_000);
    assert_eq!(path(&world, f.alice, id), "live");
    assert!(nothing_sealed(&world, from));
    // Another session of his gets what is unread while it can be sealed to it.
    let bob = world.reload(f.bob);
    world.advance(25_000);
    assert_eq!(world.texts(bob, f.to_alice), ["between us"]);
    assert_eq!(path(&world, f.alice, id), "live");
    assert_eq!(state(&world, f.alice, late), MessageState::Expired);
    world.show(bob, f.to_alice, vec![id]);
    world.advance(3_000);
    assert_eq!(state(&world, f.alice, id), MessageState::Read);
    // Nobody is there: it is not sent, and says why.
    world.close(bob);
    world.advance(4_000);
    let id = world.say(f.alice, f.to_bob, "are you there?");
    let view = world.message(f.alice, id).unwrap();
    assert_eq!(view.state, MessageState::Failed);
    assert_eq!(view.failure.as_deref(), Some("nobody-live"));
}
