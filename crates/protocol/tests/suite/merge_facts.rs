//! Which of two facts stays: the later one, and of one second the same one from both sides.

use protocol::identity::Fingerprint;
use protocol::ids::UserId;
use protocol::recovery_key::RecoveryKey;
use protocol::safe::{Contact, ContactState, Pin, RecoveryAnchor, SafeContents, Stamped};

use crate::support::{ALICE, BOB, NOW};

const USER: UserId = UserId::from_bytes([1; 16]);

fn fingerprint(n: u8) -> Fingerprint {
    Fingerprint::from_bytes([n; 64])
}

fn fresh() -> SafeContents {
    SafeContents::new(ALICE.secrets.duplicate(), NOW)
}

#[test]
fn a_change_is_never_earlier_than_what_it_changes() {
    // Before, the change, after.
    for (at, value, now, new, expected) in [
        (10, "a", 12, "b", 12),
        (10, "a", 12, "a", 12),
        (10, "a", 11, "b", 11),
        // Within the same second another value is one second later, so that it wins a merge.
        (10, "a", 10, "b", 11),
        (10, "a", 10, "a", 10),
        (10, "a", 3, "b", 11),
        (10, "a", 3, "a", 10),
        (u64::MAX, "a", 3, "b", u64::MAX),
    ] {
        let mut stamped = Stamped::new(at, value);
        stamped.set(now, new);
        assert_eq!(
            stamped,
            Stamped::new(expected, new),
            "{at} {value} {now} {new}"
        );
    }
}

#[test]
fn the_later_fact_stays_and_of_one_second_the_larger_value() {
    for (a, b, stays) in [
        ((10, "a"), (11, "b"), (11, "b")),
        ((10, "b"), (11, "a"), (11, "a")),
        ((10, "a"), (10, "b"), (10, "b")),
        ((10, "a"), (10, "a"), (10, "a")),
    ] {
        let of = |(at, value)| Stamped::new(at, value);
        for (ours, theirs) in [(a, b), (b, a)] {
            let mut merged = of(ours);
            merged.merge(of(theirs));
            assert_eq!(merged, of(stays), "{ours:?} {theirs:?}");
        }
    }
}

#[test]
fn an_account_is_blocked_until_it_is_unblocked_and_nobody_else_is() {
    let mut contents = fresh();
    assert!(!contents.is_blocked(&USER));
    contents.set_blocked(USER, true, NOW);
    assert!(contents.is_blocked(&USER));
    assert!(!contents.is_blocked(&BOB.user_id));
    contents.set_blocked(USER, false, NOW);
    assert!(!contents.is_blocked(&USER));
    // What was unblocked later stays so beside a tab that has not heard of it.
    let mut other = fresh();
    other.set_blocked(USER, true, NOW);
    assert!(!contents.merge(other).0.is_blocked(&USER));
}

#[test]
fn the_newer_recovery_key_stays_and_of_one_second_both_tabs_keep_the_same() {
    let anchor = |n: u8| RecoveryAnchor::of(&RecoveryKey::from_bytes(&[n; 20]));
    let with = |recovery: Option<(u64, u8)>| {
        let mut contents = fresh();
        contents.recovery = recovery.map(|(at, n)| (at, anchor(n)));
        contents
    };
    let merged = |ours, theirs| with(ours).merge(with(theirs)).0.recovery;
    let kept = |at, n| Some((at, anchor(n)));
    for (a, b) in [(1, 2), (2, 1)] {
        for (ours, theirs) in [
            (Some((NOW, a)), Some((NOW + 1, b))),
            (Some((NOW + 1, b)), Some((NOW, a))),
            (Some((NOW + 1, b)), None),
            (None, Some((NOW + 1, b))),
            (Some((NOW + 1, b)), Some((NOW + 1, b))),
        ] {
            assert_eq!(
                merged(ours, theirs),
                kept(NOW + 1, b),
                "{ours:?} {theirs:?}"
            );
        }
    }
    assert_eq!(merged(None, None), None);
    let larger = if anchor(1).proof_hash > anchor(2).proof_hash {
        1
    } else {
        2
    };
    for (ours, theirs) in [(1, 2), (2, 1)] {
        let both = merged(Some((NOW, ours)), Some((NOW, theirs)));
        assert_eq!(both, kept(NOW, larger));
    }
    // One proof and two places to wrap to, as nobody makes them: still one order.
    let mut forged = (fresh(), fresh());
    let (mut one, other) = (anchor(1), anchor(2));
    one.proof_hash = other.proof_hash;
    forged.0.recovery = Some((NOW, one.clone()));
    forged.1.recovery = Some((NOW, other.clone()));
    let ours = forged.0.merge(forged.1).0.recovery;
    let (mut left, mut right) = (fresh(), fresh());
    left.recovery = Some((NOW, other));
    right.recovery = Some((NOW, one));
    assert_eq!(left.merge(right).0.recovery, ours);
}

#[test]
fn up_to_sixty_four_conflicting_pins_are_kept() {
    let merged = |ns: core::ops::RangeInclusive<u8>| {
        let pins = ns.map(|n| Pin::new(fingerprint(n)));
        pins.reduce(|mut all, one| {
            all.merge(one);
            all
        })
        .unwrap()
    };
    let candidates = |pin: &Pin| pin.candidates().copied().collect::<Vec<_>>();
    let expected = |ns: core::ops::RangeInclusive<u8>| ns.map(fingerprint).collect::<Vec<_>>();
    assert_eq!(candidates(&merged(1..=64)), expected(1..=64));
    // Of more than that the same ones are kept whoever comes last.
    assert_eq!(candidates(&merged(1..=65)), expected(1..=64));
    let mut full = merged(2..=65);
    full.merge(Pin::new(fingerprint(1)));
    assert_eq!(candidates(&full), expected(1..=64));
}

#[test]
fn other_keys_are_told_until_they_are_the_only_pinned_ones_or_the_person_answers() {
    let mut contact = Contact::new(fingerprint(1), ContactState::Accepted, NOW);
    assert!(!contact.saw_other_keys());
    contact.other_keys.set(NOW, Some(fingerprint(1)));
    assert!(!contact.saw_other_keys(), "they are the pinned ones");
    contact.other_keys.set(NOW, Some(fingerprint(2)));
    assert!(contact.saw_other_keys());
    let mut conflict = contact.clone();
    conflict.pin.merge(Pin::new(fingerprint(2)));
    assert!(conflict.saw_other_keys(), "nobody has chosen");
    let mut accepted = contact.clone();
    accepted.accept_identity(fingerprint(2), NOW + 1);
    assert!(!accepted.saw_other_keys());
    contact.other_keys.set(NOW + 1, None);
    assert!(!contact.saw_other_keys());
}
