//! One passphrase, typed on other keyboards and systems.

use api::bodies::Wrap;
use api::ids::WrapId;
use api::{Blob, WrapKind};
use client::Command;
use client::event::{Event, Phase};
use client::testing::{PASSPHRASE, World};

/// With composed letters, as most keyboards give them.
const COMPOSED: &str = "caf\u{e9} gr\u{fc}n";
/// The same, in letters and marks, and with a no-break space.
const TAKEN_APART: &str = "cafe\u{301}\u{a0}gru\u{308}n";

/// Registers with a passphrase; gives tab and recovery key.
fn register(world: &mut World, passphrase: &str) -> (usize, String) {
    let tab = world.browser();
    world.command(
        tab,
        Command::Register {
            handle: "alice".into(),
            alias: String::new(),
            passphrase: passphrase.into(),
            setup: None,
            invite: None,
        },
    );
    (tab, confirm(world, tab))
}

fn confirm(world: &mut World, tab: usize) -> String {
    let key = world.recovery_key(tab);
    world.command(
        tab,
        Command::ConfirmRecoveryKey {
            typed: key.as_str().into(),
        },
    );
    assert_eq!(world.phase(tab), Phase::Unlocked);
    key
}

fn sign_in(world: &mut World, passphrase: &str) -> usize {
    let tab = world.browser();
    world.command(
        tab,
        Command::SignIn {
            handle: "alice".into(),
            passphrase: passphrase.into(),
            device_name: None,
        },
    );
    tab
}

fn opens(world: &mut World, passphrase: &str) -> bool {
    let tab = sign_in(world, passphrase);
    world.phase(tab) == Phase::Unlocked
}

#[test]
fn letters_in_another_form_and_other_spaces_sign_in_unlock_and_prove() {
    let mut world = World::default();
    let (tab, _) = register(&mut world, COMPOSED);
    assert!(opens(&mut world, TAKEN_APART));
    assert!(!opens(&mut world, "caf\u{e9} grun"));
    world.command(tab, Command::Lock);
    world.command(
        tab,
        Command::Unlock {
            passphrase: TAKEN_APART.into(),
        },
    );
    assert_eq!(world.phase(tab), Phase::Unlocked);
    world.command(
        tab,
        Command::ChangePassphrase {
            current: TAKEN_APART.into(),
            new: "nai\u{308}ve".into(),
        },
    );
    assert!(world.tab(tab).events.contains(&Event::PassphraseChanged));
    assert!(opens(&mut world, "na\u{ef}ve"));
    world.command(
        tab,
        Command::DeleteAccount {
            passphrase: "na\u{ef}ve".into(),
        },
    );
    assert_eq!(world.phase(tab), Phase::SignedOut);
    assert!(world.server.accounts.is_empty());
}

#[test]
fn a_recovery_takes_the_new_passphrase_in_any_form() {
    let mut world = World::default();
    let (_, key) = register(&mut world, PASSPHRASE);
    let tab = recover(&mut world, &key, TAKEN_APART);
    confirm(&mut world, tab);
    assert!(opens(&mut world, COMPOSED));
}

fn recover(world: &mut World, recovery_key: &str, passphrase: &str) -> usize {
    let tab = world.browser();
    world.command(
        tab,
        Command::Recover {
            handle: "alice".into(),
            recovery_key: recovery_key.into(),
            passphrase: passphrase.into(),
        },
    );
    tab
}

fn wraps(world: &mut World) -> &mut Vec<Wrap> {
    let alice = world.server.user("alice");
    world.server.accounts.get_mut(&alice).unwrap().wraps()
}

#[test]
fn a_wrap_that_only_a_later_version_knows_is_ignored_and_stays() {
    let mut world = World::default();
    let (tab, key) = register(&mut world, PASSPHRASE);
    let later = Wrap {
        id: WrapId::from_bytes([7; 16]),
        kind: WrapKind::Other("of_a_later_version".to_owned()),
        made: 7,
        data: Blob::from(vec![7; 40]),
    };
    wraps(&mut world).insert(0, later.clone());
    let kept = |world: &mut World| {
        let kinds: Vec<_> = wraps(world)[1..].iter().map(|it| it.kind.clone()).collect();
        assert_eq!(kinds, WrapKind::OF_EVERY_ACCOUNT);
        assert_eq!(wraps(world)[0], later);
    };
    assert!(opens(&mut world, PASSPHRASE));
    world.command(
        tab,
        Command::ChangePassphrase {
            current: PASSPHRASE.into(),
            new: COMPOSED.into(),
        },
    );
    assert!(opens(&mut world, COMPOSED));
    kept(&mut world);
    let tab = recover(&mut world, &key, PASSPHRASE);
    confirm(&mut world, tab);
    kept(&mut world);
    assert!(opens(&mut world, PASSPHRASE));
}

#[test]
fn an_account_without_the_wrap_of_a_way_in_is_told_to_be_damaged() {
    let mut world = World::default();
    let (_, key) = register(&mut world, PASSPHRASE);
    for (at, enter) in [
        (
            0,
            (|world, _| sign_in(world, PASSPHRASE)) as fn(&mut World, &str) -> usize,
        ),
        (1, |world, key| recover(world, key, COMPOSED)),
    ] {
        let taken = wraps(&mut world).remove(at);
        let tab = enter(&mut world, &key);
        assert_ne!(world.phase(tab), Phase::Unlocked);
        assert_eq!(world.refusals(tab), ["damaged-safe"], "{:?}", taken.kind);
        wraps(&mut world).insert(at, taken);
    }
    assert!(opens(&mut world, PASSPHRASE));
}

#[test]
fn offered_words_open_as_a_phone_writes_them() {
    let mut world = World::default();
    let tab = world.browser();
    world.command(tab, Command::OfferPassphrase);
    let offered = world.tab(tab).events.iter().find_map(|event| match event {
        Event::PassphraseOffered { passphrase, .. } => Some(passphrase.expose().to_owned()),
        _ => None,
    });
    let offered = offered.expect("six words");
    let (tab, _) = register(&mut world, &offered);
    let phone = format!(
        "{}{} ",
        offered[..1].to_uppercase(),
        offered[1..].replace('-', " ")
    );
    assert!(opens(&mut world, &phone));
    world.command(tab, Command::Lock);
    world.command(
        tab,
        Command::Unlock {
            passphrase: phone.as_str().into(),
        },
    );
    assert_eq!(world.phase(tab), Phase::Unlocked);
}

#[test]
fn an_account_made_from_the_text_as_it_was_typed_still_opens_by_it() {
    let mut world = World::default();
    register(&mut world, PASSPHRASE);
    world
        .server
        .register_as_typed("alice", PASSPHRASE, TAKEN_APART);
    let tab = sign_in(&mut world, TAKEN_APART);
    assert_eq!(world.phase(tab), Phase::Unlocked);
    world.command(tab, Command::Lock);
    world.command(
        tab,
        Command::Unlock {
            passphrase: TAKEN_APART.into(),
        },
    );
    assert_eq!(world.phase(tab), Phase::Unlocked);
    assert!(!opens(&mut world, "wrong\u{a0}words"));

    // From the change on it opens in any form.
    world.command(
        tab,
        Command::ChangePassphrase {
            current: TAKEN_APART.into(),
            new: TAKEN_APART.into(),
        },
    );
    assert!(world.tab(tab).events.contains(&Event::PassphraseChanged));
    assert!(opens(&mut world, COMPOSED));
}

#[test]
fn one_wrong_passphrase_is_one_failure_that_the_person_sees() {
    let mut world = World::default();
    register(&mut world, PASSPHRASE);
    let tab = sign_in(&mut world, "wrong\u{a0}words");
    assert_eq!(world.failures(tab), ["sign-in-failed"]);
}
