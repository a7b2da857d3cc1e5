//! When the safes are read again: after a read that failed, and for prekeys that are not known yet.

use client::testing::{PASSPHRASE, Reply, SeededRng, World};
use protocol::envelope::Content;
use protocol::epoch::VerifiedTarget;
use protocol::identity::AccountSecrets;
use protocol::ids::UserId;
use protocol::prekeys::{PrekeyBatch, generate_batch};
use protocol::safe::{PrekeySafe, open_prekey_safe, open_safe, seal_prekey_safe};
use serde_json::json;

use super::forge::{Forger, keys_of};

pub(crate) fn reads(world: &World) -> usize {
    let log = world.server.log.iter();
    log.filter(|line| line.starts_with("GET /safe")).count()
}

/// Answers to reads of the safes are refusals that ask for half a minute, as often as it says.
fn refuse_reads(world: &mut World, mut times: u32) {
    world.server.tamper = Some(Box::new(move |_, mut reply| {
        if let Reply::Json {
            request,
            status,
            body,
        } = &mut reply
            && request == "GET /safe"
            && times > 0
        {
            times -= 1;
            *status = 503;
            *body = json!({"code": "unavailable", "retry_after": 30});
        }
        vec![reply]
    }));
}

/// Says that another session wrote.
pub(crate) fn announce(world: &mut World, tab: usize, user: &UserId) {
    let account = &world.server.accounts[user];
    let version = account.safe_version() + 1;
    let prekey_version = account.prekey_history.last().unwrap().0;
    let frame = json!({"t": "safe", "version": version, "prekey_version": prekey_version});
    world.server.push(tab, Reply::Text(frame));
    world.settle();
}

/// The private keys in bob's key safe.
pub(crate) fn secrets(world: &mut World, user: &UserId) -> AccountSecrets {
    let key = world.server.safe_key("bob", PASSPHRASE);
    let (version, data) = world.server.accounts[user].history.last().unwrap();
    open_safe(&key, user, *version, data).unwrap().secrets
}

/// A batch that another session of the account has made.
pub(crate) fn batch(world: &mut World, user: &UserId, number: u32) -> PrekeyBatch {
    let secrets = secrets(world, user);
    let mut rng = SeededRng::new(u64::from(number));
    let now = world.server.now();
    generate_batch(
        &mut rng,
        &secrets,
        *user,
        number,
        3,
        now,
        &Default::default(),
    )
}

pub(crate) fn target(
    world: &World,
    user: &UserId,
    batch: &PrekeyBatch,
    nth: usize,
) -> VerifiedTarget {
    let id = batch.signed.leaves[nth].prekey_id;
    let claimed = batch.signed.claimed(Some(id)).unwrap();
    let keys = keys_of(world, user);
    claimed.verify(&keys, user, world.server.now(), 0).unwrap()
}

/// Another session of the account changes what the prekey safe holds.
pub(crate) fn store_prekeys(
    world: &mut World,
    user: &UserId,
    change: impl FnOnce(&mut PrekeySafe),
) {
    let key = world.server.safe_key("bob", PASSPHRASE);
    let account = world.server.accounts.get_mut(user).unwrap();
    let (version, data) = account.prekey_history.last().unwrap().clone();
    let mut safe = open_prekey_safe(&key, user, version, &data).unwrap();
    change(&mut safe);
    let data = seal_prekey_safe(&mut SeededRng::new(5), &key, user, version + 1, &safe);
    account.prekey_history.push((version + 1, data));
    world.server.roll_back_prekey_safe(*user, 0);
}

/// The other session stores its batch.
pub(crate) fn store(world: &mut World, user: &UserId, batch: PrekeyBatch) {
    store_prekeys(world, user, |safe| {
        safe.add_batch(batch);
    });
}

/// Somebody writes under prekeys that never were.
pub(crate) fn post_lost(world: &mut World, from: &mut Forger, user: &UserId) {
    let never = batch(world, user, 6);
    let to = target(world, user, &never, 0);
    let now = world.server.now();
    from.post(world, &to, &Content::text("lost"), now);
}

#[test]
fn a_read_that_failed_is_made_again_after_the_time_that_was_named_and_then_no_more() {
    let mut world = World::default();
    let (tab, _) = world.register("bob");
    let bob = world.server.user("bob");
    world.advance(20_000);
    refuse_reads(&mut world, 1);
    world.server.log.clear();
    announce(&mut world, tab, &bob);
    for (ms, count) in [(29_900, 1), (200, 2), (120_000, 2)] {
        world.advance(ms);
        assert_eq!(reads(&world), count, "{ms}");
    }
}

#[test]
fn what_needs_the_safes_waits_until_the_server_wants_to_be_asked_again() {
    let mut world = World::default();
    let (tab, _) = world.register("bob");
    let bob = world.server.user("bob");
    let mut mallory = Forger::plant(&mut world, "mallory", 1);
    world.advance(20_000);
    let made = batch(&mut world, &bob, 7);
    let to = target(&world, &bob, &made, 0);
    store(&mut world, &bob, made);
    refuse_reads(&mut world, 1);
    world.server.log.clear();
    let now = world.server.now();
    mallory.post(&mut world, &to, &Content::text("hello"), now);
    for (ms, count) in [(29_900, 1), (200, 2), (120_000, 2)] {
        world.advance(ms);
        assert_eq!(reads(&world), count, "{ms}");
        assert_eq!(world.requests(tab).len(), count - 1);
    }
    assert_eq!(world.refusals(tab), Vec::<String>::new());
}

#[test]
fn an_answer_from_before_a_message_came_is_not_taken_for_one_to_it() {
    let mut world = World::default();
    let (tab, _) = world.register("bob");
    let bob = world.server.user("bob");
    let mut mallory = Forger::plant(&mut world, "mallory", 1);
    world.advance(20_000);
    // Prekeys that never were: the safes are read for them, and not again so soon.
    let now = world.server.now();
    post_lost(&mut world, &mut mallory, &bob);
    assert_eq!(world.refusals(tab), ["cannot-open"]);
    // A read leaves the server, then the other session stores, then a message comes.
    world.slow = Some("GET /safe");
    announce(&mut world, tab, &bob);
    world.slow = None;
    let made = batch(&mut world, &bob, 7);
    let to = target(&world, &bob, &made, 0);
    store(&mut world, &bob, made);
    mallory.post(&mut world, &to, &Content::text("hello"), now);
    world.arrive();
    assert!(world.requests(tab).is_empty());
    world.advance(6_000);
    assert_eq!(world.requests(tab).len(), 1);
    assert_eq!(world.refusals(tab), ["cannot-open"]);
}
