//! How long the private half of a session bundle lives.

use client::testing::World;
use protocol::envelope::Content;

use super::forge::{Forger, live};
use super::server_says;

fn text() -> Content {
    Content::text("to be read by whoever has the key")
}

#[test]
fn a_session_pair_is_destroyed_when_its_bucket_is_over_and_nothing_of_it_waits() {
    let mut world = World::default();
    let f = world.acquainted();
    let bob = world.server.user("bob");
    let mut mallory = Forger::plant(&mut world, "mallory", 1);
    let (then, old) = (world.server.now(), live(&world, f.bob, &bob));
    world.advance(300_000 + 62_000);
    mallory.post(&mut world, &old, &text(), then);
    assert_eq!(world.refusals(f.bob), ["cannot-open"]);
    assert!(world.requests(f.bob).is_empty());
    // Control: the pair of now opens the same.
    let (now, new) = (world.server.now(), live(&world, f.bob, &bob));
    mallory.post(&mut world, &new, &text(), now);
    assert_eq!(world.requests(f.bob).len(), 1);
}

#[test]
fn a_server_that_repeats_one_time_keeps_no_session_pair() {
    let mut world = World::default();
    let f = world.acquainted();
    let bob = world.server.user("bob");
    let mut mallory = Forger::plant(&mut world, "mallory", 2);
    let (then, old) = (world.server.now(), live(&world, f.bob, &bob));
    let first = world.server.bundle_of(f.bob);
    server_says(&mut world, move |_| then);
    for _ in 0..10 {
        world.cut(f.bob);
        world.advance(60_000);
    }
    assert_ne!(world.server.bundle_of(f.bob), first);
    mallory.post(&mut world, &old, &text(), then);
    assert_eq!(world.refusals(f.bob), ["cannot-open"]);
    assert!(world.requests(f.bob).is_empty());
}
