//! Writing and reading the safes while answers are late, lost or no answers at all.

use std::cell::Cell;
use std::rc::Rc;

use client::command::Command;
use client::event::{Event, Phase, SettingsView};
use client::testing::{PASSPHRASE, Reply, World};
use serde_json::{Value, json};

use super::switch;

fn receipts(world: &World, tab: usize) -> bool {
    let mut events = world.tab(tab).events.iter().rev();
    let told: Option<&SettingsView> = events.find_map(|event| match event {
        Event::Settings(settings) => Some(settings),
        _ => None,
    });
    told.unwrap().receipts
}

fn asked(world: &World, request: &str) -> usize {
    let log = world.server.log.iter();
    log.filter(|line| line.split('?').next() == Some(request))
        .count()
}

fn nothing_refused(world: &World, tab: usize) {
    assert_eq!(world.refusals(tab), Vec::<String>::new());
}

/// A request of a tab is answered like this once, whatever the server did.
fn answer_once(world: &mut World, tab: usize, request: &'static str, with: Option<(u16, Value)>) {
    let done = Rc::new(Cell::new(false));
    world.server.tamper = Some(Box::new(move |to, reply| {
        let hit = matches!(&reply, Reply::Json { request: of, .. } if *of == request);
        if to != tab || !hit || done.replace(true) {
            return vec![reply];
        }
        let made = with.clone().map(|(status, body)| Reply::Json {
            request: request.to_owned(),
            status,
            body,
        });
        made.into_iter().collect()
    }));
}

#[test]
fn a_write_that_failed_is_made_again_after_two_seconds_and_nothing_is_lost() {
    // The server took it, and said so to nobody.
    for answer in [
        (503, json!({"code": "unavailable"})),
        (409, json!({"code": "safe-conflict"})),
    ] {
        let mut world = World::default();
        let (alice, _) = world.register("alice");
        let second = world.sign_in("alice");
        world.advance(10_000);
        answer_once(&mut world, alice, "PUT /safe", Some(answer));
        world.server.log.clear();
        world.command(alice, switch(false));
        world.advance(1_900);
        assert_eq!(asked(&world, "PUT /safe"), 1);
        world.advance(200);
        assert!(asked(&world, "PUT /safe") > 1);
        world.advance(10_000);
        // It met its own version, and went on from there.
        assert_eq!(asked(&world, "PUT /safe"), 3);
        for tab in [alice, second] {
            nothing_refused(&world, tab);
            assert!(!receipts(&world, tab));
        }
    }
}

#[test]
fn writes_wait_for_a_replacement_of_the_safes_and_not_for_ever() {
    let mut world = World::default();
    let (alice, _) = world.register("alice");
    world.advance(10_000);
    world.held_up = Some("POST /passphrase/finish");
    world.command(
        alice,
        Command::ChangePassphrase {
            current: PASSPHRASE.into(),
            new: "another passphrase of many words".into(),
        },
    );
    world.server.log.clear();
    world.command(alice, switch(false));
    world.advance(19_900);
    assert_eq!(asked(&world, "PUT /safe"), 0);
    world.advance(200);
    assert_eq!(asked(&world, "PUT /safe"), 1);
}

#[test]
fn what_is_changed_after_a_replacement_of_the_safes_is_written_at_once() {
    let mut world = World::default();
    let (alice, _) = world.register("alice");
    world.advance(10_000);
    world.held_up = Some("POST /passphrase/finish");
    world.command(
        alice,
        Command::ChangePassphrase {
            current: PASSPHRASE.into(),
            new: "another passphrase of many words".into(),
        },
    );
    world.command(alice, switch(false));
    world.advance(1_000);
    world.server.log.clear();
    world.arrive();
    assert!(world.tab(alice).events.contains(&Event::PassphraseChanged));
    assert_eq!(asked(&world, "PUT /safe"), 1, "it knows the version");
    world.command(alice, switch(true));
    assert_eq!(asked(&world, "PUT /safe"), 2);
    nothing_refused(&world, alice);
    assert!(receipts(&world, alice));
}

#[test]
fn a_message_that_is_shown_during_a_change_of_identity_is_acknowledged_after_it() {
    let mut world = World::default();
    let f = world.acquainted();
    world.close(f.bob);
    world.advance(20_000);
    let bob = world.sign_in("bob");
    world.advance(4_000);
    world.close(bob);
    world.advance(20_000);
    let id = world.say(f.alice, f.to_bob, "while you were away");
    let bob = world.sign_in("bob");
    world.advance(4_000);
    world.slow = Some("PUT /public-keys");
    let passphrase = PASSPHRASE.into();
    world.command(bob, Command::NewIdentity { passphrase });
    world.show(bob, f.to_alice, vec![id]);
    world.advance(2_000);
    let held = |world: &World| {
        let mid = protocol::ids::MessageId::from_bytes(*id.as_bytes());
        world.server.messages.contains_key(&mid)
    };
    assert!(held(&world), "its mark is not stored");
    world.arrive();
    world.advance(5_000);
    assert!(!held(&world));
    nothing_refused(&world, bob);
}

#[test]
fn an_empty_prekey_safe_is_taken_only_where_there_is_none() {
    for (version, keeps_data, opens) in [
        (None, true, true),
        (None, false, false),
        (Some(0), true, false),
        (Some(0), false, true),
    ] {
        let mut world = World::default();
        let (alice, _) = world.register("alice");
        world.advance(10_000);
        world.close(alice);
        world.server.tamper = Some(Box::new(move |_, mut reply| {
            if let Reply::Json { request, body, .. } = &mut reply
                && request == "GET /safe"
                && body["prekey_safe"].is_object()
            {
                let safe = &mut body["prekey_safe"];
                if let Some(version) = version {
                    safe["version"] = version.into();
                }
                if !keeps_data {
                    safe["data"] = "".into();
                }
            }
            vec![reply]
        }));
        let tab = world.sign_in("alice");
        let opened = world.phase(tab) == Phase::Unlocked;
        assert_eq!(opened, opens, "{version:?} {keeps_data}");
        if !opens {
            let code = if keeps_data {
                "damaged-safe"
            } else {
                "malformed"
            };
            assert_eq!(world.refusals(tab), [code]);
        }
    }
}

/// A read of both safes leaves the server with what the other session wrote, and arrives late.
fn read_late(world: &mut World, tab: usize, change: impl FnOnce(&mut World)) {
    world.sockets = false;
    world.cut(tab);
    change(world);
    world.slow = Some("GET /safe");
    world.sockets = true;
    world.advance(60_000);
    world.slow = None;
}

#[test]
fn a_read_that_left_before_what_was_learnt_since_is_made_again_and_alarms_nobody() {
    // Which safe is newer by the time the answer arrives.
    for prekeys in [false, true] {
        let mut world = World::default();
        let f = world.acquainted();
        world.close(f.bob);
        world.advance(20_000);
        let ids = ["first", "second"].map(|words| world.say(f.alice, f.to_bob, words));
        let bob = world.sign_in("bob");
        let second = world.sign_in("bob");
        world.advance(60_000);
        assert_eq!(world.texts(bob, f.to_alice).len(), 3);
        world.server.log.clear();
        read_late(&mut world, bob, |world| {
            if prekeys {
                world.show(second, f.to_alice, vec![ids[0]]);
            } else {
                world.command(second, switch(false));
            }
            world.advance(1_000);
        });
        assert_eq!(asked(&world, "GET /safe"), 1);
        // A write of our own meets what the other session wrote, and goes beyond it.
        if prekeys {
            world.show(bob, f.to_alice, vec![ids[1]]);
        } else {
            world.command(bob, switch(true));
        }
        world.advance(1_000);
        world.arrive();
        world.advance(1_000);
        assert!((2..=3).contains(&asked(&world, "GET /safe")));
        for tab in [bob, second] {
            nothing_refused(&world, tab);
            assert_eq!(world.phase(tab), Phase::Unlocked);
        }
        assert!(receipts(&world, bob) && receipts(&world, second));
    }
}

#[test]
fn a_safe_that_was_rolled_back_under_a_session_is_refused_once_it_reads() {
    for prekeys in [false, true] {
        let mut world = World::default();
        let f = world.acquainted();
        let user = world.server.user("alice");
        // Another batch of prekeys is in their safe.
        world.advance(26 * 3_600_000);
        world.command(f.alice, switch(false));
        world.advance(20_000);
        if prekeys {
            world.server.roll_back_prekey_safe(user, 1);
        } else {
            world.server.roll_back_safe(user, 1);
        }
        world.server.log.clear();
        world.cut(f.alice);
        world.advance(5_000);
        assert_eq!(world.refusals(f.alice), ["rolled-back-safe"], "{prekeys}");
        assert_eq!(asked(&world, "GET /safe"), 1);
    }
}

#[test]
fn a_read_that_ended_with_its_connection_is_made_again_on_the_next() {
    let mut world = World::default();
    let (alice, _) = world.register("alice");
    let second = world.sign_in("alice");
    world.advance(10_000);
    answer_once(&mut world, alice, "GET /safe", None);
    world.cut(alice);
    world.advance(4_000);
    // Nothing comes of that read; while the socket is down the other session writes.
    world.sockets = false;
    world.cut(alice);
    world.command(second, switch(false));
    world.sockets = true;
    world.advance(60_000);
    assert!(!receipts(&world, alice));
}
