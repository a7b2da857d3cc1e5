//! Changes whose answers are not heard: what became of them is told at the next unlock.

use client::Command;
use client::event::{Event, Phase};
use client::testing::{PASSPHRASE, World};
use serde_json::json;

use super::flows::answers;
use super::unlock;

const NEW: &str = "other words that nobody has ever said";

struct Change {
    request: &'static str,
    begins: fn() -> Command,
    /// What it does to the passphrase.
    passphrase: &'static str,
    called: &'static str,
}

const CHANGES: [Change; 3] = [
    Change {
        request: "POST /passphrase/finish",
        begins: || Command::ChangePassphrase {
            current: PASSPHRASE.into(),
            new: NEW.into(),
        },
        passphrase: NEW,
        called: "your passphrase was being changed",
    },
    Change {
        request: "POST /passphrase/finish",
        begins: || Command::RevokeOtherSessions {
            passphrase: PASSPHRASE.into(),
        },
        passphrase: PASSPHRASE,
        called: "your other sessions were being signed out",
    },
    Change {
        request: "PUT /public-keys",
        begins: || Command::NewIdentity {
            passphrase: PASSPHRASE.into(),
        },
        passphrase: PASSPHRASE,
        called: "your identity was being renewed",
    },
];

/// How a tab ends while the answer is under way; gives the tab that follows.
const ENDS: [fn(&mut World, usize) -> usize; 4] = [
    |world, tab| {
        world.command(tab, Command::Lock);
        tab
    },
    |world, tab| {
        world.command(tab, Command::Lock);
        world.overwrite(tab);
        tab
    },
    |world, tab| {
        world.command(tab, Command::SignOut);
        tab
    },
    |world, tab| world.reload(tab),
];

/// Comes in again.
fn enter(world: &mut World, tab: usize, passphrase: &str) {
    let command = match world.phase(tab) {
        Phase::Locked => unlock(passphrase),
        _ => Command::SignIn {
            handle: "alice".into(),
            passphrase: passphrase.into(),
            device_name: None,
        },
    };
    world.command(tab, command);
}

/// What a tab was told of changes.
fn told(world: &World, tab: usize) -> Vec<(&str, &str)> {
    let events = world.tab(tab).events.iter();
    let told = events.filter_map(|event| match event {
        Event::Notice { code, text, .. } if code.starts_with("change-") => {
            Some((code.as_str(), text.as_str()))
        }
        _ => None,
    });
    told.collect()
}

#[test]
fn what_became_of_a_change_whose_answer_was_not_heard_is_told_at_the_next_unlock() {
    for change in &CHANGES {
        for ends in &ENDS {
            for made in [false, true] {
                let mut world = World::default();
                let (tab, _) = world.register("alice");
                match made {
                    true => world.slow = Some(change.request),
                    false => world.held_up = Some(change.request),
                }
                world.command(tab, (change.begins)());
                let tab = ends(&mut world, tab);
                let after = if made { change.passphrase } else { PASSPHRASE };
                if world.phase(tab) != Phase::Unlocked {
                    assert_eq!(told(&world, tab), []);
                    enter(&mut world, tab, after);
                }
                assert_eq!(world.phase(tab), Phase::Unlocked, "{}", change.called);
                assert!(world.refusals(tab).is_empty(), "{:?}", world.refusals(tab));
                let [(code, text)] = told(&world, tab)[..] else {
                    panic!("{}: {:?}", change.called, told(&world, tab));
                };
                let expected = if made {
                    "change-made"
                } else {
                    "change-not-made"
                };
                assert_eq!(code, expected);
                assert!(text.contains(change.called), "{text}");
                // Once.
                world.command(tab, Command::Lock);
                world.overwrite(tab);
                enter(&mut world, tab, after);
                assert_eq!(told(&world, tab).len(), 1);
            }
        }
    }
}

#[test]
fn a_passphrase_that_fails_after_a_change_without_an_answer_may_be_the_other_one() {
    for ends in &ENDS {
        let mut world = World::default();
        let (tab, _) = world.register("alice");
        world.slow = Some("POST /passphrase/finish");
        world.command(tab, (CHANGES[0].begins)());
        let tab = ends(&mut world, tab);
        enter(&mut world, tab, PASSPHRASE);
        let failed = world
            .tab(tab)
            .events
            .iter()
            .rev()
            .find_map(|event| match event {
                Event::Failed { text, .. } => Some(text.as_str()),
                _ => None,
            });
        assert!(failed.is_some_and(|text| text.contains("of before and that of after")));
        enter(&mut world, tab, NEW);
        assert_eq!(told(&world, tab)[0].0, "change-made");
    }
}

#[test]
fn an_account_that_was_not_deleted_says_so_and_one_that_was_lets_nobody_in() {
    for deleted in [false, true] {
        let mut world = World::default();
        let (tab, _) = world.register("alice");
        match deleted {
            true => world.slow = Some("POST /account/delete"),
            false => world.held_up = Some("POST /account/delete"),
        }
        let passphrase = PASSPHRASE.into();
        world.command(tab, Command::DeleteAccount { passphrase });
        world.command(tab, Command::Lock);
        world.overwrite(tab);
        enter(&mut world, tab, PASSPHRASE);
        if deleted {
            let gone = |event: &Event| matches!(event, Event::Failed { text, .. } if text.contains("It may be gone."));
            assert!(world.tab(tab).events.iter().any(gone));
        } else {
            assert_eq!(told(&world, tab)[0].0, "change-not-made");
        }
    }
}

#[test]
fn what_something_on_the_way_answers_says_nothing_of_the_change() {
    let mut world = World::default();
    let (tab, _) = world.register("alice");
    answers(&mut world, "POST /passphrase/finish", 502, json!("<html>"));
    world.command(tab, (CHANGES[0].begins)());
    assert_eq!(world.failures(tab), ["server-error"]);
    world.command(tab, Command::Lock);
    enter(&mut world, tab, NEW);
    assert_eq!(told(&world, tab)[0].0, "change-made");
}

#[test]
fn a_change_that_is_answered_is_not_told_again() {
    for refused in [false, true] {
        let mut world = World::default();
        let (tab, _) = world.register("alice");
        if refused {
            let refusal = json!({"code": "reauth-failed", "detail": ""});
            answers(&mut world, "POST /passphrase/finish", 403, refusal);
        }
        world.command(tab, (CHANGES[1].begins)());
        world.command(tab, Command::Lock);
        world.overwrite(tab);
        assert_eq!(world.stored(tab, "change"), None);
        enter(&mut world, tab, PASSPHRASE);
        assert_eq!(told(&world, tab), []);
    }
}
