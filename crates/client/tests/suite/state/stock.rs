//! When a batch of prekeys is made: by the time at which the newest was, and by how many are held.

use client::Command;
use client::testing::{Reply, SeededRng, World};
use protocol::ids::UserId;
use protocol::prekeys::{ONE_TIME_AT_REGISTRATION, ONE_TIME_PER_BATCH, generate_batch};

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
    // What is only low waits until everything is drawn.
    world.advance(4_000);
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
    // With the eleven of the registration.
    for (held, published) in [(4_095, 2), (4_096, 1)] {
        let (mut sizes, mut left) = (Vec::new(), held - 11);
        while left > 0 {
            let size = left.min(129);
            sizes.push(size - 1);
            left -= size;
        }
        assert_eq!(published_after(&sizes, 0, 10), published, "{held}");
    }
}

/// The newest batch at the server, and how many one-time pairs of it are left.
fn at_server(world: &World, handle: &str) -> (u32, usize) {
    let account = &world.server.accounts[&world.server.user(handle)];
    (account.batch.head.batch_number, account.unclaimed.len())
}

/// Others take some of bob's pairs.
fn take(world: &mut World, pairs: usize) {
    let bob = world.server.user("bob");
    let account = world.server.accounts.get_mut(&bob).unwrap();
    let left = account.unclaimed.len() - pairs;
    account.unclaimed.truncate(left);
}

#[test]
fn a_registration_publishes_ten_pairs_and_its_session_makes_more_when_half_are_used() {
    let mut world = World::default();
    world.register("bob");
    assert_eq!(at_server(&world, "bob"), (1, ONE_TIME_AT_REGISTRATION));
    world.advance(3 * 600_000);
    assert_eq!(at_server(&world, "bob"), (1, ONE_TIME_AT_REGISTRATION));
    take(&mut world, 5);
    world.advance(600_000);
    assert_eq!(at_server(&world, "bob"), (1, 5));
    take(&mut world, 1);
    world.advance(600_000);
    assert_eq!(at_server(&world, "bob"), (2, ONE_TIME_PER_BATCH));
}

#[test]
fn the_first_sign_in_or_reload_after_a_registration_tops_up_once_everything_is_drawn() {
    for reloads in [false, true] {
        let mut world = World::default();
        let (tab, _) = world.register("bob");
        world.advance(5_000);
        let tab = if reloads {
            world.reload(tab)
        } else {
            world.close(tab);
            world.sign_in("bob")
        };
        world.advance(2_999);
        assert_eq!(at_server(&world, "bob"), (1, ONE_TIME_AT_REGISTRATION));
        assert!(!world.server.log.contains(&"PUT /prekeys".to_owned()));
        world.advance(1_001);
        assert_eq!(at_server(&world, "bob"), (2, ONE_TIME_PER_BATCH));
        world.close(tab);
        let tab = world.sign_in("bob");
        world.advance(5_000);
        assert_eq!(at_server(&world, "bob"), (2, ONE_TIME_PER_BATCH), "once");
        assert_eq!(world.refusals(tab), Vec::<String>::new());
    }
}

#[test]
fn where_none_is_left_more_are_made_at_once() {
    let mut world = World::default();
    let (tab, _) = world.register("bob");
    world.advance(5_000);
    world.close(tab);
    take(&mut world, ONE_TIME_AT_REGISTRATION);
    world.sign_in("bob");
    assert_eq!(at_server(&world, "bob"), (2, ONE_TIME_PER_BATCH));
}

#[test]
fn more_people_than_a_new_account_has_pairs_write_to_it_and_all_is_opened_after_the_top_up() {
    let mut world = World::default();
    let (tab, _) = world.register("bob");
    world.advance(5_000);
    world.close(tab);
    world.advance(5_000);
    let senders = ONE_TIME_AT_REGISTRATION + 2;
    for n in 0..senders {
        let (tab, _) = world.register(&format!("friend{n}"));
        let (handle, greeting) = ("bob".to_owned(), format!("hello {n}").as_str().into());
        world.command(tab, Command::RequestContact { handle, greeting });
    }
    assert_eq!(at_server(&world, "bob"), (1, 0));
    let last_resort = world.server.messages.values();
    let last_resort = last_resort.filter(|held| {
        let leaf = world.server.accounts[&world.server.user("bob")]
            .batch
            .last_resort();
        let id = leaf.map(|leaf| leaf.prekey_id);
        held.slots.values().any(|slot| slot.prekey == id)
    });
    assert_eq!(last_resort.count(), 2);
    let tab = world.sign_in("bob");
    world.advance(5_000);
    assert_eq!(at_server(&world, "bob"), (2, ONE_TIME_PER_BATCH));
    assert_eq!(world.requests(tab).len(), senders);
    assert_eq!(world.refusals(tab), Vec::<String>::new());
}

#[test]
fn a_registration_carries_less_than_a_hundred_kilobytes() {
    let mut world = World::default();
    world.register("bob");
    let longest = world.server.traffic.iter().map(Vec::len).max().unwrap();
    assert!((50_000..100_000).contains(&longest), "{longest}");
}
