//! A receipt of reading is not lost when the page goes right after it showed the message.

use client::Command;
use client::command::Burn;
use client::event::MessageState;
use client::testing::{Friends, World};
use protocol::ids::MessageId;

use super::{set_receipts, state};

/// Whether the server has a message still.
fn held(world: &World, id: MessageId) -> bool {
    let id = MessageId::from_bytes(*id.as_bytes());
    world.server.messages.contains_key(&id)
}

/// From now on Bob's client waits for what it seals Alice's receipts to.
fn hold_bundles_up(world: &mut World, f: &Friends) {
    let request = format!("POST /users/{}/bundles", f.to_alice);
    world.held_up = Some(request.leak());
}

/// Bob sees a message of Alice, which he asks for first where it burns.
fn read(world: &mut World, f: &Friends, id: MessageId, burn: Burn) {
    if burn != Burn::Never {
        let reveal = Command::Reveal {
            chat: f.to_alice,
            message: id,
        };
        world.command(f.bob, reveal);
    }
    world.show(f.bob, f.to_alice, vec![id]);
}

#[test]
fn a_reader_who_reloads_as_soon_as_a_message_is_read_has_told_its_sender() {
    for (burn, told) in [
        (Burn::Never, MessageState::Read),
        (Burn::OnRead, MessageState::Burned),
        (Burn::After(30), MessageState::Read),
    ] {
        let mut world = World::default();
        let f = world.acquainted();
        let id = world.say_with(f.alice, f.to_bob, "read this", Some(burn), None);
        read(&mut world, &f, id, burn);
        assert!(!held(&world, id), "it was acknowledged: {burn:?}");
        let bob = world.reload(f.bob);
        world.advance(1);
        assert_eq!(state(&world, f.alice, id), (told, false), "{burn:?}");
        world.advance(29_000);
        assert_eq!(state(&world, f.alice, id), (told, false), "{burn:?}");
        assert!(world.message(bob, id).is_none(), "it burned: {burn:?}");
    }
}

#[test]
fn a_message_is_acknowledged_only_once_its_receipt_is_on_its_way() {
    let mut world = World::default();
    let f = world.acquainted();
    let burn = Burn::OnRead;
    let id = world.say_with(f.alice, f.to_bob, "read this", Some(burn), None);
    // What was fetched for the receipt of its opening is old by then.
    world.advance(4_600);
    hold_bundles_up(&mut world, &f);
    read(&mut world, &f, id, burn);
    assert!(held(&world, id));
    assert_eq!(state(&world, f.alice, id).0, MessageState::Delivered);
    world.arrive();
    assert!(!held(&world, id));
    assert_eq!(state(&world, f.alice, id), (MessageState::Burned, false));
}

#[test]
fn a_receipt_that_cannot_be_sent_holds_an_acknowledgement_up_for_five_seconds_at_most() {
    let mut world = World::default();
    let f = world.acquainted();
    let id = world.say(f.alice, f.to_bob, "read this");
    // What was fetched for the receipt of its opening is old by then.
    world.advance(4_600);
    hold_bundles_up(&mut world, &f);
    read(&mut world, &f, id, Burn::Never);
    world.advance(4_999);
    assert!(held(&world, id));
    world.advance(1);
    assert!(!held(&world, id));
}

#[test]
fn what_was_shown_together_or_soon_after_goes_back_in_few_receipts_and_none_is_lost() {
    let mut world = World::default();
    let f = world.acquainted();
    let ids: Vec<MessageId> = ["one", "two", "three", "four"]
        .map(|text| world.say(f.alice, f.to_bob, text))
        .into();
    world.advance(4_000);
    let sent = world.server.traffic.len();
    for id in &ids[..3] {
        read(&mut world, &f, *id, Burn::Never);
    }
    // The first went at once; the others wait for it, and the server keeps them until then.
    assert!(!held(&world, ids[0]) && held(&world, ids[1]));
    world.advance(1_500);
    assert!(!held(&world, ids[1]) && !held(&world, ids[2]));
    let receipts = world.server.traffic[sent..]
        .iter()
        .filter(|bytes| protocol::envelope::Submission::decode(bytes).is_ok());
    assert_eq!(receipts.count(), 2);
    world.reload(f.bob);
    for id in &ids[..3] {
        assert_eq!(state(&world, f.alice, *id), (MessageState::Read, false));
    }
}

#[test]
fn a_burning_message_that_was_taken_without_a_receipt_says_so_after_ten_seconds() {
    for (burn, taken) in [
        (Burn::Never, false),
        (Burn::OnRead, true),
        (Burn::After(30), true),
    ] {
        let mut world = World::default();
        let f = world.acquainted();
        set_receipts(&mut world, &f, false);
        let id = world.say_with(f.alice, f.to_bob, "read this", Some(burn), None);
        read(&mut world, &f, id, burn);
        world.advance(9_000);
        assert!(!world.message(f.alice, id).unwrap().taken);
        world.advance(1_000);
        assert_eq!(world.message(f.alice, id).unwrap().taken, taken, "{burn:?}");
        // Whether it was read is still theirs to tell.
        assert_eq!(state(&world, f.alice, id), (MessageState::Delivered, true));
    }
}

#[test]
fn a_message_that_burned_here_burns_there_in_two_minutes_or_when_its_reader_says_so() {
    for hidden in [false, true] {
        let mut world = World::default();
        let f = world.acquainted();
        let burn = Burn::OnRead;
        let id = world.say_with(f.alice, f.to_bob, "once", Some(burn), None);
        read(&mut world, &f, id, burn);
        let read_ms = world.server.now_ms;
        let seen = world.message(f.alice, id).unwrap();
        assert_eq!((seen.state, seen.text), (MessageState::Burned, None));
        assert_eq!(seen.burns_ms, Some(read_ms + 120_000));
        if hidden {
            let hide = Command::Hide {
                chat: f.to_alice,
                messages: vec![id],
            };
            world.command(f.bob, hide);
            world.advance(2_000);
        } else {
            world.close(f.bob);
            world.advance(119_999);
            assert!(world.message(f.alice, id).unwrap().burns_ms.is_some());
            world.advance(1);
        }
        let seen = world.message(f.alice, id).unwrap();
        assert_eq!((seen.state, seen.burns_ms), (MessageState::Burned, None));
    }
}
