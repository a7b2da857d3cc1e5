//! What rests for the safes or for keys: when the server is asked again, and how often.

use client::Command;
use client::command::SettingsChange;
use client::event::Event;
use client::testing::World;
use protocol::envelope::Content;

use super::forge::Forger;
use super::rereads::{announce, batch, post_lost, reads, store, target};

fn lookups(world: &World, path: &str) -> usize {
    let log = world.server.log.iter();
    log.filter(|line| line.as_str() == path).count()
}

#[test]
fn what_rests_has_the_safes_read_every_five_seconds_and_not_while_an_answer_is_awaited() {
    for (slow, counts) in [(false, [1, 2, 2]), (true, [1, 1, 2])] {
        let mut world = World::default();
        let (tab, _) = world.register("bob");
        let bob = world.server.user("bob");
        let mut mallory = Forger::plant(&mut world, "mallory", 1);
        world.advance(20_000);
        // Prekeys that never were.
        let never = batch(&mut world, &bob, 6);
        let mut post = |world: &mut World, nth| {
            let to = target(world, &bob, &never, nth);
            let now = world.server.now();
            mallory.post(world, &to, &Content::text("lost"), now);
        };
        post(&mut world, 0);
        world.server.log.clear();
        if slow {
            world.slow = Some("GET /safe");
        }
        world.advance(1_000);
        post(&mut world, 1);
        world.advance(3_900);
        assert_eq!(reads(&world), 0, "{slow}");
        world.advance(100);
        assert_eq!(reads(&world), counts[0], "{slow}");
        world.advance(2_000);
        post(&mut world, 2);
        world.advance(3_000);
        assert_eq!(reads(&world), counts[1], "{slow}");
        world.advance(5_000);
        assert_eq!(reads(&world), counts[2], "{slow}");
        world.arrive();
        world.advance(10_000);
        assert_eq!(world.refusals(tab), ["cannot-open"; 3], "{slow}");
    }
}

#[test]
fn what_goes_on_after_a_read_of_the_safes_waits_ten_seconds_for_its_senders_keys() {
    let mut world = World::default();
    let (tab, _) = world.register("bob");
    let bob = world.server.user("bob");
    let mut mallory = Forger::plant(&mut world, "mallory", 1);
    let mut eve = Forger::plant(&mut world, "eve", 2);
    world.advance(20_000);
    let now = world.server.now();
    post_lost(&mut world, &mut mallory, &bob);
    let made = batch(&mut world, &bob, 7);
    let to = target(&world, &bob, &made, 0);
    store(&mut world, &bob, made);
    eve.post(&mut world, &to, &Content::text("hello"), now);
    let path: &str = format!("GET /users/{}", eve.user).leak();
    world.slow = Some(path);
    world.server.log.clear();
    for (ms, read, asked) in [
        (4_900, 0, 0),
        (100, 1, 1),
        (9_900, 1, 1),
        (100, 1, 1),
        (1_900, 1, 1),
        (100, 1, 2),
    ] {
        world.advance(ms);
        assert_eq!((reads(&world), lookups(&world, path)), (read, asked));
    }
    assert!(world.requests(tab).is_empty());
    world.arrive();
    assert_eq!(world.requests(tab).len(), 1);
    assert_eq!(world.refusals(tab), ["cannot-open"]);
}

#[test]
fn a_read_of_the_safes_that_ended_with_its_connection_is_made_on_the_next() {
    let mut world = World::default();
    let (tab, _) = world.register("bob");
    let bob = world.server.user("bob");
    let second = world.sign_in("bob");
    world.advance(20_000);
    world.slow = Some("GET /safe");
    announce(&mut world, tab, &bob);
    world.slow = None;
    let change = SettingsChange {
        receipts: Some(false),
        ..SettingsChange::default()
    };
    world.command(second, Command::SetSettings(change));
    let receipts = |world: &World| {
        let mut events = world.tab(tab).events.iter().rev();
        events.find_map(|event| match event {
            Event::Settings(settings) => Some(settings.receipts),
            _ => None,
        })
    };
    world.advance(20_000);
    assert_eq!(receipts(&world), Some(true), "one read at a time");
    world.cut(tab);
    world.advance(20_000);
    assert_eq!(receipts(&world), Some(false));
}
