//! When the safes are read again: when another session says that it has written something else.

use client::testing::{Reply, World};
use serde_json::json;

fn reads(world: &World) -> usize {
    let log = world.server.log.iter();
    log.filter(|line| line.starts_with("GET /safe")).count()
}

#[test]
fn the_servers_word_on_new_versions_causes_a_read_and_on_old_ones_none() {
    let mut world = World::default();
    let (alice, _) = world.register("alice");
    world.advance(60_000);
    let account = &world.server.accounts[&world.server.user("alice")];
    let version = account.safe_version();
    let prekeys = account.prekey_history.last().unwrap().0;
    for (version, prekey_version, expected) in [
        (version, prekeys, 0),
        (version - 1, prekeys, 0),
        (version, prekeys - 1, 0),
        (version + 1, prekeys, 1),
        (version, prekeys + 1, 1),
    ] {
        let before = reads(&world);
        let frame = json!({"t": "safe", "version": version, "prekey_version": prekey_version});
        world.server.push(alice, Reply::Text(frame));
        world.settle();
        let read = reads(&world) - before;
        assert_eq!(read, expected, "{version} {prekey_version}");
        world.advance(60_000);
    }
}

#[test]
fn a_copy_from_a_session_that_knows_the_same_causes_no_read() {
    let mut world = World::default();
    let f = world.acquainted();
    let second = world.sign_in("alice");
    world.advance(60_000);
    let before = reads(&world);
    world.say(second, f.to_bob, "three");
    assert_eq!(world.texts(f.alice, f.to_bob).last().unwrap(), "three");
    assert_eq!(reads(&world), before);
}
