//! When a batch of prekeys is made: by the time at which the newest was, and by how many are held.

use client::testing::{Reply, SeededRng, World};
use protocol::ids::UserId;
use protocol::prekeys::generate_batch;

use super::rereads::{secrets, store_prekeys};

/// Another session of bob's stores batches of these sizes, made at this time.
fn store(world: &mut World, bob: &UserId, sizes: &[usize], at: u64) {
    let secrets = secrets(world, bob);
    let mut rng = SeededRng::new(8);
    store_prekeys(world, bob, |safe| {
        for size in sizes {
            let taken = safe.taken_ids();
            let made = generate_batch(&mut rng, &secrets, *bob, 2, *size, at, &taken);
            safe.add_batch(made);
        }
    });
}

/// The number of the batch that bob has published after a sign-in, where another session of his has
/// stored these batches, and the server says how many it has left.
fn published_after(sizes: &[usize], ahead_secs: u64, left: u32) -> u32 {
    let mut world = World::default();
    let (tab, _) = world.register("bob");
    let bob = world.server.user("bob");
    world.advance(5_000);
    world.close(tab);
    let at = world.server.now() + ahead_secs;
    store(&mut world, &bob, sizes, at);
    world.server.tamper = Some(Box::new(move |_, mut reply| {
        if let Reply::Json { request, body, .. } = &mut reply
            && request == "GET /prekeys"
        {
            body["stock"] = left.into();
        }
        vec![reply]
    }));
    world.sign_in("bob");
    world.server.accounts[&bob].batch.head.batch_number
}

#[test]
fn prekeys_that_were_made_more_than_an_hour_ahead_are_replaced() {
    for (ahead_secs, published) in [(0, 1), (3_599, 1), (3_600, 1), (3_601, 2), (86_400, 2)] {
        assert_eq!(published_after(&[1], ahead_secs, 100), published);
    }
}

#[test]
fn a_server_that_has_none_left_gets_no_more_while_four_thousand_private_halves_are_held() {
    // With the hundred and one of the registration.
    for (held, published) in [(4_095, 2), (4_096, 1)] {
        let (mut sizes, mut left) = (Vec::new(), held - 101);
        while left > 0 {
            let size = left.min(129);
            sizes.push(size - 1);
            left -= size;
        }
        assert_eq!(published_after(&sizes, 0, 10), published, "{held}");
    }
}
