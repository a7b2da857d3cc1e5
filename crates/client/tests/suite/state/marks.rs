//! What leaves a mark in the safes, and when a message is acknowledged.

use client::command::Command;
use client::testing::World;
use protocol::envelope::{Content, ContentKind};
use protocol::ids::{MessageId, UserId};

use super::forge::{Forger, Said, away, live};

/// Newest versions of both safes at the server.
fn versions(world: &World, user: &UserId) -> (u64, u64) {
    let account = &world.server.accounts[user];
    let last = |history: &[(u64, Vec<u8>)]| history.last().unwrap().0;
    (last(&account.history), last(&account.prekey_history))
}

#[test]
fn what_a_stranger_sends_unseen_leaves_nothing_in_the_safes() {
    let mut world = World::default();
    world.acquainted();
    let bob = world.server.user("bob");
    let mut mallory = Forger::plant(&mut world, "mallory", 1);
    let one_time = world.server.accounts[&bob].unclaimed[0];
    let before = versions(&world, &bob);
    let unseen = [
        Content::Receipt(Vec::new()),
        Content::Sync,
        Content::Typing { active: true },
        Content::Profile { alias: "m".into() },
    ];
    for content in unseen.iter().cycle().take(40) {
        for one_time in [None, Some(one_time)] {
            let now = world.server.now();
            let target = away(&world, &bob, one_time);
            let id = mallory.post(&mut world, &target, content, now);
            assert!(!world.server.messages.contains_key(&id), "acknowledged");
        }
    }
    let after = versions(&world, &bob);
    assert_eq!(after.0, before.0, "the key safe");
    assert_eq!(after.1, before.1 + 1, "the one-time pair was used, once");
}

#[test]
fn of_one_stranger_a_few_messages_are_kept_and_the_rest_waits_at_the_server() {
    let mut world = World::default();
    let f = world.acquainted();
    let bob = world.server.user("bob");
    let mut mallory = Forger::plant(&mut world, "mallory", 2);
    let chat = world.id("mallory");
    for n in 0..40 {
        let now = world.server.now();
        let target = away(&world, &bob, None);
        mallory.post(
            &mut world,
            &target,
            &Content::text(format!("{n}").as_str()),
            now,
        );
    }
    assert_eq!(world.requests(f.bob).len(), 1);
    let theirs = world.server.messages.values();
    let waiting = theirs.filter(|held| held.poster == mallory.user).count();
    assert_eq!(waiting, 40, "nothing is decided");
    world.command(f.bob, Command::AcceptRequest { chat });
    assert_eq!(world.texts(f.bob, chat).len(), 16);
}

#[test]
fn whoever_was_refused_writes_nothing_into_the_safes() {
    let mut world = World::default();
    let f = world.acquainted();
    let bob = world.server.user("bob");
    let mut mallory = Forger::plant(&mut world, "mallory", 3);
    let chat = world.id("mallory");
    let now = world.server.now();
    let target = away(&world, &bob, None);
    mallory.post(&mut world, &target, &Content::text("hello"), now);
    world.command(f.bob, Command::RefuseRequest { chat });
    world.advance(3_000);
    let before = versions(&world, &bob);
    for _ in 0..10 {
        let target = away(&world, &bob, None);
        let content = Content::text("as if from before");
        let said = Said {
            kind: content.kind(),
            sent_at: 0,
        };
        let now = world.server.now();
        mallory.post_as(&mut world, &target, &content, &said, now);
    }
    assert!(world.requests(f.bob).is_empty());
    assert_eq!(versions(&world, &bob), before);
}

#[test]
fn a_message_is_acknowledged_only_after_its_mark_is_stored() {
    let mut world = World::default();
    let f = world.acquainted();
    world.close(f.bob);
    world.advance(20_000);
    let id = world.say(f.alice, f.to_bob, "while you were away");
    let bob = world.sign_in("bob");
    world.advance(3_000);
    let heard = world.texts(bob, f.to_alice);
    assert!(heard.contains(&"while you were away".into()));
    let waits = |world: &World| {
        let id = MessageId::from_bytes(*id.as_bytes());
        world.server.messages.contains_key(&id)
    };
    world.slow = Some("PUT /prekey-safe");
    world.show(bob, f.to_alice, vec![id]);
    world.advance(1_000);
    assert!(waits(&world), "its mark is on its way");
    world.arrive();
    assert!(!waits(&world), "its mark is stored");
}

#[test]
fn a_body_of_another_kind_than_its_slot_is_refused() {
    let mut world = World::default();
    let f = world.acquainted();
    let bob = world.server.user("bob");
    let mut mallory = Forger::plant(&mut world, "mallory", 4);
    let content = Content::text("not a receipt");
    let now = world.server.now();
    let target = live(&world, f.bob, &bob);
    let said = Said {
        kind: ContentKind::Receipt,
        sent_at: now,
    };
    mallory.post_as(&mut world, &target, &content, &said, now);
    assert_eq!(world.refusals(f.bob), ["malformed"]);
    assert!(world.requests(f.bob).is_empty());
    // Control: the same under its own kind.
    mallory.post(&mut world, &target, &content, now);
    assert_eq!(world.requests(f.bob).len(), 1);
}
