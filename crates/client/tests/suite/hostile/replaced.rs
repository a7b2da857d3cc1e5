//! What waits for the safes while the identity is replaced, and what is said of other keys.

use client::Command;
use client::id::MessageId;
use client::testing::{PASSPHRASE, Reply, World};
use protocol::envelope::Content;

use super::forge::{Forged, deliver, mid, prekey_target, stolen, swap_keys};
use super::nothing_refused;

fn id(byte: u8) -> MessageId {
    MessageId::from_bytes([byte; 16])
}

#[test]
fn a_mark_that_waits_outlives_the_identity_and_a_batch_that_waits_does_not() {
    let mut world = World::default();
    let (alice, _) = world.register("alice");
    let (bob, _) = world.register("bob");
    let looked_ms = world.server.now_ms;
    world.befriend(alice, bob, "bob");
    let [from, to] = ["alice", "bob"].map(|handle| world.server.user(handle));
    let alices = stolen(&mut world, "alice");
    let one_time = world.server.accounts[&to].unclaimed[0];
    let target = prekey_target(&world, &to, Some(one_time));
    let text = Forged::new(&world, Content::text("hello"), id(1));
    let submission = text.seal(&world, from, &alices, &target);
    world.server.post_as(from, &submission.encode());
    world.settle();
    world.close(alice);
    // Five seconds before the next look at the prekeys, of which few will be left.
    world.advance(looked_ms + 595_000 - world.server.now_ms);
    world.server.tamper = Some(Box::new(move |_, mut reply| {
        if let Reply::Json { request, body, .. } = &mut reply
            && request == "GET /prekeys"
        {
            body["stock"] = 10.into();
        }
        vec![reply]
    }));
    world.slow = Some("PUT /public-keys");
    let passphrase = PASSPHRASE.into();
    world.command(bob, Command::NewIdentity { passphrase });
    let chat = world.id("alice");
    world.server.log.clear();
    world.show(bob, chat, vec![id(1)]);
    world.advance(10_000);
    let asked = |world: &World, what: &str| world.server.log.iter().any(|line| line == what);
    assert!(asked(&world, "GET /prekeys"), "{:?}", world.server.log);
    assert!(!asked(&world, "PUT /prekey-safe"));
    assert!(world.server.messages.contains_key(&mid(id(1))));
    world.arrive();
    world.advance(10_000);
    assert!(asked(&world, "PUT /prekey-safe"));
    assert!(!asked(&world, "PUT /prekeys"));
    assert!(!world.server.messages.contains_key(&mid(id(1))));
    nothing_refused(&world, bob);
}

/// Whether a tab says of its first chat that keys changed, and that they changed back.
fn told(world: &World, tab: usize) -> (bool, bool) {
    let row = &world.chats(tab)[0];
    (row.key_changed, row.key_changed_back)
}

#[test]
fn words_under_the_pinned_keys_and_ones_own_raise_no_alarm_about_others() {
    let mut world = World::default();
    let f = world.acquainted();
    let bob = world.server.user("bob");
    let genuine = stolen(&mut world, "bob");
    let text = || Content::text("it is me");
    let second = world.sign_in("alice");
    world.say(second, f.to_bob, "from elsewhere");
    deliver(&mut world, f.alice, bob, &genuine, text(), id(1));
    world.advance(4_000);
    assert_eq!(told(&world, f.alice), (false, false));
    assert_eq!(told(&world, second), (false, false));
    let (fake, _) = swap_keys(&mut world, &bob, 5);
    deliver(&mut world, f.alice, bob, &fake, text(), id(2));
    assert_eq!(told(&world, f.alice), (true, false));
}

#[test]
fn other_keys_that_are_used_again_after_the_person_has_seen_it_raise_the_alarm_again() {
    let mut world = World::default();
    let f = world.acquainted();
    let bob = world.server.user("bob");
    let text = || Content::text("it is me");
    let (fake, public) = swap_keys(&mut world, &bob, 5);
    deliver(&mut world, f.alice, bob, &fake, text(), id(1));
    world.server.accounts.get_mut(&bob).unwrap().public_keys = public;
    world.advance(1_000);
    let second = world.sign_in("alice");
    assert_eq!(told(&world, second), (false, true));
    let chat = f.to_bob;
    world.command(second, Command::AcknowledgeKeys { chat });
    world.advance(1_000);
    assert_eq!(told(&world, second), (false, false));
    // The first session still has them from a moment ago.
    deliver(&mut world, f.alice, bob, &fake, text(), id(2));
    let said = world.message(f.alice, id(2)).unwrap();
    assert_eq!(said.warnings, ["key-changed"]);
    world.advance(500);
    assert_eq!(told(&world, second), (false, true));
}

#[test]
fn a_request_that_was_made_under_two_keys_stays_one_when_the_first_are_shown_again() {
    let mut world = World::default();
    let (alice, _) = world.register("alice");
    let (bob, _) = world.register("bob");
    let user = world.server.user("bob");
    let (handle, greeting) = ("alice".into(), "hello".into());
    world.command(bob, Command::RequestContact { handle, greeting });
    world.advance(4_000);
    let genuine = stolen(&mut world, "bob");
    world.close(bob);
    assert!(!world.requests(alice)[0].key_changed);
    world.advance(301_000);
    let (fake, public) = swap_keys(&mut world, &user, 5);
    let text = || Content::text("it is me");
    deliver(&mut world, alice, user, &fake, text(), id(1));
    assert!(world.requests(alice)[0].key_changed);
    world.server.accounts.get_mut(&user).unwrap().public_keys = public;
    world.advance(4_000);
    deliver(&mut world, alice, user, &genuine, text(), id(2));
    assert!(world.requests(alice)[0].key_changed);
    assert_eq!(world.requests(alice).len(), 1);
}
