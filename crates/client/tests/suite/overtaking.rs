//! A message whose upload takes a while, and what is done with it meanwhile.

use client::Command;
use client::id::MessageId;
use client::testing::{Friends, Reply, World};

/// A text longer than a frame of the socket may be, on its way over HTTP; gives its id.
fn uploading(world: &mut World, f: &Friends) -> MessageId {
    world.held_up = Some("POST /messages/sealed");
    world.say(f.alice, f.to_bob, &"long ".repeat(4_000))
}

/// A message that was taken back on its way.
fn taken_back() -> (World, Friends) {
    let mut world = World::default();
    let f = world.acquainted();
    let message = uploading(&mut world, &f);
    let (chat, everywhere) = (f.to_bob, true);
    world.command(
        f.alice,
        Command::Delete {
            chat,
            message,
            everywhere,
        },
    );
    assert!(world.message(f.alice, message).is_none());
    (world, f)
}

fn uploads(world: &World) -> usize {
    let log = world.server.log.iter();
    log.filter(|line| line.starts_with("POST /messages/sealed/"))
        .count()
}

#[test]
fn an_edit_does_not_overtake_its_message() {
    let mut world = World::default();
    let f = world.acquainted();
    let message = uploading(&mut world, &f);
    world.edit(f.alice, f.to_bob, message, "short");
    assert_eq!(world.texts(f.alice, f.to_bob), ["one", "two", "short"]);
    world.arrive();
    assert_eq!(world.texts(f.bob, f.to_alice), ["one", "two", "short"]);
}

#[test]
fn an_edit_goes_its_way_also_when_nobody_says_what_became_of_its_message() {
    let mut world = World::default();
    let f = world.acquainted();
    // It arrives, and the answers do not.
    world.server.tamper = Some(Box::new(|_, reply| match &reply {
        Reply::Text(frame) if frame["t"] == "sent" => Vec::new(),
        _ => vec![reply],
    }));
    let message = world.say(f.alice, f.to_bob, &"long ".repeat(4_000));
    world.edit(f.alice, f.to_bob, message, "short");
    world.advance(40_000);
    assert_eq!(world.texts(f.bob, f.to_alice), ["one", "two", "short"]);
}

#[test]
fn a_message_is_taken_back_when_it_has_arrived() {
    let (mut world, f) = taken_back();
    // Nor does what is said meanwhile wait for it.
    world.say(f.alice, f.to_bob, "three");
    assert_eq!(world.texts(f.bob, f.to_alice), ["one", "two", "three"]);
    world.arrive();
    world.advance(30_000);
    assert_eq!(world.texts(f.bob, f.to_alice), ["one", "two", "three"]);
}

#[test]
fn what_was_taken_back_on_its_way_is_not_given_to_the_server_once_more() {
    let (mut world, f) = taken_back();
    world.cut(f.alice);
    world.advance(20_000);
    world.arrive();
    world.advance(20_000);
    assert_eq!(uploads(&world), 1);
    assert_eq!(world.texts(f.bob, f.to_alice), ["one", "two"]);
}

#[test]
fn nothing_is_said_of_what_was_taken_back_and_did_not_arrive() {
    for refused in [true, false] {
        let (mut world, f) = taken_back();
        world.server.refuse.extend(refused.then_some("quota"));
        world.network = refused;
        world.arrive();
        world.network = true;
        world.advance(20_000);
        assert!(world.failures(f.alice).is_empty(), "{refused}");
        assert_eq!(uploads(&world), usize::from(refused));
        world.say(f.alice, f.to_bob, "three");
        world.advance(20_000);
        let texts = world.texts(f.bob, f.to_alice);
        assert_eq!(texts, ["one", "two", "three"], "{refused}");
        // Its number is free again where it is known that nobody has it.
        assert_eq!(world.refusals(f.bob).is_empty(), refused);
    }
}
