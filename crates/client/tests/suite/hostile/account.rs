//! The account itself: safes, passphrase hardening, restarts.

use client::command::{Command, SettingsChange};
use client::event::{MessageState, Phase};
use client::testing::{PASSPHRASE, Reply, World};
use serde_json::json;

use super::{nothing_refused, refused};

fn sign_in() -> Command {
    Command::SignIn {
        handle: "alice".into(),
        passphrase: PASSPHRASE.into(),
        device_name: None,
    }
}

fn switch(receipts: bool) -> Command {
    Command::SetSettings(SettingsChange {
        receipts: Some(receipts),
        ..SettingsChange::default()
    })
}

#[test]
fn a_safe_older_than_the_browser_remembers_is_refused() {
    for attack in [false, true] {
        let mut world = World::default();
        let f = world.friends();
        world.command(f.alice, switch(false));
        world.command(f.alice, switch(true));
        let alice = world.server.user("alice");
        if attack {
            world.server.roll_back_safe(alice, 1);
        }
        let tab = world.reload(f.alice);
        if attack {
            assert!(refused(&world, tab, "rolled-back-safe"));
            assert_eq!(world.phase(tab), Phase::Locked);
            // A browser that is new to the account cannot know: SECURITY.md says so.
            let elsewhere = world.sign_in("alice");
            assert_eq!(world.phase(elsewhere), Phase::Unlocked);
        } else {
            nothing_refused(&world, tab);
            assert_eq!(world.phase(tab), Phase::Unlocked);
        }
    }
}

#[test]
fn a_safe_that_another_session_wrote_cannot_be_kept_from_this_one() {
    for attack in [false, true] {
        let mut world = World::default();
        let f = world.friends();
        let second = world.sign_in("alice");
        world.advance(4_000);
        if attack {
            // What the second session reads stays what it was, whatever the first writes.
            let mut first: Option<Reply> = None;
            world.server.tamper = Some(Box::new(move |tab, reply| match &reply {
                Reply::Json { request, .. } if tab == second && request == "GET /safe" => {
                    vec![first.get_or_insert_with(|| reply.clone()).clone()]
                }
                Reply::Text(frame) if tab == second && frame["t"] == "safe" => Vec::new(),
                _ => vec![reply],
            }));
            world.cut(second);
            world.advance(60_000);
        }
        world.command(f.alice, switch(false));
        // The next message carries the mark of the new safe to the second session.
        world.say(f.alice, f.to_bob, "hello");
        world.advance(4_000);
        assert_eq!(refused(&world, second, "rolled-back-safe"), attack);
    }
}

#[test]
fn cheaper_hardening_of_the_passphrase_is_refused_before_anything_depends_on_it() {
    for (ksf, code) in [
        (
            json!({"memory_kib": 8, "passes": 3, "lanes": 1}),
            Some("lowered-kdf"),
        ),
        (
            json!({"memory_kib": 65536, "passes": 1, "lanes": 1}),
            Some("lowered-kdf"),
        ),
        (json!({"memory_kib": 65536, "passes": 3, "lanes": 1}), None),
        (json!(null), None),
    ] {
        let mut world = World::default();
        world.register("alice");
        world.server.ksf = serde_json::from_value(ksf).unwrap();
        world.server.log.clear();
        let tab = world.browser();
        world.command(tab, sign_in());
        match code {
            Some(code) => {
                assert!(refused(&world, tab, code));
                assert_eq!(world.phase(tab), Phase::SignedOut);
                assert!(!world.server.log.iter().any(|l| l == "POST /session/finish"));
            }
            None => assert_eq!(world.phase(tab), Phase::Unlocked),
        }
    }
}

/// Who says that the server was restarted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Restart {
    True,
    SignedByAnother,
    SignedForAnother,
}

#[test]
fn a_restart_that_the_known_server_key_did_not_sign_is_not_believed() {
    use Restart::{SignedByAnother, SignedForAnother, True};
    for restart in [True, SignedByAnother, SignedForAnother] {
        let mut world = World::default();
        let f = world.friends();
        world.close(f.bob);
        world.advance(4_000);
        let id = world.say(f.alice, f.to_bob, "wait here");
        if restart == True {
            world.server.restart();
        } else {
            let forged = client::testing::FakeServer::new(world.server.now_ms, 99).boot;
            let boot = forged.0.to_string();
            let signed = match restart {
                SignedByAnother => forged.1.encode(),
                // The server's own word on the run that is known.
                _ => world.server.boot.1.encode(),
            };
            let signed = base64(&signed);
            world.server.tamper = Some(Box::new(move |_, mut reply| {
                match &mut reply {
                    Reply::Text(frame) if frame["t"] == "hello" => {
                        frame["boot_id"] = boot.clone().into();
                    }
                    Reply::Json { request, body, .. } if request == "GET /server" => {
                        body["boot"] = json!({"id": boot, "signed": signed});
                    }
                    _ => {}
                }
                vec![reply]
            }));
            world.cut(f.alice);
        }
        world.advance(60_000);
        let state = world.message(f.alice, id).unwrap().state;
        if restart == True {
            nothing_refused(&world, f.alice);
            assert_eq!(state, MessageState::Vanished);
        } else {
            assert!(refused(&world, f.alice, "forged-boot"), "{restart:?}");
            assert_eq!(state, MessageState::Waiting, "{restart:?}");
        }
    }
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
}
