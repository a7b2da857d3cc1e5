//! The list of sessions, what ends one, and what its end looks like here.

use api::bodies::Session;
use api::ids::SessionId;
use client::Command;
use client::command::SettingsChange;
use client::event::{Event, Phase};
use client::testing::{PASSPHRASE, Reply, World};
use serde_json::json;

use super::flows::answers;
use super::{reason, unlock};

/// Ids in the order in which a tab was last told them.
fn listed(world: &World, tab: usize) -> Vec<SessionId> {
    let mut events = world.tab(tab).events.iter().rev();
    let told = events.find_map(|event| match event {
        Event::Sessions { sessions } => Some(sessions.iter().map(|s| s.id).collect()),
        _ => None,
    });
    told.unwrap_or_default()
}

#[test]
fn sessions_are_listed_with_this_one_first_and_then_the_latest() {
    let mut world = World::default();
    let (tab, _) = world.register("alice");
    let [old, new, here] = [1, 2, 3].map(|byte| SessionId::from_bytes([byte; 32]));
    let session = |id: SessionId, current: bool, last_activity: u64| Session {
        id,
        current,
        created_at: 1,
        last_activity,
        method: "passphrase".into(),
        device_name: None,
        ip: "192.0.2.1".into(),
        user_agent: String::new(),
    };
    let list = [
        session(old, false, 10),
        session(new, false, 30),
        session(here, true, 20),
    ];
    answers(&mut world, "GET /sessions", 200, json!(list));
    world.command(tab, Command::ListSessions);
    assert_eq!(listed(&world, tab), [here, new, old]);
    answers(&mut world, "GET /sessions", 200, json!(list[..2]));
    world.command(tab, Command::ListSessions);
    assert_eq!(listed(&world, tab), [new, old]);
    answers(&mut world, "GET /sessions", 200, json!("none"));
    world.command(tab, Command::ListSessions);
    assert_eq!(world.failures(tab), ["server-reply"]);
}

#[test]
fn a_session_or_an_invite_is_revoked_by_its_id_alone_and_the_list_is_fetched_anew() {
    let mut world = World::default();
    let (tab, _) = world.register("alice");
    let session = |id: &str| Command::RevokeSession { id: id.into() };
    let invite = |id: &str| Command::RevokeInvite { id: id.into() };
    world.server.tamper = Some(Box::new(|_, mut reply| {
        if let Reply::Json {
            request, status, ..
        } = &mut reply
            && request.starts_with("DELETE /sessions/")
        {
            *status = 204;
        }
        vec![reply]
    }));
    world.server.log.clear();
    let own = "0f".repeat(32);
    for id in ["", "a/b", "..", "a?b", "a%2e", "é", &own[1..], "a\u{0}"] {
        world.command(tab, session(id));
        world.command(tab, invite(id));
    }
    assert_eq!(world.failures(tab), ["not-found"; 16]);
    assert_eq!(world.server.log, Vec::<String>::new(), "nothing was asked");
    world.command(tab, session(&own));
    world.command(tab, invite(&own));
    let asked = [
        format!("DELETE /sessions/{own}"),
        "GET /sessions".into(),
        format!("DELETE /invites/{own}"),
        "GET /invites".into(),
    ];
    assert_eq!(world.server.log, asked);
    assert_eq!(world.failures(tab).len(), 16);
}

#[test]
fn whoever_learns_from_an_answer_that_the_session_is_over_locks() {
    let add = || Command::RequestContact {
        handle: "bob".into(),
        greeting: "".into(),
    };
    let cases = [
        ("GET /sessions", Command::ListSessions),
        ("GET /users/by-handle/bob", add()),
    ];
    for (request, command) in cases {
        let mut world = World::default();
        let (tab, _) = world.register("alice");
        answers(&mut world, request, 401, json!({"code": "signed-out"}));
        world.command(tab, command);
        let stands = (world.phase(tab), reason(&world, tab));
        assert_eq!(stands, (Phase::Locked, "expired".into()), "{request}");
        assert_eq!(world.failures(tab), Vec::<String>::new());
        world.server.tamper = None;
        world.command(tab, unlock(PASSPHRASE));
        assert_eq!(world.phase(tab), Phase::Unlocked);
    }
}

#[test]
fn where_nobody_is_signed_in_a_list_is_refused_and_nothing_ends() {
    let mut world = World::default();
    let tab = world.browser();
    world.command(tab, Command::ListSessions);
    assert_eq!(world.failures(tab), ["signed-out"]);
    let stands = (world.phase(tab), reason(&world, tab));
    assert_eq!(stands, (Phase::SignedOut, "started".into()));
}

fn change() -> Command {
    Command::ChangePassphrase {
        current: PASSPHRASE.into(),
        new: "the second passphrase".into(),
    }
}

fn switch(receipts: bool) -> Command {
    Command::SetSettings(SettingsChange {
        receipts: Some(receipts),
        ..SettingsChange::default()
    })
}

#[test]
fn the_safe_key_is_not_replaced_while_a_write_of_the_safe_is_on_its_way() {
    let passphrase = || PASSPHRASE.into();
    for command in [
        change(),
        Command::NewIdentity {
            passphrase: passphrase(),
        },
        Command::RevokeOtherSessions {
            passphrase: passphrase(),
        },
    ] {
        let mut world = World::default();
        let (tab, _) = world.register("alice");
        world.slow = Some("PUT /safe");
        world.command(tab, switch(false));
        world.server.log.clear();
        world.command(tab, command.clone());
        assert_eq!(world.failures(tab), ["busy"]);
        let replaces =
            |line: &&String| *line == "POST /passphrase/finish" || *line == "PUT /public-keys";
        assert_eq!(world.server.log.iter().find(replaces), None);
        world.arrive();
        world.command(tab, command);
        assert_eq!(world.failures(tab), ["busy"]);
        assert!(world.server.log.iter().any(|line| replaces(&line)));
        assert_eq!(world.phase(tab), Phase::Unlocked);
    }
}

/// Requests that replace the safe key.
fn replacing(world: &World) -> usize {
    let replaces =
        |line: &&String| *line == "POST /passphrase/finish" || *line == "PUT /public-keys";
    world.server.log.iter().filter(replaces).count()
}

#[test]
fn a_change_that_another_browsers_write_overtook_is_made_on_top_of_that() {
    for command in [
        change(),
        Command::NewIdentity {
            passphrase: PASSPHRASE.into(),
        },
        Command::RevokeOtherSessions {
            passphrase: PASSPHRASE.into(),
        },
    ] {
        let mut world = World::default();
        let (tab, _) = world.register("alice");
        let second = world.sign_in("alice");
        world.advance(10_000);
        // This browser hears nothing of what the other one writes.
        world.cut(tab);
        world.command(second, switch(false));
        world.server.log.clear();
        world.command(tab, command);
        assert!(world.failures(tab).is_empty(), "{:?}", world.failures(tab));
        assert_eq!(replacing(&world), 2);
        assert_eq!(world.phase(tab), Phase::Unlocked);
        world.command(tab, switch(true));
        world.advance(10_000);
        assert!(world.failures(tab).is_empty(), "{:?}", world.failures(tab));
    }
}

#[test]
fn safes_that_come_before_the_answer_to_their_replacement_lock_nothing() {
    let identity = Command::NewIdentity {
        passphrase: PASSPHRASE.into(),
    };
    for (command, slow) in [
        (change(), "POST /passphrase/finish"),
        (identity, "PUT /public-keys"),
    ] {
        let mut world = World::default();
        let (tab, _) = world.register("alice");
        world.advance(10_000);
        world.slow = Some(slow);
        world.command(tab, command);
        world.server.log.clear();
        // The socket is opened again, and the safes are read.
        world.cut(tab);
        world.advance(3_000);
        let reads = |line: &String| line.starts_with("GET /safe");
        assert!(world.server.log.iter().any(reads), "{:?}", world.server.log);
        assert_eq!(world.phase(tab), Phase::Unlocked);
        world.arrive();
        assert_eq!(world.phase(tab), Phase::Unlocked);
        assert!(world.failures(tab).is_empty(), "{:?}", world.failures(tab));
        world.command(tab, switch(false));
        world.advance(10_000);
        assert!(world.failures(tab).is_empty(), "{:?}", world.failures(tab));
        assert_eq!(world.phase(tab), Phase::Unlocked);
    }
}

#[test]
fn a_change_that_is_overtaken_again_and_again_is_given_up() {
    let mut world = World::default();
    let (tab, _) = world.register("alice");
    let second = world.sign_in("alice");
    world.advance(10_000);
    world.cut(tab);
    world.command(second, switch(false));
    // What the other browser wrote never comes.
    world.server.tamper = Some(Box::new(move |to, reply| match &reply {
        Reply::Json { request, .. } if to == tab && request.starts_with("GET /safe") => Vec::new(),
        _ => vec![reply],
    }));
    world.server.log.clear();
    world.command(tab, change());
    assert_eq!(world.failures(tab), ["safe-conflict"]);
    assert_eq!(replacing(&world), 3);
}

#[test]
fn what_is_changed_while_the_safe_key_is_replaced_is_written_under_the_new_one() {
    let mut world = World::default();
    let (tab, _) = world.register("alice");
    world.slow = Some("POST /passphrase/finish");
    world.command(tab, change());
    world.server.log.clear();
    world.command(tab, switch(false));
    assert!(!world.server.log.contains(&"PUT /safe".to_owned()));
    world.arrive();
    assert!(world.tab(tab).events.contains(&Event::PassphraseChanged));
    assert_eq!(world.phase(tab), Phase::Unlocked);
    assert!(world.server.log.contains(&"PUT /safe".to_owned()));
    let elsewhere = world.browser();
    world.command(
        elsewhere,
        Command::SignIn {
            handle: "alice".into(),
            passphrase: "the second passphrase".into(),
            device_name: None,
        },
    );
    let mut events = world.tab(elsewhere).events.iter().rev();
    let receipts = events.find_map(|event| match event {
        Event::Settings(view) => Some(view.receipts),
        _ => None,
    });
    assert_eq!(receipts, Some(false));
}
