//! Another message in the place of one that burns, between its opening and its reveal.

use client::Command;
use client::command::{Burn, SettingsChange};
use client::event::MessageState;
use client::id::MessageId;
use client::testing::{Friends, World};
use protocol::envelope::Content;

use super::forge::{Forged, live_target, mid, stolen};

/// Exchanges what lies under a burning message's id by a text of somebody else; then bob reveals it.
fn exchange(by_a_stranger: bool, content: Content) -> (World, Friends, MessageId) {
    let mut world = World::default();
    let f = world.acquainted();
    let (mallory, mallorys) = world.server.plant("mallory");
    let bob = world.server.user("bob");
    let alice = world.server.user("alice");
    let (sender, secrets) = if by_a_stranger {
        (mallory, mallorys)
    } else {
        (alice, stolen(&mut world, "alice"))
    };
    let message = world.say_with(f.alice, f.to_bob, "meet at eight", Some(Burn::OnRead), None);
    assert!(world.message(f.bob, message).unwrap().sealed);
    // The lease of the first opening runs out while bob has not looked.
    world.advance(40_000);
    let target = live_target(&world, f.bob, &bob);
    let mut forged = Forged::new(&world, content, message);
    forged.burn = true;
    let submission = forged.seal(&world, sender, &secrets, &target);
    let held = world.server.messages.get_mut(&mid(message)).unwrap();
    let key = *held.slots.keys().find(|t| *t.account() == bob).unwrap();
    held.slots.get_mut(&key).unwrap().bytes = submission.slots[0].bytes.clone();
    held.body = submission.body;
    world.command(
        f.bob,
        Command::Reveal {
            chat: f.to_alice,
            message,
        },
    );
    (world, f, message)
}

#[test]
fn a_burning_message_that_was_exchanged_before_its_reveal_is_not_shown() {
    // By an account of the server's own making, and by somebody who has the sender's very keys.
    for (by_a_stranger, code) in [(true, "moved-slot"), (false, "exchanged-message")] {
        let (mut world, f, message) = exchange(by_a_stranger, Content::text("wire the money"));
        let view = world.message(f.bob, message).unwrap();
        assert_eq!(view.text, None);
        assert!(view.sealed);
        assert_eq!(world.refusals(f.bob), [code]);
        // Nor is it said to have been read.
        world.show(f.bob, f.to_alice, vec![message]);
        world.advance(4_000);
        let sent = world.message(f.alice, message).unwrap();
        assert!(!matches!(
            sent.state,
            MessageState::Read | MessageState::Burned
        ));
    }
}

#[test]
fn a_burning_message_is_not_exchanged_by_one_of_another_kind() {
    let alias = "Alice (new bank account)".into();
    let (world, f, message) = exchange(false, Content::Profile { alias });
    assert!(world.message(f.bob, message).unwrap().sealed);
    assert_eq!(world.refusals(f.bob), ["exchanged-message"]);
    assert_eq!(world.chats(f.bob)[0].alias, "alice");
}

#[test]
fn a_burning_message_is_revealed_after_its_first_lease_when_it_is_the_same() {
    let mut world = World::default();
    let f = world.acquainted();
    let message = world.say_with(f.alice, f.to_bob, "meet at eight", Some(Burn::OnRead), None);
    world.advance(40_000);
    world.command(
        f.bob,
        Command::Reveal {
            chat: f.to_alice,
            message,
        },
    );
    let text = world.message(f.bob, message).unwrap().text.unwrap();
    assert_eq!(text.expose(), "meet at eight");
    assert_eq!(world.refusals(f.bob), Vec::<String>::new());
}

#[test]
fn a_burning_message_that_its_sender_sealed_again_is_the_same_one() {
    let mut world = World::default();
    let f = world.acquainted();
    // After a receipt nothing is sealed again.
    let receipts = SettingsChange {
        receipts: Some(false),
        ..SettingsChange::default()
    };
    world.command(f.bob, Command::SetSettings(receipts));
    let message = world.say_with(f.alice, f.to_bob, "meet at eight", Some(Burn::OnRead), None);
    world.advance(40_000);
    // The server says that bob could not open it.
    let held = world.server.messages.get_mut(&mid(message)).unwrap();
    held.slots.clear();
    let live = world.server.bundle_of(f.bob).0;
    let frame = serde_json::json!({"t": "message", "id": message.to_string(),
        "state": "cannot_open", "target": live.to_string(), "live": true});
    let frame = client::testing::Reply::Text(frame);
    world.server.push(f.alice, frame);
    world.settle();
    assert_eq!(world.server.messages[&mid(message)].slots.len(), 1);
    world.command(
        f.bob,
        Command::Reveal {
            chat: f.to_alice,
            message,
        },
    );
    let text = world.message(f.bob, message).unwrap().text.unwrap();
    assert_eq!(text.expose(), "meet at eight");
    assert_eq!(world.refusals(f.bob), Vec::<String>::new());
}

#[test]
fn a_burning_message_that_was_spoilt_once_is_revealed_when_it_comes_whole_again() {
    let mut world = World::default();
    let f = world.acquainted();
    let message = world.say_with(f.alice, f.to_bob, "meet at eight", Some(Burn::OnRead), None);
    world.advance(40_000);
    let whole = world.server.messages[&mid(message)].clone();
    let held = world.server.messages.get_mut(&mid(message)).unwrap();
    for slot in held.slots.values_mut() {
        *slot.bytes.last_mut().unwrap() ^= 1;
    }
    let chat = f.to_alice;
    world.command(f.bob, Command::Reveal { chat, message });
    assert_eq!(world.refusals(f.bob), ["moved-slot"]);
    world.server.messages.insert(mid(message), whole);
    world.command(f.bob, Command::Reveal { chat, message });
    world.advance(1_000);
    let view = world.message(f.bob, message).unwrap();
    assert_eq!(view.text.unwrap().expose(), "meet at eight");
}
