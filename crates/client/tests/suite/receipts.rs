//! What a sender learns of reading: by sealed receipts, and nothing of it without them.

mod reload;

use client::Command;
use client::command::{Burn, ChatChange, SettingsChange};
use client::event::{Event, MessageState};
use client::id::MessageId;
use client::testing::{Friends, World};

/// Bob sends no receipts to Alice.
fn without_receipts(world: &mut World) -> Friends {
    let f = world.friends();
    set_receipts(world, &f, false);
    f
}

fn set_receipts(world: &mut World, f: &Friends, on: bool) {
    world.command(
        f.bob,
        Command::SetChat {
            chat: f.to_alice,
            change: ChatChange {
                receipts: Some(on),
                ..ChatChange::default()
            },
        },
    );
}

/// Whether a tab was ever told that a message is read or burned.
fn ever_read(world: &World, tab: usize, id: MessageId) -> bool {
    let read = [MessageState::Read, MessageState::Burned];
    world.tab(tab).events.iter().any(|event| {
        matches!(event, Event::Message { message, .. }
            if message.id == id && read.contains(&message.state))
    })
}

fn state(world: &World, tab: usize, id: MessageId) -> (MessageState, bool) {
    let view = world.message(tab, id).unwrap();
    (view.state, view.by_server)
}

#[test]
fn with_receipts_off_in_the_chat_a_sender_learns_of_delivery_only_and_by_the_servers_word() {
    for on in [false, true] {
        let mut world = World::default();
        let f = world.friends();
        set_receipts(&mut world, &f, on);
        let id = world.say(f.alice, f.to_bob, "did you read this?");
        world.show(f.bob, f.to_alice, vec![id]);
        assert!(world.server.messages.is_empty());
        world.advance(5_000);
        let expected = if on {
            (MessageState::Read, false)
        } else {
            (MessageState::Delivered, true)
        };
        assert_eq!(state(&world, f.alice, id), expected);
        assert_eq!(ever_read(&world, f.alice, id), on);
    }
}

#[test]
fn with_receipts_off_for_all_nothing_but_the_servers_word_goes_back() {
    let mut world = World::default();
    let f = world.friends();
    world.command(
        f.bob,
        Command::SetSettings(SettingsChange {
            receipts: Some(false),
            ..SettingsChange::default()
        }),
    );
    world.advance(4_000);
    let id = world.say(f.alice, f.to_bob, "did you read this?");
    world.show(f.bob, f.to_alice, vec![id]);
    let sent = world.server.traffic.len();
    world.advance(60_000);
    let posted = world.server.traffic[sent..]
        .iter()
        .any(|bytes| protocol::envelope::Submission::decode(bytes).is_ok());
    assert!(!posted, "no receipt was sent");
    assert_eq!(state(&world, f.alice, id), (MessageState::Delivered, true));
    assert!(!ever_read(&world, f.alice, id));
}

#[test]
fn a_receipt_that_was_owed_when_they_were_switched_off_is_not_sent() {
    let mut world = World::default();
    let f = world.friends();
    let first = world.say(f.alice, f.to_bob, "the first");
    world.show(f.bob, f.to_alice, vec![first]);
    let id = world.say(f.alice, f.to_bob, "did you read this?");
    world.show(f.bob, f.to_alice, vec![id]);
    set_receipts(&mut world, &f, false);
    world.advance(5_000);
    assert_eq!(state(&world, f.alice, id), (MessageState::Delivered, true));
}

#[test]
fn a_message_that_burns_on_reading_is_not_called_burned_without_a_receipt() {
    let mut world = World::default();
    let f = without_receipts(&mut world);
    let id = world.say_with(f.alice, f.to_bob, "once", Some(Burn::OnRead), Some(60));
    let reveal = Command::Reveal {
        chat: f.to_alice,
        message: id,
    };
    world.command(f.bob, reveal);
    world.show(f.bob, f.to_alice, vec![id]);
    assert!(world.server.messages.is_empty());
    world.advance(5_000);
    assert_eq!(state(&world, f.alice, id), (MessageState::Delivered, true));
    assert!(world.message(f.alice, id).unwrap().text.is_some());
    // Its text goes with its life, and still nobody says that it was read.
    world.advance(60_000);
    assert_eq!(state(&world, f.alice, id), (MessageState::Delivered, true));
    assert_eq!(world.message(f.alice, id).unwrap().text, None);
    assert!(!ever_read(&world, f.alice, id));
}

#[test]
fn what_was_collected_neither_expires_nor_vanishes_in_a_restart() {
    let mut world = World::default();
    let f = without_receipts(&mut world);
    let id = world.say_with(f.alice, f.to_bob, "kept", None, Some(60));
    let unread = world.say_with(f.alice, f.to_bob, "unread", None, Some(600));
    world.show(f.bob, f.to_alice, vec![id]);
    world.advance(90_000);
    assert_eq!(state(&world, f.alice, id), (MessageState::Delivered, true));
    let before = world.say_with(f.alice, f.to_bob, "just before", None, Some(600));
    world.show(f.bob, f.to_alice, vec![before]);
    world.server.restart();
    world.advance(60_000);
    for id in [id, before] {
        assert_eq!(state(&world, f.alice, id), (MessageState::Delivered, true));
        let again = Command::SendAgain {
            chat: f.to_bob,
            message: id,
        };
        world.command(f.alice, again);
        assert!(world.failures(f.alice).contains(&"message-gone".to_owned()));
    }
    // Control: what nobody had read did vanish.
    assert_eq!(
        state(&world, f.alice, unread),
        (MessageState::Vanished, false)
    );
}

#[test]
fn another_session_of_the_sender_does_not_take_its_own_copy_for_the_recipients() {
    let mut world = World::default();
    let f = without_receipts(&mut world);
    let (second, third) = (world.sign_in("alice"), world.sign_in("alice"));
    world.close(f.bob);
    world.advance(4_000);
    let id = world.say(f.alice, f.to_bob, "from the desk");
    world.advance(3_000);
    for tab in [f.alice, second, third] {
        assert_eq!(state(&world, tab, id), (MessageState::Waiting, false));
    }
    let bob = world.sign_in("bob");
    world.show(bob, f.to_alice, vec![id]);
    world.advance(3_000);
    for tab in [f.alice, second, third] {
        assert_eq!(state(&world, tab, id), (MessageState::Delivered, true));
    }
    // The same when he is there.
    world.advance(4_000);
    let id = world.say(f.alice, f.to_bob, "live");
    world.show(bob, f.to_alice, vec![id]);
    world.advance(3_000);
    for tab in [f.alice, second, third] {
        assert_eq!(state(&world, tab, id), (MessageState::Delivered, true));
    }
}
