//! What a merge leaves can always be read again, and belongs to the identity that won.

use protocol::identity::Fingerprint;
use protocol::ids::UserId;
use protocol::safe::{
    Contact, ContactState, SafeContents, SafeKey, Settings, open_safe, seal_safe,
};

use crate::support::{ALICE, NOW, SeededRng};

const USER: UserId = UserId::from_bytes([1; 16]);
const PEER: UserId = UserId::from_bytes([2; 16]);

fn fingerprint(n: u8) -> Fingerprint {
    Fingerprint::from_bytes([n; 64])
}

/// A session's safe in which the peer was met under one of many identities.
fn with_pin(n: u8) -> SafeContents {
    let mut contents = SafeContents::new(ALICE.secrets.duplicate(), NOW);
    let contact = Contact::new(fingerprint(n), ContactState::Accepted, NOW);
    contents.contacts.insert(PEER, contact);
    contents
}

fn read_again(contents: &SafeContents) -> SafeContents {
    let rng = &mut SeededRng::new(1);
    let key = SafeKey::random(rng);
    let sealed = seal_safe(rng, &key, &USER, 1, contents);
    open_safe(&key, &USER, 1, &sealed).unwrap()
}

#[test]
fn however_many_sessions_disagree_about_a_pin_the_safe_stays_readable() {
    let merged = (0..100).map(with_pin).reduce(|all, one| all.merge(one).0);
    let merged = merged.unwrap();
    assert_eq!(read_again(&merged), merged);
    let backwards = (0..100).rev().map(with_pin);
    let backwards = backwards.reduce(|all, one| all.merge(one).0).unwrap();
    assert_eq!(backwards.contacts, merged.contacts, "in whatever order");
    let pin = &merged.contacts[&PEER].pin;
    assert!(pin.fingerprint().is_err(), "it is still a conflict");
}

#[test]
fn however_many_settings_sessions_have_the_safe_stays_readable() {
    let of = |session: u32| {
        let mut contents = SafeContents::new(ALICE.secrets.duplicate(), NOW);
        for n in 0..1_000 {
            let name = format!("burn/{session}/{n}");
            contents.settings.set(&name, "on-read", NOW);
        }
        contents
    };
    let merged = (0..4).map(of).reduce(|all, one| all.merge(one).0).unwrap();
    assert_eq!(read_again(&merged), merged);
    let backwards = (0..4).rev().map(of).reduce(|all, one| all.merge(one).0);
    assert_eq!(backwards.unwrap().settings, merged.settings);
}

#[test]
fn a_setting_can_be_changed_when_there_is_no_room_for_another_one() {
    let mut settings = Settings::default();
    for n in 0..1_024 {
        settings.set(&format!("{n}"), "before", NOW);
    }
    settings.set("one more", "x", NOW);
    settings.set("7", "after", NOW);
    assert_eq!(settings.get("one more"), None);
    assert_eq!(settings.get("7"), Some("after"));
}

#[test]
fn batches_of_accepted_keys_are_counted_anew_after_a_merge_too() {
    let mut before = Contact::new(fingerprint(1), ContactState::Accepted, NOW);
    before.batch_seen = 40;
    let mut accepted = before.clone();
    accepted.accept_identity(fingerprint(2), NOW + 1);
    accepted.batch_seen = 1;
    for (mut ours, theirs) in [
        (before.clone(), accepted.clone()),
        (accepted.clone(), before),
    ] {
        ours.merge(theirs);
        assert_eq!(ours.batch_seen, 1, "forty was of the keys before");
        let mut later = accepted.clone();
        later.batch_seen = 3;
        ours.merge(later);
        assert_eq!(ours.batch_seen, 3, "of one identity the higher number");
    }
}

#[test]
fn what_is_kept_of_an_epoch_has_no_key_that_would_have_to_be_wiped() {
    // Key types are never `Copy`.
    fn is_plain<T: Copy>() {}
    is_plain::<protocol::epoch::EpochRecord>();
}
