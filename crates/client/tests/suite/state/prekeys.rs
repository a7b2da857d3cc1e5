//! Batches of prekeys: numbered, stored, published, destroyed.

use client::Command;
use client::testing::{PASSPHRASE, Reply, World};
use protocol::envelope::Content;
use protocol::safe::{PrekeySafe, open_prekey_safe};

use super::forge::{Forger, away};
use super::server_says;

const HOUR_MS: u64 = 3_600_000;
const DAY_MS: u64 = 24 * HOUR_MS;

fn prekey_safe(world: &mut World, handle: &str) -> PrekeySafe {
    let user = world.server.user(handle);
    let key = world.server.safe_key(handle, PASSPHRASE);
    let (version, data) = world.server.accounts[&user].prekey_history.last().unwrap();
    open_prekey_safe(&key, &user, *version, data).unwrap()
}

fn published(world: &World, handle: &str) -> u32 {
    let user = world.server.user(handle);
    world.server.accounts[&user].batch.head.batch_number
}

#[test]
fn a_high_number_of_the_server_does_not_end_the_publishing_of_prekeys() {
    for lie in [u32::MAX, u32::MAX - 1, 1 << 20] {
        let mut world = World::default();
        let (tab, _) = world.register("bob");
        world.server.tamper = Some(Box::new(move |_, mut reply| {
            if let Reply::Json { request, body, .. } = &mut reply
                && request == "GET /prekeys"
            {
                body["batch_number"] = lie.into();
            }
            vec![reply]
        }));
        world.advance(HOUR_MS);
        assert!(world.refusals(tab).contains(&"malformed".to_owned()));
        world.server.tamper = None;
        assert_eq!(published(&world, "bob"), 1);
        world.advance(25 * HOUR_MS);
        assert_eq!(published(&world, "bob"), 2);
    }
}

#[test]
fn public_prekeys_are_published_only_after_their_private_halves_are_stored() {
    for safe in ["PUT /prekey-safe", "PUT /safe"] {
        let mut world = World::default();
        world.register("bob");
        world.advance(23 * HOUR_MS);
        world.server.log.clear();
        world.slow = Some(safe);
        world.advance(2 * HOUR_MS);
        let asked = |world: &World, request: &str| world.server.log.iter().any(|l| l == request);
        assert!(asked(&world, safe));
        assert!(!asked(&world, "PUT /prekeys"), "{safe} is on its way");
        world.arrive();
        world.advance(1_000);
        assert!(asked(&world, "PUT /prekeys"));
    }
}

#[test]
fn private_halves_are_destroyed_eight_days_after_their_batch_was_replaced() {
    let mut world = World::default();
    let (tab, _) = world.register("bob");
    let bob = world.server.user("bob");
    let mut mallory = Forger::plant(&mut world, "mallory", 1);
    let one_time = world.server.accounts[&bob].unclaimed[0];
    let now = world.server.now();
    let targets = [away(&world, &bob, Some(one_time)), away(&world, &bob, None)];
    world.close(tab);
    world.advance(DAY_MS + HOUR_MS);
    let tab = world.sign_in("bob");
    world.advance(5_000);
    assert_eq!(published(&world, "bob"), 2, "the first batch is replaced");
    world.close(tab);
    world.advance(8 * DAY_MS);
    let tab = world.sign_in("bob");
    world.advance(5_000);
    let kept = prekey_safe(&mut world, "bob");
    assert!(kept.iter().all(|(_, entry)| entry.batch_number > 1));
    let later = world.server.now();
    assert!(later > now);
    for target in targets {
        let text = Content::text("sealed to what is gone");
        mallory.post(&mut world, &target, &text, later);
    }
    assert_eq!(world.refusals(tab), ["cannot-open", "cannot-open"]);
    assert!(world.requests(tab).is_empty());
}

#[test]
fn a_batch_that_the_server_does_not_take_is_offered_again_instead_of_making_others() {
    let mut world = World::default();
    world.register("bob");
    world.advance(23 * HOUR_MS);
    world.server.tamper = Some(Box::new(|_, mut reply| {
        if let Reply::Json {
            request, status, ..
        } = &mut reply
            && request == "PUT /prekeys"
        {
            *status = 503;
        }
        if let Reply::Json { request, body, .. } = &mut reply
            && request == "GET /prekeys"
        {
            body["stock"] = 10.into();
        }
        vec![reply]
    }));
    world.advance(5 * HOUR_MS);
    assert_eq!(prekey_safe(&mut world, "bob").newest_batch(), Some(2));
    world.server.tamper = None;
    world.advance(HOUR_MS);
    let kept = prekey_safe(&mut world, "bob");
    assert_eq!(kept.newest_batch(), Some(2));
    let replaced = |(_, entry): (u32, &protocol::safe::PrekeyEntry)| {
        entry.replaced_at.is_some() == (entry.batch_number == 1)
    };
    assert!(kept.iter().all(replaced), "it was taken");
}

#[test]
fn prekeys_are_renewed_after_a_day_although_the_servers_clock_stands_still() {
    let mut world = World::default();
    let (bob, _) = world.register("bob");
    let then = world.server.now();
    server_says(&mut world, move |_| then);
    for _ in 0..23 {
        world.cut(bob);
        world.advance(HOUR_MS);
    }
    assert_eq!(published(&world, "bob"), 1);
    for _ in 0..2 {
        world.cut(bob);
        world.advance(HOUR_MS);
    }
    assert_eq!(published(&world, "bob"), 2);
}

#[test]
fn a_batch_is_made_below_fifty_prekeys_and_after_any_that_another_session_can_have_made() {
    for (stock, at_server, newest) in [
        (50, 1, 1),
        (49, 1, 2),
        (0, 1, 2),
        (50, 2, 3),
        (50, 1_001, 1_002),
        (50, 1_002, 1),
        (49, 1_002, 2),
    ] {
        let mut world = World::default();
        world.register("bob");
        world.server.tamper = Some(Box::new(move |_, mut reply| {
            if let Reply::Json { request, body, .. } = &mut reply
                && request == "GET /prekeys"
            {
                body["stock"] = stock.into();
                body["batch_number"] = at_server.into();
            }
            vec![reply]
        }));
        let elsewhere = world.sign_in("bob");
        world.advance(5_000);
        let case = (stock, at_server);
        assert_eq!(published(&world, "bob"), newest, "{case:?}");
        let unbelievable = world.refusals(elsewhere).contains(&"malformed".to_owned());
        assert_eq!(unbelievable, at_server > 1_001, "{case:?}");
    }
}

#[test]
fn a_batch_of_the_identity_before_is_not_offered_under_a_new_one() {
    let mut world = World::default();
    let (bob, _) = world.register("bob");
    let put = "PUT /prekeys".to_owned();
    world.server.tamper = Some(Box::new(|_, mut reply| {
        if let Reply::Json {
            request, status, ..
        } = &mut reply
            && request == "PUT /prekeys"
        {
            *status = 503;
        }
        vec![reply]
    }));
    world.advance(25 * HOUR_MS);
    assert!(world.server.log.contains(&put), "it was not taken");
    world.server.tamper = None;
    world.server.log.clear();
    let passphrase = PASSPHRASE.into();
    world.command(bob, Command::NewIdentity { passphrase });
    assert_eq!(world.failures(bob), Vec::<String>::new());
    assert_eq!(published(&world, "bob"), 3);
    world.advance(HOUR_MS);
    assert!(!world.server.log.contains(&put));
}
