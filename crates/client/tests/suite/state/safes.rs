//! What a browser remembers is looked at before anything is opened, written over or uploaded.

use client::command::Command;
use client::event::{Event, Phase};
use client::testing::{PASSPHRASE, Reply, World};

use super::{sign_in, switch};

const NEW: &str = "another passphrase of many words";

fn remembered(world: &World, tab: usize, handle: &str) -> Option<Vec<u8>> {
    world.stored(tab, &format!("safe.{}", world.id(handle)))
}

/// The server names another account in these answers.
fn names_another(world: &mut World, requests: &'static [&'static str]) {
    world.server.tamper = Some(Box::new(move |_, mut reply| {
        if let Reply::Json { request, body, .. } = &mut reply
            && requests.contains(&request.as_str())
            && body["user_id"].is_string()
        {
            body["user_id"] = "00000000000000000000000000000001".into();
        }
        vec![reply]
    }));
}

#[test]
fn an_account_that_is_named_after_another_was_signed_in_to_is_not_opened() {
    let cases: [(&[&str], &str); 3] = [
        (&["POST /session/finish"], "other-account"),
        (&["GET /session"], "other-account"),
        (&["POST /session/finish", "GET /session"], "damaged-safe"),
    ];
    for (requests, code) in cases {
        let mut world = World::default();
        let f = world.acquainted();
        world.command(f.alice, switch(false));
        world.command(f.alice, switch(true));
        let alice = world.server.user("alice");
        let before = remembered(&world, f.alice, "alice");
        world.command(f.alice, Command::SignOut);
        world.server.roll_back_safe(alice, 1);
        names_another(&mut world, requests);
        world.command(f.alice, sign_in("alice"));
        assert_eq!(world.phase(f.alice), Phase::Locked, "{requests:?}");
        assert_eq!(world.refusals(f.alice), [code], "{requests:?}");
        assert_eq!(remembered(&world, f.alice, "alice"), before);
    }
}

#[test]
fn what_a_session_names_after_a_reload_is_held_against_its_own_memory() {
    let mut world = World::default();
    let f = world.acquainted();
    let mut asked = 0;
    // The first answer says who was signed in; the one for the opening says somebody else.
    world.server.tamper = Some(Box::new(move |_, mut reply| {
        if let Reply::Json { request, body, .. } = &mut reply
            && request == "GET /session"
        {
            asked += 1;
            if asked == 2 {
                body["user_id"] = "00000000000000000000000000000001".into();
            }
        }
        vec![reply]
    }));
    let tab = world.reload(f.alice);
    assert_eq!(world.phase(tab), Phase::Locked);
    assert_eq!(world.refusals(tab), ["other-account"]);
}

fn recover(world: &mut World, tab: usize, recovery_key: &str) {
    world.command(
        tab,
        Command::Recover {
            handle: "alice".into(),
            recovery_key: recovery_key.into(),
            passphrase: NEW.into(),
        },
    );
}

fn confirm(world: &mut World, tab: usize) {
    let typed = world.recovery_key(tab).as_str().into();
    world.command(tab, Command::ConfirmRecoveryKey { typed });
}

/// Alice, signed out in a browser that remembers more than the server has.
fn rolled_back() -> (World, usize, String) {
    let mut world = World::default();
    let (alice, recovery) = world.register("alice");
    world.command(alice, switch(false));
    world.command(alice, switch(true));
    world.advance(5_000);
    let user = world.server.user("alice");
    world.command(alice, Command::SignOut);
    world.server.roll_back_safe(user, 1);
    world.server.log.clear();
    (world, alice, recovery)
}

#[test]
fn a_recovery_uploads_nothing_from_an_older_state_than_the_browser_remembers() {
    let (mut world, alice, recovery) = rolled_back();
    let user = world.server.user("alice");
    let version = world.server.accounts[&user].safe_version();
    let before = remembered(&world, alice, "alice");
    recover(&mut world, alice, &recovery);
    assert_eq!(world.refusals(alice), ["rolled-back-safe"]);
    assert_eq!(world.failures(alice), ["rolled-back-safe"]);
    assert_eq!(world.phase(alice), Phase::SignedOut);
    assert_eq!(world.server.accounts[&user].safe_version(), version);
    assert_eq!(remembered(&world, alice, "alice"), before);
    let uploads = world.server.log.iter().filter(|l| l.contains("finish"));
    assert_eq!(uploads.count(), 0);
    // Control: a browser that is new to the account cannot know.
    let elsewhere = world.browser();
    recover(&mut world, elsewhere, &recovery);
    confirm(&mut world, elsewhere);
    assert_eq!(world.phase(elsewhere), Phase::Unlocked);
}

#[test]
fn a_recovery_after_a_restore_asks_first_and_uploads_after_consent() {
    let (mut world, alice, recovery) = rolled_back();
    world.server.restored = Some(api::bodies::Restored {
        epoch: api::ids::RestoreId::from_bytes([7; 16]),
        at: world.server.now(),
    });
    let alice = world.reload(alice);
    let asked = |world: &World, tab: usize| {
        let events = &world.tab(tab).events;
        let restored = |event: &&Event| matches!(event, Event::Restored { .. });
        let keys = |event: &&Event| matches!(event, Event::RecoveryKey { .. });
        let count = |of: &dyn Fn(&&Event) -> bool| events.iter().filter(|e| of(e)).count();
        (count(&restored), count(&keys))
    };
    recover(&mut world, alice, &recovery);
    assert_eq!(asked(&world, alice), (1, 0), "asked before a key is shown");
    world.command(alice, Command::Cancel);
    assert_eq!(world.phase(alice), Phase::SignedOut);
    recover(&mut world, alice, &recovery);
    world.command(alice, Command::AcceptRestored);
    assert_eq!(asked(&world, alice), (2, 1));
    confirm(&mut world, alice);
    assert_eq!(world.phase(alice), Phase::Unlocked);
    assert!(world.refusals(alice).is_empty());
    // What was uploaded is what this browser remembers now.
    let again = world.reload(alice);
    assert_eq!(world.phase(again), Phase::Unlocked);
    assert_eq!(
        asked(&world, again).0,
        0,
        "the same restore is not asked about again"
    );
}

#[test]
fn a_new_browser_is_not_given_one_safe_of_today_with_an_older_other() {
    for attack in ["none", "key safe", "prekey safe"] {
        let mut world = World::default();
        let f = world.acquainted();
        let bob = world.server.user("bob");
        world.command(f.bob, switch(false));
        world.close(f.bob);
        world.advance(20_000);
        let id = world.say(f.alice, f.to_bob, "while you were away");
        let tab = world.sign_in("bob");
        world.advance(3_000);
        // Its mark goes into the prekey safe, which is written with today's key safe in view.
        world.show(tab, f.to_alice, vec![id]);
        world.advance(5_000);
        // And the key safe with today's prekey safe.
        world.command(tab, switch(true));
        world.advance(5_000);
        let account = &world.server.accounts[&bob];
        let (safes, prekeys) = (account.history.len(), account.prekey_history.len());
        match attack {
            "key safe" => world.server.roll_back_safe(bob, safes - 1),
            "prekey safe" => world.server.roll_back_prekey_safe(bob, prekeys - 1),
            _ => {}
        }
        let elsewhere = world.sign_in("bob");
        if attack == "none" {
            assert_eq!(world.phase(elsewhere), Phase::Unlocked);
        } else {
            assert_eq!(world.phase(elsewhere), Phase::Locked, "{attack}");
            assert_eq!(world.refusals(elsewhere), ["rolled-back-safe"]);
        }
    }
}

#[test]
fn a_change_of_the_passphrase_leaves_two_safes_that_belong_together() {
    let mut world = World::default();
    let f = world.acquainted();
    let change = Command::ChangePassphrase {
        current: PASSPHRASE.into(),
        new: NEW.into(),
    };
    world.command(f.bob, change);
    assert!(world.tab(f.bob).events.contains(&Event::PassphraseChanged));
    let bob = world.server.user("bob");
    let elsewhere = world.browser();
    let come = Command::SignIn {
        handle: "bob".into(),
        passphrase: NEW.into(),
        device_name: None,
    };
    world.command(elsewhere, come.clone());
    assert_eq!(world.phase(elsewhere), Phase::Unlocked);
    // The prekey safe that was replaced is under another key, so the key safe goes back alone.
    world.command(f.bob, switch(false));
    world.advance(3_000);
    let steps = world.server.accounts[&bob].history.len() - 1;
    world.server.roll_back_safe(bob, steps);
    let again = world.browser();
    world.command(again, come);
    assert_eq!(world.phase(again), Phase::Locked);
}
