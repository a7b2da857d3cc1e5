//! A new identity, and the word of contacts on what the server holds back from them.

use client::Command;
use client::event::Event;
use client::id::Id;
use client::testing::{PASSPHRASE, World};
use protocol::envelope::Content;

use super::forge::{Forged, prekey_target, stolen};

#[test]
fn a_new_identity_knows_at_once_that_it_has_better_keys_than_the_last_resort() {
    let mut world = World::default();
    let f = world.acquainted();
    let passphrase = PASSPHRASE.into();
    world.command(f.bob, Command::NewIdentity { passphrase });
    let (alice, bob) = (world.server.user("alice"), world.server.user("bob"));
    let alices = stolen(&mut world, "alice");
    let target = prekey_target(&world, &bob, None);
    let forged = Forged::new(&world, Content::text("hello"), Id::from_bytes([1; 16]));
    let submission = forged.seal(&world, alice, &alices, &target);
    world.server.post_as(alice, &submission.encode());
    world.settle();
    let told = world
        .tab(f.bob)
        .events
        .iter()
        .any(|event| matches!(event, Event::Notice { code, .. } if code == "last-resort-used"));
    assert!(told);
}
