//! After a restore: nobody is locked out, and nobody is shown an older state without being asked.

use api::bodies::Restored;
use api::ids::RestoreId;
use client::command::{Command, SettingsChange};
use client::event::{Event, Phase};
use client::testing::{Friends, PASSPHRASE, World};

fn switch(receipts: bool) -> Command {
    Command::SetSettings(SettingsChange {
        receipts: Some(receipts),
        ..SettingsChange::default()
    })
}

fn unlock(passphrase: &str) -> Command {
    Command::Unlock {
        passphrase: passphrase.into(),
    }
}

/// How often a tab was asked, and about which time.
fn questions(world: &World, tab: usize) -> Vec<u64> {
    let asked = |event: &Event| match event {
        Event::Restored { at, .. } => Some(*at),
        _ => None,
    };
    world.tab(tab).events.iter().filter_map(asked).collect()
}

fn refused(world: &World, tab: usize) -> bool {
    world
        .refusals(tab)
        .iter()
        .any(|code| code == "rolled-back-safe")
}

/// Two friends, a backup, changes after it, and the server put back: its time.
fn put_back(world: &mut World) -> (Friends, u64) {
    let f = world.friends();
    world.say(f.alice, f.to_bob, "before the backup");
    world.advance(4_000);
    let backup = world.server.back_up();
    let at = world.server.now();
    world.advance(60_000);
    world.command(f.alice, switch(false));
    world.command(f.bob, switch(false));
    world.advance(4_000);
    world.server.restore(backup, 1);
    world.advance(60_000);
    (f, at)
}

#[test]
fn a_browser_that_remembers_more_asks_goes_on_after_consent_and_people_chat_again() {
    let mut world = World::default();
    let (f, at) = put_back(&mut world);
    for tab in [f.alice, f.bob] {
        assert_eq!(world.phase(tab), Phase::Locked);
        world.command(tab, unlock(PASSPHRASE));
        assert_eq!(questions(&world, tab), [at]);
        assert_eq!(
            world.phase(tab),
            Phase::Locked,
            "nothing is opened before consent"
        );
        world.command(tab, Command::AcceptRestored);
        assert_eq!(world.phase(tab), Phase::Unlocked);
        assert!(!refused(&world, tab));
    }
    world.advance(8_000);
    world.say(f.alice, f.to_bob, "after the restore");
    world.say(f.bob, f.to_alice, "and back");
    world.advance(8_000);
    let at_bob = world.texts(f.bob, f.to_alice);
    assert!(
        at_bob.iter().any(|text| text == "after the restore"),
        "{at_bob:?}"
    );
    let at_alice = world.texts(f.alice, f.to_bob);
    assert!(
        at_alice.iter().any(|text| text == "and back"),
        "{at_alice:?}"
    );
    // Waiting messages as well: new prekeys were published.
    world.close(f.bob);
    world.advance(20_000);
    world.say(f.alice, f.to_bob, "while away");
    world.advance(20_000);
    let bob = world.sign_in("bob");
    world.advance(4_000);
    let texts = world.texts(bob, f.to_alice);
    assert!(texts.iter().any(|text| text == "while away"), "{texts:?}");
    // From now on it is an ordinary browser again.
    let alice = world.reload(f.alice);
    assert_eq!(world.phase(alice), Phase::Unlocked);
    assert!(questions(&world, alice).is_empty());
}

#[test]
fn a_new_browser_just_signs_in() {
    let mut world = World::default();
    put_back(&mut world);
    let tab = world.sign_in("alice");
    assert_eq!(world.phase(tab), Phase::Unlocked);
    assert!(questions(&world, tab).is_empty());
}

#[test]
fn whoever_declines_is_locked_and_asked_again_the_next_time() {
    let mut world = World::default();
    let (f, at) = put_back(&mut world);
    let remembered = |world: &World| {
        let key = format!("safe.{}", world.id("alice"));
        world.stored(f.alice, &key).unwrap()
    };
    let before = remembered(&world);
    for times in 1..=2 {
        world.command(f.alice, unlock(PASSPHRASE));
        assert_eq!(questions(&world, f.alice).len(), times);
        world.command(f.alice, Command::Cancel);
        assert_eq!(world.phase(f.alice), Phase::Locked);
        assert_eq!(remembered(&world), before);
    }
    // A tab that joins meanwhile is told the question too.
    world.command(f.alice, unlock(PASSPHRASE));
    world.command(f.alice, Command::Snapshot);
    assert_eq!(questions(&world, f.alice), [at; 4]);
    world.command(f.alice, Command::AcceptRestored);
    assert_eq!(world.phase(f.alice), Phase::Unlocked);
}

#[test]
fn a_server_that_claims_a_restore_without_one_gets_nothing_without_the_persons_word() {
    let mut world = World::default();
    let f = world.friends();
    let alice = world.server.user("alice");
    // Her prekeys are full, so that nothing but the settings is written below.
    world.command(f.alice, Command::Lock);
    world.command(f.alice, unlock(PASSPHRASE));
    world.advance(4_000);
    for lie in 1..=3_u8 {
        world.command(f.alice, switch(lie % 2 == 0));
        world.command(f.alice, switch(lie % 2 == 1));
        world.advance(4_000);
        world.server.roll_back_safe(alice, 1);
        world.server.revoke(alice);
        world.server.restored = Some(Restored {
            epoch: RestoreId::from_bytes([lie; 16]),
            at: world.server.now(),
        });
        world.advance(60_000);
        world.command(f.alice, unlock(PASSPHRASE));
        // Each time, however often it was believed before.
        assert_eq!(questions(&world, f.alice).len(), usize::from(lie));
        assert_eq!(world.phase(f.alice), Phase::Locked);
        world.command(f.alice, Command::AcceptRestored);
        assert_eq!(world.phase(f.alice), Phase::Unlocked);
    }
    // The same restore a second time explains nothing: no question, a refusal.
    assert!(!refused(&world, f.alice));
    world.command(f.alice, switch(true));
    world.command(f.alice, switch(false));
    world.advance(4_000);
    world.server.roll_back_safe(alice, 1);
    world.server.revoke(alice);
    world.advance(60_000);
    world.command(f.alice, unlock(PASSPHRASE));
    assert_eq!(questions(&world, f.alice).len(), 3);
    assert!(refused(&world, f.alice));
    assert_eq!(world.phase(f.alice), Phase::Locked);
}

#[test]
fn consent_that_nobody_asked_for_does_nothing() {
    let mut world = World::default();
    let f = world.friends();
    world.command(f.alice, Command::AcceptRestored);
    assert_eq!(world.failures(f.alice), ["nothing-to-accept"]);
    assert_eq!(world.phase(f.alice), Phase::Unlocked);
}

#[test]
fn a_passphrase_that_was_changed_after_the_backup_is_the_old_one_again_and_the_core_says_so() {
    let mut world = World::default();
    let f = world.friends();
    world.advance(4_000);
    let backup = world.server.back_up();
    let new = "another passphrase, quite long and never used";
    world.command(
        f.alice,
        Command::ChangePassphrase {
            current: PASSPHRASE.into(),
            new: new.into(),
        },
    );
    world.advance(4_000);
    world.server.restore(backup, 1);
    world.advance(60_000);
    let elsewhere = world.browser();
    let sign_in = |passphrase: &str| Command::SignIn {
        handle: "alice".into(),
        passphrase: passphrase.into(),
        device_name: None,
    };
    world.command(elsewhere, sign_in(new));
    let said = world
        .tab(elsewhere)
        .events
        .iter()
        .find_map(|event| match event {
            Event::Failed { code, text, .. } if code == "sign-in-failed" => Some(text.clone()),
            _ => None,
        });
    assert!(said.unwrap().contains("restored from a backup"));
    world.command(elsewhere, sign_in(PASSPHRASE));
    assert_eq!(world.phase(elsewhere), Phase::Unlocked);
    // The browser that knew the new one as well, after it was asked.
    world.command(f.alice, unlock(PASSPHRASE));
    world.command(f.alice, Command::AcceptRestored);
    assert_eq!(world.phase(f.alice), Phase::Unlocked);
}

#[test]
fn the_recovery_key_of_the_backups_time_opens_the_account() {
    let mut world = World::default();
    let (alice, _) = world.register("alice");
    let recovery_key = world.recovery_key(alice);
    world.advance(4_000);
    let backup = world.server.back_up();
    world.server.restore(backup, 1);
    world.advance(60_000);
    let tab = world.browser();
    world.command(
        tab,
        Command::Recover {
            handle: "alice".into(),
            recovery_key: recovery_key.as_str().into(),
            passphrase: "a passphrase for afterwards, long enough".into(),
        },
    );
    let typed = world.recovery_key(tab);
    world.command(
        tab,
        Command::ConfirmRecoveryKey {
            typed: typed.as_str().into(),
        },
    );
    assert_eq!(world.phase(tab), Phase::Unlocked);
    assert!(!refused(&world, tab));
}

#[test]
fn a_restore_is_mentioned_for_ninety_days() {
    const DAYS: u64 = 90 * 86_400;
    for (ago, mentioned) in [(0, true), (DAYS - 1, true), (DAYS, false)] {
        let mut world = World::default();
        world.register("alice");
        let at = world.server.now() - ago;
        world.server.restored = Some(Restored {
            epoch: RestoreId::from_bytes([1; 16]),
            at,
        });
        let tab = world.browser();
        world.command(
            tab,
            Command::SignIn {
                handle: "alice".into(),
                passphrase: "wrong".into(),
                device_name: None,
            },
        );
        let told = world.tab(tab).events.iter().find_map(|event| match event {
            Event::Failed { text, .. } => Some(text.contains("restored from a backup")),
            _ => None,
        });
        assert_eq!(told, Some(mentioned), "{ago}");
    }
}
