//! The last second of a message's life.

use client::Command;
use client::event::MessageState;
use client::id::MessageId;
use client::testing::{Friends, Reply, World};
use protocol::envelope::Content;

use super::forge::{Forged, live_target, stolen};
use super::nothing_refused;

fn id(byte: u8) -> MessageId {
    MessageId::from_bytes([byte; 16])
}

/// A text for one minute, said so many seconds ago, which the server keeps for longer.
fn text_for_a_minute(world: &mut World, f: &Friends, ago_secs: u64, burn: bool) {
    let [alice, bob] = ["alice", "bob"].map(|handle| world.server.user(handle));
    let secrets = stolen(world, "alice");
    let mut text = Forged::new(world, Content::text("for one minute"), id(1));
    text.life_secs = 60;
    text.sent_at -= ago_secs;
    text.burn = burn;
    let target = live_target(world, f.bob, &bob);
    let mut submission = text.seal(world, alice, &secrets, &target);
    submission.life_secs = 3_600;
    world.server.post_as(alice, &submission.encode());
    world.settle();
}

fn seen(world: &World, f: &Friends) -> (MessageState, bool) {
    let view = world.message(f.bob, id(1)).unwrap();
    (view.state, view.text.is_some())
}

#[test]
fn a_text_is_shown_until_its_last_second_is_over() {
    for (ago_secs, shown) in [(59, true), (60, true), (61, false)] {
        let mut world = World::default();
        let f = world.acquainted();
        text_for_a_minute(&mut world, &f, ago_secs, false);
        let unread = (MessageState::Unread, true);
        let over = (MessageState::Expired, false);
        let expected = if shown { unread } else { over };
        assert_eq!(seen(&world, &f), expected, "{ago_secs}");
        world.advance(2_000);
        assert_eq!(seen(&world, &f), over, "{ago_secs}");
        nothing_refused(&world, f.bob);
    }
}

#[test]
fn what_burns_is_revealed_until_its_last_second_is_over() {
    for (after_ms, revealed) in [(59_000, true), (60_000, true), (61_000, false)] {
        let mut world = World::default();
        let f = world.acquainted();
        text_for_a_minute(&mut world, &f, 0, true);
        assert_eq!(seen(&world, &f), (MessageState::Unread, false));
        world.advance(after_ms);
        let (chat, message) = (f.to_alice, id(1));
        world.command(f.bob, Command::Reveal { chat, message });
        let expected = if revealed {
            (MessageState::Unread, true)
        } else {
            (MessageState::Expired, false)
        };
        assert_eq!(seen(&world, &f), expected, "{after_ms}");
        nothing_refused(&world, f.bob);
    }
}

#[test]
fn what_burns_is_not_revealed_where_the_server_says_later_that_its_time_is_over() {
    let mut world = World::default();
    let f = world.acquainted();
    text_for_a_minute(&mut world, &f, 0, true);
    world.server.tamper = Some(Box::new(move |_, mut reply| {
        if let Reply::Text(frame) = &mut reply
            && frame["t"] == "hello"
        {
            frame["now"] = (frame["now"].as_u64().unwrap() + 100).into();
        }
        vec![reply]
    }));
    world.cut(f.bob);
    world.advance(10_000);
    let (chat, message) = (f.to_alice, id(1));
    world.command(f.bob, Command::Reveal { chat, message });
    assert_eq!(seen(&world, &f), (MessageState::Expired, false));
}
