//! A new identity, and the word of contacts on what the server holds back from them.

use client::Command;
use client::event::Event;
use client::id::MessageId;
use client::testing::{PASSPHRASE, Reply, World};
use protocol::envelope::Content;

use super::forge::{Forged, prekey_target, stolen};

/// Alice writes to bob under his last resort; how often his session tells that of the server.
fn told(world: &mut World, tab: usize) -> usize {
    let [alice, bob] = ["alice", "bob"].map(|handle| world.server.user(handle));
    let alices = stolen(world, "alice");
    let target = prekey_target(world, &bob, None);
    let id = MessageId::from_bytes([1; 16]);
    let forged = Forged::new(world, Content::text("hello"), id);
    let submission = forged.seal(world, alice, &alices, &target);
    world.server.post_as(alice, &submission.encode());
    world.settle();
    assert!(world.message(tab, id).unwrap().text.is_some());
    let events = world.tab(tab).events.iter();
    let notices = events
        .filter(|event| matches!(event, Event::Notice { code, .. } if code == "last-resort-used"));
    notices.count()
}

#[test]
fn a_new_identity_knows_at_once_that_it_has_better_keys_than_the_last_resort() {
    let mut world = World::default();
    let f = world.acquainted();
    let passphrase = PASSPHRASE.into();
    world.command(f.bob, Command::NewIdentity { passphrase });
    assert_eq!(told(&mut world, f.bob), 1);
}

#[test]
fn the_last_resort_is_no_news_where_the_server_has_no_other_key_left() {
    for (left, times) in [(0_u32, 0), (1, 1)] {
        let mut world = World::default();
        let f = world.acquainted();
        world.server.tamper = Some(Box::new(move |_, mut reply| {
            if let Reply::Json { request, body, .. } = &mut reply
                && request == "GET /prekeys"
            {
                body["stock"] = left.into();
            }
            vec![reply]
        }));
        world.advance(700_000);
        assert_eq!(told(&mut world, f.bob), times, "{left}");
    }
}
