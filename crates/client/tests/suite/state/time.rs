//! A server's word on the time leaves nothing behind.

use client::Input;
use client::command::Command;
use client::event::{Event, MessageState, Phase};
use client::testing::{PASSPHRASE, World};
use protocol::prekeys::SessionBundle;
use protocol::safe::{SafeContents, open_safe};
use serde_json::{from_value, json, to_value};

use super::{server_says, switch};

const HOUR: u64 = 3_600;
const DAY: u64 = 24 * HOUR;

fn key_safe(world: &mut World, handle: &str) -> SafeContents {
    let user = world.server.user(handle);
    let key = world.server.safe_key(handle, PASSPHRASE);
    let (version, data) = world.server.accounts[&user].history.last().unwrap();
    open_safe(&key, &user, *version, data).unwrap()
}

/// Every time at which something in the key safe was changed.
fn stamps(contents: &SafeContents) -> Vec<u64> {
    let printed = format!("{contents:?}");
    let words: Vec<&str> = printed
        .split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_')
        .filter(|word| !word.is_empty() && *word != "Some")
        .collect();
    let is_time = |name: &str| name == "at" || name.ends_with("_at") || name.ends_with("_time");
    let after = words.windows(2).filter(|pair| is_time(pair[0]));
    let found: Vec<u64> = after.filter_map(|pair| pair[1].parse().ok()).collect();
    let recovery = contents.recovery.iter().map(|(at, _)| *at);
    found.into_iter().chain(recovery).collect()
}

fn questions(world: &World, tab: usize) -> usize {
    let asks = |event: &&Event| matches!(event, Event::ClockConflict { .. });
    world.tab(tab).events.iter().filter(asks).count()
}

#[test]
fn an_account_comes_back_by_itself_after_the_servers_clock_was_wrong() {
    let mut world = World::default();
    let f = world.acquainted();
    let (carol, _) = world.register("carol");
    world.command(carol, Command::CreateInvite { life_secs: None });
    let fragment = world.invite_link(carol);
    // 2100-01-01, for a minute.
    server_says(&mut world, |_| 4_102_444_800);
    world.cut(f.bob);
    world.advance(2_000);
    world.command(f.bob, switch(false));
    world.command(f.bob, Command::Block { chat: f.to_alice });
    world.command(f.bob, Command::Unblock { chat: f.to_alice });
    world.command(f.bob, Command::OpenInvite { fragment });
    world.advance(60_000);
    world.server.tamper = None;
    let wrongly = world.refusals(f.alice).len();
    let contents = key_safe(&mut world, "bob");
    let latest = world.server.now() + HOUR;
    let stamps = stamps(&contents);
    assert!(stamps.iter().all(|at| *at <= latest), "{stamps:?}");
    // Among them are those of what was changed while the clock was wrong.
    let said = &contents.contacts[&world.server.user("alice")].said;
    assert!(said.value.is_some());
    let blocked = contents.blocks.values().map(|block| block.at);
    for at in blocked.chain([contents.last_time, said.at]) {
        assert!(at > 0 && stamps.contains(&at), "{at}: {stamps:?}");
    }
    let linked = format!("link/{}", world.id("carol"));
    assert!(contents.settings.get(&linked).is_some());
    world.cut(f.bob);
    world.advance(5_000);
    world.say(f.alice, f.to_bob, "are you there?");
    world.advance(2_000);
    let heard = world.texts(f.bob, f.to_alice);
    assert_eq!(heard.last().unwrap(), "are you there?");
    // And in a browser that opens the safe anew.
    world.command(f.bob, Command::SignOut);
    let again = world.sign_in("bob");
    world.advance(5_000);
    assert_eq!(questions(&world, again), 0);
    world.say(f.alice, f.to_bob, "and now?");
    let sent = world.say(again, f.to_alice, "I can write");
    world.advance(5_000);
    assert!(world.texts(again, f.to_alice).contains(&"and now?".into()));
    let state = world.message(again, sent).unwrap().state;
    assert_eq!(state, MessageState::Delivered);
    let since = world.refusals(f.alice).split_off(wrongly);
    let refused = [world.refusals(again), since].concat();
    assert!(!refused.contains(&"out-of-time".into()), "{refused:?}");
}

#[test]
fn whoever_registered_while_the_servers_clock_was_ahead_is_reached_once_it_was_put_right() {
    for away in [false, true] {
        let mut world = World::default();
        server_says(&mut world, |now| now + 3 * DAY);
        let (bob, _) = world.register("bob");
        world.advance(20_000);
        world.server.tamper = None;
        world.cut(bob);
        world.advance(5_000);
        if away {
            world.close(bob);
            world.advance(20_000);
        }
        let (alice, _) = world.register("alice");
        world.command(
            alice,
            Command::RequestContact {
                handle: "bob".into(),
                greeting: "hello".into(),
            },
        );
        world.advance(5_000);
        assert!(world.refusals(alice).is_empty(), "{away}");
        let bob = if away { world.sign_in("bob") } else { bob };
        world.advance(5_000);
        assert_eq!(world.requests(bob).len(), 1, "{away}");
        let chat = world.id("alice");
        world.command(bob, Command::AcceptRequest { chat });
        world.say(bob, chat, "welcome");
        world.advance(5_000);
        let chat = world.id("bob");
        let heard = world.texts(alice, chat);
        assert!(heard.contains(&"welcome".into()), "{away}: {heard:?}");
    }
}

/// An account that was used while this device's clock and the server's were ten days ahead.
fn used_in_the_future() -> (World, usize) {
    let mut world = World::default();
    let (bob, _) = world.register("bob");
    world.server.now_ms += 10 * DAY * 1_000;
    world.input(bob, Input::Tick);
    world.command(bob, switch(false));
    world.advance(20_000);
    world.close(bob);
    world.server.now_ms -= 10 * DAY * 1_000;
    (world, bob)
}

#[test]
fn a_time_in_the_safe_that_neither_clock_has_reached_is_asked_about_and_corrected() {
    let (mut world, _) = used_in_the_future();
    let bob = world.sign_in("bob");
    assert_eq!(questions(&world, bob), 1);
    assert!(key_safe(&mut world, "bob").last_time > world.server.now() + 9 * DAY);
    world.command(bob, Command::Snapshot);
    assert_eq!(questions(&world, bob), 2, "a tab that joins is told too");
    world.command(bob, Command::AcceptClock);
    world.advance(5_000);
    assert!(key_safe(&mut world, "bob").last_time <= world.server.now() + HOUR);
    let user = world.server.user("bob");
    let made = world.server.accounts[&user].batch.head.created_at;
    assert!(made <= world.server.now() + HOUR, "prekeys are of now");
    // Nobody is asked again, and people reach the account.
    let elsewhere = world.sign_in("bob");
    assert_eq!(questions(&world, elsewhere), 0);
    let (alice, _) = world.register("alice");
    world.befriend(alice, bob, "bob");
    let chat = world.id("bob");
    world.say(alice, chat, "hello");
    let chat = world.id("alice");
    assert_eq!(world.texts(bob, chat), ["hello"]);
}

#[test]
fn whoever_does_not_know_which_clock_is_right_is_locked_and_nothing_is_changed() {
    let (mut world, _) = used_in_the_future();
    let bob = world.sign_in("bob");
    world.command(bob, Command::Cancel);
    assert_eq!(world.phase(bob), Phase::Locked);
    assert!(key_safe(&mut world, "bob").last_time > world.server.now() + 9 * DAY);
    let passphrase = PASSPHRASE.into();
    world.command(bob, Command::Unlock { passphrase });
    assert_eq!(questions(&world, bob), 2);
    // Consent that nobody asked for does nothing.
    world.command(bob, Command::AcceptClock);
    world.command(bob, Command::AcceptClock);
    assert_eq!(world.failures(bob), ["nothing-to-accept"]);
}

#[test]
fn time_does_not_go_far_below_what_the_safe_has_seen() {
    let mut world = World::default();
    let (bob, _) = world.register("bob");
    let seen = world.server.now();
    world.command(bob, switch(false));
    world.advance(5_000);
    server_says(&mut world, |now| now - 2 * DAY);
    let bob = world.reload(bob);
    world.advance(5_000);
    let (_, bundle) = world.server.bundle_of(bob);
    let bucket = SessionBundle::decode(&bundle).unwrap().bucket;
    assert!(bucket >= (seen - HOUR) / 300, "{bucket}");
    // Control: an hour is what clocks may differ by.
    server_says(&mut world, |now| now - HOUR / 2);
    world.cut(bob);
    world.advance(5_000);
    let (_, bundle) = world.server.bundle_of(bob);
    let bucket = SessionBundle::decode(&bundle).unwrap().bucket;
    assert!(bucket < (seen - HOUR / 4) / 300);
}

#[test]
fn pages_are_asked_and_answer_in_this_json() {
    let asked = Event::ClockConflict {
        seen_at: 3,
        server_at: 2,
        device_at: 1,
        text: "Which?".into(),
    };
    let json = json!({"e": "clock_conflict", "seen_at": 3, "server_at": 2, "device_at": 1,
        "text": "Which?"});
    assert_eq!(to_value(asked).unwrap(), json);
    let answer: Command = from_value(json!({"c": "accept_clock"})).unwrap();
    assert_eq!(answer, Command::AcceptClock);
}

#[test]
fn messages_of_one_moment_are_seen_one_after_the_other() {
    let mut world = World::default();
    let f = world.friends();
    let now_ms = world.server.now_ms;
    let sent = ["one", "two", "three"].map(|text| world.say(f.alice, f.to_bob, text));
    for tab in [f.alice, f.bob] {
        let seen = sent.map(|id| world.message(tab, id).unwrap().seen_ms);
        assert_eq!(seen, [now_ms, now_ms + 1, now_ms + 2]);
    }
}

#[test]
fn what_one_account_has_seen_says_nothing_to_the_next_one_in_the_same_browser() {
    let (mut world, _) = used_in_the_future();
    let tab = world.sign_in("bob");
    world.command(tab, Command::SignOut);
    world.command(
        tab,
        Command::Register {
            handle: "carol".into(),
            alias: String::new(),
            passphrase: PASSPHRASE.into(),
            setup: None,
            invite: None,
        },
    );
    let key = world.recovery_key(tab);
    let typed = key.as_str().into();
    world.command(tab, Command::ConfirmRecoveryKey { typed });
    world.advance(5_000);
    assert!(key_safe(&mut world, "carol").last_time <= world.server.now() + HOUR);
    let carol = world.server.user("carol");
    let made = world.server.accounts[&carol].batch.head.created_at;
    assert!(made <= world.server.now() + HOUR, "{made}");
}

#[test]
fn a_cancel_that_ends_nothing_locks_nobody() {
    let mut world = World::default();
    let (bob, _) = world.register("bob");
    world.command(bob, Command::Cancel);
    assert_eq!(world.phase(bob), Phase::Unlocked);
}

#[test]
fn without_a_question_about_clocks_there_is_nothing_to_accept_or_decline() {
    let mut world = World::default();
    let f = world.friends();
    world.command(f.bob, Command::Snapshot);
    assert_eq!(questions(&world, f.bob), 0);
    for _ in 0..2 {
        world.command(f.bob, Command::AcceptClock);
    }
    let failures = world.failures(f.bob);
    assert_eq!(failures, ["nothing-to-accept", "nothing-to-accept"]);
    world.command(f.bob, Command::Cancel);
    assert_eq!(world.phase(f.bob), Phase::Unlocked);
}
