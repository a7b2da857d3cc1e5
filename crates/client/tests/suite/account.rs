//! Coming in and going out, without a network.

mod connection;
mod flows;
mod idleness;
mod named;
mod server;
mod sessions;
mod unheard;

use std::cell::RefCell;
use std::rc::Rc;

use api::close;
use client::Command;
use client::command::SettingsChange;
use client::event::{Event, Phase};
use client::testing::{PASSPHRASE, Reply, World};

fn reason(world: &World, tab: usize) -> String {
    let events = &world.tab(tab).events;
    let last = events.iter().rev().find_map(|event| match event {
        Event::State(view) => Some(view.reason.clone()),
        _ => None,
    });
    last.unwrap()
}

fn unlock(passphrase: &str) -> Command {
    Command::Unlock {
        passphrase: passphrase.into(),
    }
}

#[test]
fn a_registration_is_finished_only_after_the_recovery_key_was_typed_back() {
    let mut world = World::default();
    let tab = world.browser();
    assert_eq!(world.phase(tab), Phase::SignedOut);
    world.command(
        tab,
        Command::Register {
            handle: "alice".into(),
            alias: "Alice".into(),
            passphrase: PASSPHRASE.into(),
            setup: None,
            invite: None,
        },
    );
    assert!(world.server.accounts.is_empty());
    let key = world.recovery_key(tab);
    let confirm = |typed: &str| Command::ConfirmRecoveryKey {
        typed: typed.into(),
    };
    world.command(tab, confirm("0000-0000"));
    assert_eq!(world.failures(tab), ["recovery-key-mismatch"]);
    assert!(world.server.accounts.is_empty());
    world.command(tab, confirm(&key.to_lowercase().replace('-', " ")));
    assert_eq!(world.phase(tab), Phase::Unlocked);
    assert_eq!(reason(&world, tab), "registered");
    assert_eq!(world.server.accounts.len(), 1);
}

#[test]
fn a_taken_handle_and_a_closed_server_say_so() {
    let mut world = World::default();
    world.register("alice");
    let register = Command::Register {
        handle: "alice".into(),
        alias: String::new(),
        passphrase: PASSPHRASE.into(),
        setup: None,
        invite: None,
    };
    let tab = world.browser();
    world.command(tab, register.clone());
    world.server.registration = api::RegistrationMode::Closed;
    world.command(
        tab,
        Command::Register {
            handle: "bob".into(),
            alias: String::new(),
            passphrase: PASSPHRASE.into(),
            setup: None,
            invite: None,
        },
    );
    assert_eq!(world.failures(tab), ["handle-taken", "registration-closed"]);
}

#[test]
fn a_wrong_passphrase_and_an_unknown_handle_fail_alike() {
    let mut world = World::default();
    world.register("alice");
    let tab = world.browser();
    for (handle, passphrase) in [("alice", "wrong"), ("nobody", PASSPHRASE)] {
        world.command(
            tab,
            Command::SignIn {
                handle: handle.into(),
                passphrase: passphrase.into(),
                device_name: None,
            },
        );
    }
    assert_eq!(world.failures(tab), ["sign-in-failed", "sign-in-failed"]);
    assert_eq!(world.phase(tab), Phase::SignedOut);
    let told = world
        .server
        .log
        .iter()
        .filter(|l| *l == "POST /session/finish");
    assert_eq!(told.count(), 2, "the server can count both attempts");
}

#[test]
fn a_reload_resumes_without_the_passphrase_and_keeps_contacts() {
    let mut world = World::default();
    let f = world.friends();
    let tab = world.reload(f.alice);
    assert_eq!(world.phase(tab), Phase::Unlocked);
    assert_eq!(reason(&world, tab), "reload");
    assert_eq!(world.chats(tab)[0].handle, "bob");
    world.advance(4_000);
    world.say(tab, f.to_bob, "after the reload");
    assert_eq!(world.texts(f.bob, f.to_alice), ["after the reload"]);
}

#[test]
fn after_a_restart_of_the_server_a_reload_asks_for_the_passphrase() {
    let mut world = World::default();
    let (alice, _) = world.register("alice");
    world.server.restart();
    let tab = world.reload(alice);
    assert_eq!(world.phase(tab), Phase::Locked);
    world.command(tab, unlock("wrong"));
    assert_eq!(world.failures(tab), ["wrong-passphrase"]);
    world.command(tab, unlock(PASSPHRASE));
    assert_eq!(world.phase(tab), Phase::Unlocked);
}

#[test]
fn a_lock_erases_the_resume_wrap_and_the_passphrase_opens_again() {
    let mut world = World::default();
    let f = world.friends();
    world.say(f.alice, f.to_bob, "before the lock");
    assert!(world.stored(f.alice, "resume").is_some());
    world.command(f.alice, Command::Lock);
    assert_eq!(world.phase(f.alice), Phase::Locked);
    assert_eq!(world.stored(f.alice, "resume"), None);
    let reloaded = world.reload(f.alice);
    assert_eq!(world.phase(reloaded), Phase::Locked);
    world.command(reloaded, unlock(PASSPHRASE));
    assert_eq!(world.phase(reloaded), Phase::Unlocked);
    assert_eq!(world.texts(reloaded, f.to_bob), Vec::<String>::new());
    assert_eq!(world.chats(reloaded).len(), 1);
}

#[test]
fn nobody_at_the_keyboard_locks_after_the_time_set() {
    let mut world = World::default();
    let (tab, _) = world.register("alice");
    world.command(
        tab,
        Command::SetSettings(SettingsChange {
            lock_after_secs: Some(120),
            ..SettingsChange::default()
        }),
    );
    world.command(tab, Command::UserActive);
    world.advance(100_000);
    world.command(tab, Command::UserActive);
    world.advance(100_000);
    assert_eq!(world.phase(tab), Phase::Unlocked);
    world.advance(30_000);
    assert_eq!(
        (world.phase(tab), reason(&world, tab)),
        (Phase::Locked, "idle".into())
    );
}

#[test]
fn activity_is_told_to_the_server_at_most_once_a_minute() {
    let mut world = World::default();
    let (tab, _) = world.register("alice");
    let told = |world: &World| {
        let frames = world.server.traffic.iter();
        frames
            .filter(|f| f.as_slice() == br#"{"t":"active"}"#)
            .count()
    };
    for _ in 0..10 {
        world.command(tab, Command::UserActive);
        world.advance(1_000);
    }
    assert_eq!(told(&world), 1);
    world.advance(60_000);
    assert_eq!(told(&world), 1, "nothing is told without a person");
    world.command(tab, Command::UserActive);
    assert_eq!(told(&world), 2);
}

#[test]
fn an_expired_session_locks_and_unlocking_signs_in_again() {
    let mut world = World::default();
    let f = world.friends();
    let alice = world.server.user("alice");
    world.server.revoke(alice);
    world.settle();
    assert_eq!(
        (world.phase(f.alice), reason(&world, f.alice)),
        (Phase::Locked, "expired".into())
    );
    world.command(f.alice, unlock(PASSPHRASE));
    assert_eq!(world.phase(f.alice), Phase::Unlocked);
    world.advance(4_000);
    world.say(f.alice, f.to_bob, "back");
    assert_eq!(world.texts(f.bob, f.to_alice), ["back"]);
}

#[test]
fn after_signing_out_nothing_of_the_account_is_left_in_the_browser_but_the_safes_version() {
    let mut world = World::default();
    let (tab, _) = world.register("alice");
    world.command(tab, Command::SignOut);
    assert_eq!(world.phase(tab), Phase::SignedOut);
    assert_eq!(world.stored(tab, "resume"), None);
    let again = world.reload(tab);
    assert_eq!(world.phase(again), Phase::SignedOut);
}

#[test]
fn the_recovery_key_opens_the_account_once_with_a_new_passphrase() {
    let mut world = World::default();
    let f = world.friends();
    let (_, carol_key) = world.register("carol");
    let recover = |key: &str| Command::Recover {
        handle: "carol".into(),
        recovery_key: key.into(),
        passphrase: "an entirely new passphrase".into(),
    };
    let tab = world.browser();
    world.command(tab, recover(&carol_key));
    let new_key = world.recovery_key(tab);
    assert_ne!(new_key, carol_key);
    world.command(
        tab,
        Command::ConfirmRecoveryKey {
            typed: new_key.as_str().into(),
        },
    );
    assert_eq!(
        (world.phase(tab), reason(&world, tab)),
        (Phase::Unlocked, "recovered".into())
    );
    let late = world.browser();
    world.command(late, recover(&carol_key));
    assert_eq!(world.failures(late), ["recovery-failed"]);
    world.befriend(f.alice, tab, "carol");
    assert_eq!(world.refusals(tab), Vec::<String>::new());
}

#[test]
fn a_new_passphrase_replaces_the_old_one_and_the_recovery_key_still_works() {
    let mut world = World::default();
    let (tab, key) = world.register("alice");
    let change = |current: &str| Command::ChangePassphrase {
        current: current.into(),
        new: "the second passphrase".into(),
    };
    world.command(tab, change("wrong"));
    assert_eq!(world.failures(tab), ["wrong-passphrase"]);
    world.command(tab, change(PASSPHRASE));
    assert!(world.tab(tab).events.contains(&Event::PassphraseChanged));
    assert_eq!(world.phase(tab), Phase::Unlocked);
    let old = world.sign_in("alice");
    assert_eq!(world.failures(old), ["sign-in-failed"]);
    world.command(
        old,
        Command::SignIn {
            handle: "alice".into(),
            passphrase: "the second passphrase".into(),
            device_name: None,
        },
    );
    assert_eq!(world.phase(old), Phase::Unlocked);
    let recovering = world.browser();
    world.command(
        recovering,
        Command::Recover {
            handle: "alice".into(),
            recovery_key: key.as_str().into(),
            passphrase: "third".into(),
        },
    );
    assert!(!world.recovery_key(recovering).is_empty());
}

#[test]
fn a_passphrase_changed_elsewhere_locks_this_browser() {
    let mut world = World::default();
    let (tab, _) = world.register("alice");
    let other = world.sign_in("alice");
    world.command(
        other,
        Command::ChangePassphrase {
            current: PASSPHRASE.into(),
            new: "the second passphrase".into(),
        },
    );
    // The next thing that this browser writes is refused.
    world.command(
        tab,
        Command::SetSettings(SettingsChange {
            receipts: Some(false),
            ..SettingsChange::default()
        }),
    );
    assert_eq!(
        (world.phase(tab), reason(&world, tab)),
        (Phase::Locked, "passphrase_changed".into())
    );
}

#[test]
fn two_browsers_that_write_the_safe_at_once_lose_nothing() {
    let mut world = World::default();
    let f = world.friends();
    world.register("carol");
    let second = world.sign_in("alice");
    // The second browser does not hear of what the first writes.
    world.server.disconnect(second);
    world.command(
        f.alice,
        Command::RequestContact {
            handle: "carol".into(),
            greeting: "".into(),
        },
    );
    world.command(
        second,
        Command::SetSettings(SettingsChange {
            receipts: Some(false),
            ..SettingsChange::default()
        }),
    );
    let third = world.sign_in("alice");
    assert_eq!(world.chats(third).len(), 2);
    let settings = world
        .tab(third)
        .events
        .iter()
        .rev()
        .find_map(|event| match event {
            Event::Settings(view) => Some(*view),
            _ => None,
        });
    assert!(!settings.unwrap().receipts);
}

#[test]
fn prekeys_are_renewed_every_day_and_the_old_batch_still_opens_what_was_sent_under_it() {
    let mut world = World::default();
    let f = world.friends();
    let bob = world.server.user("bob");
    assert_eq!(world.server.accounts[&bob].batch.head.batch_number, 1);
    world.advance(25 * 3_600_000);
    assert_eq!(world.server.accounts[&bob].batch.head.batch_number, 2);
    world.close(f.bob);
    world.advance(4_000);
    world.say(f.alice, f.to_bob, "under batch two");
    let bob_again = world.sign_in("bob");
    assert_eq!(world.texts(bob_again, f.to_alice), ["under batch two"]);
}

#[test]
fn sockets_that_never_open_while_the_server_answers_are_told_as_what_they_are() {
    let barred = |world: &World, tab: usize| {
        let last = world
            .tab(tab)
            .events
            .iter()
            .rev()
            .find_map(|event| match event {
                Event::Connection { online, barred, .. } => Some((*online, *barred)),
                _ => None,
            });
        last.unwrap()
    };
    let notices = |world: &World, tab: usize| {
        let of =
            |event: &&Event| matches!(event, Event::Notice { code, .. } if code == "socket-barred");
        world.tab(tab).events.iter().filter(of).count()
    };
    let mut world = World::default();
    let (tab, _) = world.register("alice");
    world.sockets = false;
    world.cut(tab);
    world.advance(120_000);
    assert_eq!(barred(&world, tab), (false, true));
    assert_eq!(notices(&world, tab), 1);
    world.sockets = true;
    world.advance(60_000);
    assert_eq!(barred(&world, tab), (true, false));

    // Where nothing answers, the network is what is gone.
    world.network = false;
    world.cut(tab);
    world.advance(120_000);
    assert_eq!(barred(&world, tab), (false, false));
    assert_eq!(notices(&world, tab), 1);
}

#[test]
fn the_safes_travel_once_at_sign_in_and_again_only_when_another_session_wrote() {
    let mut world = World::default();
    let f = world.friends();
    world.advance(4_000);
    let carried = Rc::new(RefCell::new(Vec::new()));
    let seen = Rc::clone(&carried);
    world.server.tamper = Some(Box::new(move |_, reply| {
        if let Reply::Json {
            request, status, ..
        } = &reply
            && request == "GET /safe"
        {
            seen.borrow_mut().push(*status);
        }
        vec![reply]
    }));
    let second = world.sign_in("alice");
    assert_eq!(
        carried.take(),
        [200, 204],
        "the socket's greeting asks again"
    );
    let off = SettingsChange {
        receipts: Some(false),
        ..SettingsChange::default()
    };
    world.cut(second);
    world.command(f.alice, Command::SetSettings(off));
    world.advance(60_000);
    assert!(carried.take().contains(&200), "what was missed is fetched");
    let events = &world.tab(second).events;
    let last = events.iter().rev().find_map(|event| match event {
        Event::Settings(view) => Some(view.receipts),
        _ => None,
    });
    assert_eq!(last, Some(false));
}

#[test]
fn what_was_typed_is_there_for_every_tab_until_the_core_locks() {
    let drafts = |world: &World, tab: usize| {
        let events = &world.tab(tab).events;
        let told = events.iter().filter_map(|event| match event {
            Event::Draft { text, tag, .. } => Some((text.expose().to_owned(), tag.clone())),
            _ => None,
        });
        told.collect::<Vec<_>>()
    };
    let mut world = World::default();
    let f = world.friends();
    let typed = |text: &str| Command::Draft {
        chat: f.to_bob,
        text: text.into(),
        tag: Some("page".into()),
    };
    let tag = Some("page".to_owned());
    world.command(f.alice, typed("half a"));
    world.command(f.alice, typed("half a sentence"));
    let mut told = vec![
        ("half a".to_owned(), tag.clone()),
        ("half a sentence".to_owned(), tag.clone()),
    ];
    assert_eq!(drafts(&world, f.alice), told);
    world.command(f.alice, Command::Snapshot);
    told.push(("half a sentence".to_owned(), None));
    assert_eq!(drafts(&world, f.alice), told);

    world.command(f.alice, typed(""));
    world.command(f.alice, Command::Snapshot);
    told.push((String::new(), tag.clone()));
    assert_eq!(drafts(&world, f.alice), told, "nothing is left");

    world.command(f.alice, typed("to nobody"));
    world.command(f.alice, Command::RemoveContact { chat: f.to_bob });
    told.push(("to nobody".to_owned(), tag.clone()));
    told.push((String::new(), None));
    assert_eq!(drafts(&world, f.alice), told, "a removed chat has none");

    world.command(f.alice, typed("before the lock"));
    told.push(("before the lock".to_owned(), tag));
    world.command(f.alice, Command::Lock);
    world.command(f.alice, unlock(PASSPHRASE));
    world.command(f.alice, Command::Snapshot);
    assert_eq!(world.phase(f.alice), Phase::Unlocked);
    assert_eq!(drafts(&world, f.alice), told, "nothing outlives the lock");
}

#[test]
fn whoever_is_thrown_out_is_told_why() {
    for (code, why) in [
        (close::SESSION_OVER, "expired"),
        (close::SESSION_ENDED, "ended_elsewhere"),
        (close::PASSPHRASE_CHANGED, "passphrase_elsewhere"),
        (close::ACCOUNT_RECOVERED, "recovered_elsewhere"),
        (close::ACCOUNT_CLOSED, "account_closed"),
    ] {
        let mut world = World::default();
        let (tab, _) = world.register("alice");
        world.server.push(tab, Reply::Close(code));
        world.settle();
        assert_eq!(
            (world.phase(tab), reason(&world, tab)),
            (Phase::Locked, why.to_owned())
        );
    }
    for code in [
        close::MISUSE,
        close::REPLACED,
        close::TOO_MUCH,
        close::SHUTTING_DOWN,
        1006,
    ] {
        let mut world = World::default();
        let (tab, _) = world.register("alice");
        world.server.push(tab, Reply::Close(code));
        world.settle();
        assert_eq!(world.phase(tab), Phase::Unlocked, "{code}");
    }
}
