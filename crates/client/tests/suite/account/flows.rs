//! One way in at a time, and what becomes of one that does not get to its end.

use client::Command;
use client::event::{Event, Phase};
use client::testing::{PASSPHRASE, Reply, World};
use serde_json::{Value, json};

use super::{reason, unlock};

const NEW: &str = "the second passphrase";

fn sign_in(passphrase: &str) -> Command {
    Command::SignIn {
        handle: "alice".into(),
        passphrase: passphrase.into(),
        device_name: None,
    }
}

fn register(handle: &str, passphrase: &str) -> Command {
    Command::Register {
        handle: handle.into(),
        alias: String::new(),
        passphrase: passphrase.into(),
        setup: None,
        invite: None,
    }
}

fn recover(recovery_key: &str, passphrase: &str) -> Command {
    Command::Recover {
        handle: "alice".into(),
        recovery_key: recovery_key.into(),
        passphrase: passphrase.into(),
    }
}

fn change() -> Command {
    Command::ChangePassphrase {
        current: PASSPHRASE.into(),
        new: NEW.into(),
    }
}

/// How often a request was made.
fn asked(world: &World, request: &str) -> usize {
    let log = world.server.log.iter();
    log.filter(|line| *line == request).count()
}

/// The server answers one request with something else.
pub(super) fn answers(world: &mut World, request: &'static str, status: u16, body: Value) {
    world.server.tamper = Some(Box::new(move |_, mut reply| {
        if let Reply::Json {
            request: of,
            status: was,
            body: said,
        } = &mut reply
            && of == request
        {
            (*was, *said) = (status, body.clone());
        }
        vec![reply]
    }));
}

fn refusal(code: &str) -> Value {
    json!({ "code": code, "detail": "" })
}

#[test]
fn while_one_way_in_is_under_way_no_other_begins() {
    let mut world = World::default();
    let (_, key) = world.register("alice");
    let tab = world.browser();
    world.slow = Some("POST /session/start");
    world.command(tab, sign_in(PASSPHRASE));
    for other in [sign_in("wrong"), register("bob", NEW), recover(&key, NEW)] {
        world.command(tab, other);
    }
    assert_eq!(world.failures(tab), ["busy"; 3]);
    assert_eq!(asked(&world, "POST /session/start"), 1);
    world.arrive();
    assert_eq!(world.phase(tab), Phase::Unlocked);

    world.slow = Some("POST /session/reauth/start");
    world.command(tab, change());
    let passphrase = || PASSPHRASE.into();
    for other in [
        change(),
        Command::RevokeOtherSessions {
            passphrase: passphrase(),
        },
        Command::NewIdentity {
            passphrase: passphrase(),
        },
        Command::DeleteAccount {
            passphrase: passphrase(),
        },
    ] {
        world.command(tab, other);
    }
    assert_eq!(world.failures(tab), ["busy"; 7]);
    world.arrive();
    assert!(world.tab(tab).events.contains(&Event::PassphraseChanged));
    assert_eq!(world.server.accounts.len(), 1);
}

#[test]
fn an_answer_to_a_try_that_was_given_up_is_not_taken_for_one_to_the_next() {
    let mut world = World::default();
    world.register("alice");
    let tab = world.browser();
    world.slow = Some("POST /session/start");
    world.command(tab, sign_in("wrong"));
    world.command(tab, Command::Cancel);
    world.command(tab, sign_in(PASSPHRASE));
    world.arrive();
    assert_eq!(world.failures(tab), Vec::<String>::new());
    assert_eq!(world.phase(tab), Phase::Unlocked);
    // And one that comes when nothing follows is for nobody.
    world.command(tab, Command::Lock);
    world.slow = Some("POST /session/reauth/start");
    world.command(tab, unlock(PASSPHRASE));
    world.command(tab, Command::Cancel);
    world.arrive();
    assert_eq!(world.failures(tab), Vec::<String>::new());
    assert_eq!(world.phase(tab), Phase::Locked);
}

#[test]
fn who_is_in_does_not_come_in_again_and_nobody_comes_in_without_a_passphrase() {
    let mut world = World::default();
    let (tab, key) = world.register("alice");
    world.server.log.clear();
    for again in [
        sign_in(PASSPHRASE),
        register("bob", NEW),
        recover(&key, NEW),
    ] {
        world.command(tab, again);
    }
    assert_eq!(world.failures(tab), ["busy"; 3]);
    assert_eq!(world.phase(tab), Phase::Unlocked);
    let elsewhere = world.browser();
    for empty in [register("bob", ""), recover(&key, "")] {
        world.command(elsewhere, empty);
    }
    assert_eq!(world.failures(elsewhere), ["empty-passphrase"; 2]);
    let begun = |line: &&String| line.ends_with("/start");
    assert_eq!(world.server.log.iter().filter(begun).count(), 0);
}

#[test]
fn a_recovery_key_that_is_not_typed_back_in_time_ends_the_attempt() {
    let mut world = World::default();
    let tab = world.browser();
    let began_ms = world.server.now_ms;
    world.command(tab, register("alice", PASSPHRASE));
    let typed = world.recovery_key(tab);
    let told = world.tab(tab).events.iter().find_map(|event| match event {
        Event::RecoveryKey { expires_ms, .. } => Some(*expires_ms),
        _ => None,
    });
    // The server keeps the attempt for ten minutes; the way there takes a moment.
    assert_eq!(told, Some(began_ms + 590_000));
    world.advance(589_999);
    assert_eq!(world.failures(tab), Vec::<String>::new());
    world.advance(1);
    assert_eq!(world.failures(tab), ["token-expired"]);
    let typed = typed.as_str().into();
    world.command(tab, Command::ConfirmRecoveryKey { typed });
    assert_eq!(world.failures(tab), ["token-expired", "nothing-to-confirm"]);
    assert!(world.server.accounts.is_empty());
    // The next attempt has all its time.
    world.command(tab, register("alice", PASSPHRASE));
    world.advance(300_000);
    let typed = world.recovery_key(tab).as_str().into();
    world.command(tab, Command::ConfirmRecoveryKey { typed });
    assert_eq!(world.phase(tab), Phase::Unlocked);
    world.advance(300_000);
    assert_eq!(world.failures(tab).len(), 2);
}

#[test]
fn a_session_that_ends_while_the_passphrase_is_changed_is_over_here_too() {
    let mut world = World::default();
    let (tab, _) = world.register("alice");
    world.slow = Some("POST /passphrase/start");
    world.command(tab, change());
    let alice = world.server.user("alice");
    world.server.revoke(alice);
    world.settle();
    let stands = (world.phase(tab), reason(&world, tab));
    assert_eq!(stands, (Phase::Locked, "expired".into()));
    world.arrive();
    assert_eq!(world.phase(tab), Phase::Locked);
    world.command(tab, unlock(PASSPHRASE));
    assert_eq!(world.phase(tab), Phase::Unlocked, "nothing was changed");
}

#[test]
fn unlocking_after_the_session_ended_signs_in_with_the_passphrase_that_was_typed() {
    for ends_late in [false, true] {
        let mut world = World::default();
        let (tab, _) = world.register("alice");
        let alice = world.server.user("alice");
        world.command(tab, Command::Lock);
        if ends_late {
            world.slow = Some("POST /session/reauth/start");
        } else {
            world.server.revoke(alice);
        }
        world.command(tab, unlock(PASSPHRASE));
        if ends_late {
            world.server.revoke(alice);
            world.arrive();
        }
        assert_eq!(world.failures(tab), Vec::<String>::new());
        assert_eq!(world.phase(tab), Phase::Unlocked);
        assert_eq!(asked(&world, "POST /session/start"), 1);
        let tab = world.reload(tab);
        assert_eq!(
            world.phase(tab),
            Phase::Unlocked,
            "the session is a new one"
        );
    }
}

#[test]
fn an_unlock_that_is_refused_is_told_and_makes_no_new_session() {
    let mut world = World::default();
    let (tab, _) = world.register("alice");
    world.command(tab, Command::Lock);
    let mut expected = Vec::new();
    for request in ["POST /session/reauth/start", "POST /session/reauth/finish"] {
        for (status, code) in [
            (401, "sign-in-failed"),
            (403, "reauth-failed"),
            (429, "too-many-requests"),
            (503, "unavailable"),
        ] {
            answers(&mut world, request, status, refusal(code));
            world.command(tab, unlock(PASSPHRASE));
            expected.push(code);
            assert_eq!(world.failures(tab), expected);
            assert_eq!(world.phase(tab), Phase::Locked);
        }
    }
    world.server.tamper = None;
    world.command(tab, unlock(PASSPHRASE));
    assert_eq!(world.phase(tab), Phase::Unlocked);
    assert_eq!(asked(&world, "POST /session/start"), 0);
}

#[test]
fn a_sign_in_that_is_refused_is_told_and_not_tried_again() {
    let mut world = World::default();
    world.register("alice");
    let tab = world.browser();
    for request in ["POST /session/start", "POST /session/finish"] {
        world.server.log.clear();
        answers(&mut world, request, 401, refusal("signed-out"));
        world.command(tab, sign_in(PASSPHRASE));
        assert_eq!(world.failures(tab).pop().unwrap(), "signed-out");
        assert_eq!(asked(&world, "POST /session/start"), 1, "{request}");
    }
    assert_eq!(world.phase(tab), Phase::SignedOut);
}

#[test]
fn a_session_that_ends_while_its_safes_are_fetched_locks_and_any_other_refusal_is_told() {
    let mut world = World::default();
    world.register("alice");
    for request in ["GET /safe", "GET /session"] {
        let tab = world.sign_in("nobody");
        answers(&mut world, request, 503, refusal("unavailable"));
        world.command(tab, sign_in(PASSPHRASE));
        assert_eq!(world.failures(tab), ["sign-in-failed", "unavailable"]);
        assert_eq!(world.phase(tab), Phase::SignedOut);
        answers(&mut world, request, 401, refusal("signed-out"));
        world.command(tab, sign_in(PASSPHRASE));
        let stands = (world.phase(tab), reason(&world, tab));
        assert_eq!(stands, (Phase::Locked, "expired".into()), "{request}");
        assert_eq!(world.failures(tab).len(), 2);
        world.server.tamper = None;
        world.command(tab, unlock(PASSPHRASE));
        assert_eq!(world.phase(tab), Phase::Unlocked);
    }
}

#[test]
fn a_start_that_fails_is_told_and_can_be_tried_again() {
    let mut world = World::default();
    answers(&mut world, "GET /session", 503, refusal("unavailable"));
    let tab = world.browser();
    assert_eq!(world.failures(tab), ["unavailable"]);
    assert_eq!(world.phase(tab), Phase::Starting);
    answers(&mut world, "GET /session", 200, json!("no session"));
    world.command(tab, Command::Start);
    assert_eq!(world.failures(tab), ["unavailable", "server-reply"]);
    world.network = false;
    world.server.tamper = None;
    world.command(tab, Command::Start);
    // Neither the server's state nor the session's.
    assert_eq!(world.failures(tab)[2..], ["offline", "offline"]);
    assert_eq!(world.phase(tab), Phase::Starting);
    world.network = true;
    world.command(tab, Command::Start);
    assert_eq!(world.phase(tab), Phase::SignedOut);
}

/// Something that the last request of a flow changes at the server.
struct Decided {
    request: &'static str,
    begins: fn(&str) -> Command,
    /// Whether the tab was told that it is done.
    done: fn(&World, usize) -> bool,
}

fn came_in(world: &World, tab: usize) -> bool {
    world.phase(tab) == Phase::Unlocked
}

fn told(world: &World, tab: usize, is: fn(&Event) -> bool) -> bool {
    came_in(world, tab) && world.tab(tab).events.iter().any(is)
}

const DECIDED: [Decided; 6] = [
    Decided {
        request: "POST /registration/finish",
        begins: |_| register("bob", NEW),
        done: came_in,
    },
    Decided {
        request: "POST /recovery/finish",
        begins: |key| recover(key, NEW),
        done: came_in,
    },
    Decided {
        request: "POST /passphrase/finish",
        begins: |_| change(),
        done: |world, tab| told(world, tab, |event| *event == Event::PassphraseChanged),
    },
    Decided {
        request: "POST /passphrase/finish",
        begins: |_| Command::RevokeOtherSessions {
            passphrase: PASSPHRASE.into(),
        },
        done: |world, tab| told(world, tab, |event| matches!(event, Event::Sessions { .. })),
    },
    Decided {
        request: "PUT /public-keys",
        begins: |_| Command::NewIdentity {
            passphrase: PASSPHRASE.into(),
        },
        done: |world, tab| told(world, tab, |event| *event == Event::IdentityReplaced),
    },
    Decided {
        request: "POST /account/delete",
        begins: |_| Command::DeleteAccount {
            passphrase: PASSPHRASE.into(),
        },
        done: |world, tab| reason(world, tab) == "deleted",
    },
];

/// Begins a flow and goes on to its last request, in a tab; gives what was typed back.
fn begin(world: &mut World, tab: usize, decided: &Decided, key: &str) -> Option<Command> {
    let command = (decided.begins)(key);
    let comes_in = matches!(command, Command::Register { .. } | Command::Recover { .. });
    world.command(tab, command);
    let confirm = comes_in.then(|| Command::ConfirmRecoveryKey {
        typed: world.recovery_key(tab).as_str().into(),
    });
    if let Some(confirm) = &confirm {
        world.command(tab, confirm.clone());
    }
    confirm
}

/// Alice's account, and the tab for a flow: hers, or one in which nobody is in.
fn tab_for(world: &mut World, decided: &Decided) -> (usize, String) {
    let (tab, key) = world.register("alice");
    let signed_out = matches!(
        (decided.begins)(&key),
        Command::Register { .. } | Command::Recover { .. }
    );
    (if signed_out { world.browser() } else { tab }, key)
}

#[test]
fn once_the_server_was_asked_for_it_a_change_is_not_cancelled_and_its_answer_is_told() {
    for decided in &DECIDED {
        // The request is under way, or its answer is.
        for answered in [false, true] {
            let mut world = World::default();
            let (tab, key) = tab_for(&mut world, decided);
            let (request, done) = (decided.request, decided.done);
            let before = asked(&world, request);
            if answered {
                world.slow = Some(request);
            } else {
                world.held_up = Some(request);
            }
            let confirm = begin(&mut world, tab, decided, &key);
            assert!(!done(&world, tab), "{request}");
            world.command(tab, Command::Cancel);
            // What was sent is not sent again, and nothing else begins.
            world.command(tab, confirm.unwrap_or_else(change));
            assert_eq!(
                world.failures(tab),
                ["cannot-cancel", "busy"],
                "{request} {answered}"
            );
            world.arrive();
            assert!(done(&world, tab), "{request} {answered}");
            assert_eq!(
                world.failures(tab),
                ["cannot-cancel", "busy"],
                "{request} {answered}"
            );
            assert_eq!(asked(&world, request), before + 1);
        }
    }
}

#[test]
fn a_change_that_could_not_be_cancelled_and_is_refused_is_told() {
    for decided in &DECIDED {
        let mut world = World::default();
        let (tab, key) = tab_for(&mut world, decided);
        let (request, done) = (decided.request, decided.done);
        answers(&mut world, request, 503, refusal("unavailable"));
        world.slow = Some(request);
        begin(&mut world, tab, decided, &key);
        world.command(tab, Command::Cancel);
        world.arrive();
        assert_eq!(
            world.failures(tab),
            ["cannot-cancel", "unavailable"],
            "{request}"
        );
        assert!(!done(&world, tab), "{request}");
    }
}
