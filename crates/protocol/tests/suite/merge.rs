//! Merging is commutative, associative and idempotent, whatever two tabs did.

use std::sync::LazyLock;

use proptest::prelude::*;
use protocol::identity::Fingerprint;
use protocol::ids::UserId;
use protocol::safe::{
    Contact, ContactState, MergeReport, PrekeySafe, SafeContents, SafeKey, open_prekey_safe,
    open_safe, seal_prekey_safe, seal_safe,
};

use crate::support::{ALICE, BOB, MALLORY, NOW, SeededRng};

const USER: UserId = UserId::from_bytes([1; 16]);

fn copy(contents: &SafeContents) -> SafeContents {
    let rng = &mut SeededRng::new(1);
    let key = SafeKey::random(rng);
    let sealed = seal_safe(rng, &key, &USER, 1, contents);
    open_safe(&key, &USER, 1, &sealed).unwrap()
}

fn copy_prekeys(contents: &PrekeySafe) -> PrekeySafe {
    let rng = &mut SeededRng::new(1);
    let key = SafeKey::random(rng);
    let sealed = seal_prekey_safe(rng, &key, &USER, 1, contents);
    open_prekey_safe(&key, &USER, 1, &sealed).unwrap()
}

#[derive(Debug, Clone)]
enum Step {
    Meet(u8, u8),
    State(u8, u8),
    Alias(u8, u8),
    Verify(u8, bool),
    Repin(u8, u8),
    Block(u8, bool),
    Setting(u8, u8),
    Batch(u8, u32),
    NewIdentity(bool),
    Time(u32),
}

fn steps() -> impl Strategy<Value = Vec<(u8, Step)>> {
    let step = prop_oneof![
        (0_u8..3, 0_u8..3).prop_map(|(who, pin)| Step::Meet(who, pin)),
        (0_u8..3, 0_u8..4).prop_map(|(who, state)| Step::State(who, state)),
        (0_u8..3, 0_u8..3).prop_map(|(who, alias)| Step::Alias(who, alias)),
        (0_u8..3, any::<bool>()).prop_map(|(who, mark)| Step::Verify(who, mark)),
        (0_u8..3, 0_u8..3).prop_map(|(who, pin)| Step::Repin(who, pin)),
        (0_u8..3, any::<bool>()).prop_map(|(who, block)| Step::Block(who, block)),
        (0_u8..3, 0_u8..3).prop_map(|(name, value)| Step::Setting(name, value)),
        (0_u8..3, 0_u32..5).prop_map(|(who, batch)| Step::Batch(who, batch)),
        any::<bool>().prop_map(Step::NewIdentity),
        (0_u32..100).prop_map(Step::Time),
    ];
    proptest::collection::vec((0_u8..4, step), 0..12)
}

fn played(steps: &[(u8, Step)]) -> SafeContents {
    let mut safe = SafeContents::new(ALICE.secrets.duplicate(), NOW);
    for (later, step) in steps {
        let now = NOW + u64::from(*later);
        let user = |who: &u8| UserId::from_bytes([*who; 16]);
        let pin = |which: &u8| Fingerprint::from_bytes([*which; 64]);
        let states = [
            ContactState::Incoming,
            ContactState::Outgoing,
            ContactState::Accepted,
            ContactState::Removed,
        ];
        match step {
            Step::Meet(who, which) => {
                safe.contacts
                    .entry(user(who))
                    .or_insert_with(|| Contact::new(pin(which), ContactState::Incoming, now));
            }
            Step::Block(who, block) => safe.set_blocked(user(who), *block, now),
            Step::Setting(name, value) => {
                safe.settings
                    .set(&format!("name {name}"), &format!("value {value}"), now);
            }
            Step::NewIdentity(other) => {
                let person = if *other { &MALLORY } else { &BOB };
                safe.secrets = person.secrets.duplicate();
                safe.identity_at = now;
            }
            Step::Time(time) => safe.last_time = NOW + u64::from(*time),
            Step::State(who, _)
            | Step::Alias(who, _)
            | Step::Verify(who, _)
            | Step::Repin(who, _)
            | Step::Batch(who, _) => {
                let Some(contact) = safe.contacts.get_mut(&user(who)) else {
                    continue;
                };
                match step {
                    Step::State(_, state) => contact.state.set(now, states[usize::from(*state)]),
                    Step::Alias(_, alias) => contact.alias.set(now, format!("{alias}").into()),
                    Step::Verify(_, mark) => contact.pin.set_verified(*mark, now),
                    Step::Repin(_, which) => contact.pin.replace(pin(which), now),
                    Step::Batch(_, batch) => contact.batch_seen = *batch,
                    _ => unreachable!(),
                }
            }
        }
    }
    safe
}

fn merged(a: &SafeContents, b: &SafeContents) -> (SafeContents, MergeReport) {
    copy(a).merge(copy(b))
}

#[derive(Debug, Clone)]
enum PrekeyStep {
    Destroy(usize, u8),
    Publish(u8, u8),
}

fn prekey_steps() -> impl Strategy<Value = (bool, bool, Vec<PrekeyStep>)> {
    let step = prop_oneof![
        (0_usize..10, 0_u8..4).prop_map(|(at, later)| PrekeyStep::Destroy(at, later)),
        (1_u8..4, 0_u8..4).prop_map(|(number, later)| PrekeyStep::Publish(number, later)),
    ];
    (
        any::<bool>(),
        any::<bool>(),
        proptest::collection::vec(step, 0..6),
    )
}

static FIRST: LazyLock<PrekeySafe> = LazyLock::new(|| BOB.prekeys(40, 1, NOW).0);
static SECOND: LazyLock<PrekeySafe> = LazyLock::new(|| BOB.prekeys(41, 2, NOW).0);

fn played_prekeys((first, second, steps): &(bool, bool, Vec<PrekeyStep>)) -> PrekeySafe {
    let mut safe = PrekeySafe::default();
    if *first {
        safe = safe.merge(copy_prekeys(&FIRST));
    }
    if *second {
        safe = safe.merge(copy_prekeys(&SECOND));
    }
    let ids: Vec<u32> = FIRST
        .iter()
        .chain(SECOND.iter())
        .map(|(id, _)| id)
        .collect();
    for step in steps {
        match step {
            PrekeyStep::Destroy(at, later) => {
                safe.destroy(&[ids[*at]], NOW + u64::from(*later));
            }
            PrekeyStep::Publish(number, later) => {
                safe.published(u32::from(*number), NOW + u64::from(*later));
            }
        }
    }
    safe
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn key_safes_merge_alike_in_any_order(a in steps(), b in steps(), c in steps()) {
        let (a, b, c) = (played(&a), played(&b), played(&c));
        let (ab, ba) = (merged(&a, &b), merged(&b, &a));
        prop_assert_eq!(&ab, &ba);
        prop_assert_eq!(merged(&ab.0, &c).0, merged(&a, &merged(&b, &c).0).0);
        prop_assert_eq!(&merged(&a, &a).0, &a);
        prop_assert_eq!(&merged(&ab.0, &a).0, &ab.0);
    }

    #[test]
    fn conflicting_pins_are_all_kept_and_reported(one in 0_u8..4, other in 0_u8..4) {
        let with = |pin: u8| {
            let mut safe = SafeContents::new(ALICE.secrets.duplicate(), NOW);
            let pin = Fingerprint::from_bytes([pin; 64]);
            let mut contact = Contact::new(pin, ContactState::Accepted, NOW);
            contact.pin.set_verified(true, NOW);
            safe.contacts.insert(USER, contact);
            safe
        };
        let (safe, report) = with(one).merge(with(other));
        let pin = &safe.contacts[&USER].pin;
        if one == other {
            prop_assert!(report.pin_conflicts.is_empty());
            prop_assert!(pin.is_verified());
        } else {
            prop_assert_eq!(report.pin_conflicts, vec![USER]);
            prop_assert!(pin.fingerprint().is_err());
            prop_assert!(!pin.is_verified());
            prop_assert_eq!(pin.candidates().count(), 2);
            // A person chooses, and the choice wins over a tab that has not heard of it.
            let mut chosen = copy(&safe);
            let choice = Fingerprint::from_bytes([other; 64]);
            chosen.contacts.get_mut(&USER).unwrap().pin.replace(choice, NOW + 1);
            let (settled, report) = chosen.merge(safe);
            prop_assert!(report.pin_conflicts.is_empty());
            prop_assert_eq!(settled.contacts[&USER].pin.fingerprint(), Ok(&choice));
        }
    }

    #[test]
    fn prekey_safes_merge_alike_in_any_order(
        a in prekey_steps(), b in prekey_steps(), c in prekey_steps()
    ) {
        let (a, b, c) = (played_prekeys(&a), played_prekeys(&b), played_prekeys(&c));
        let merge = |x: &PrekeySafe, y: &PrekeySafe| copy_prekeys(x).merge(copy_prekeys(y));
        prop_assert_eq!(merge(&a, &b), merge(&b, &a));
        prop_assert_eq!(merge(&merge(&a, &b), &c), merge(&a, &merge(&b, &c)));
        prop_assert_eq!(merge(&a, &a), copy_prekeys(&a));
    }

    #[test]
    fn a_destroyed_prekey_never_comes_back(at in 0_usize..5, again: bool) {
        let present = copy_prekeys(&FIRST);
        let ids: Vec<u32> = present.iter().map(|(id, _)| id).collect();
        let mut gone = copy_prekeys(&present);
        gone.destroy(&[ids[at]], NOW);
        let mut merged = if again {
            gone.merge(present)
        } else {
            present.merge(gone)
        };
        prop_assert!(merged.get(ids[at]).is_none());
        merged = merged.merge(copy_prekeys(&FIRST));
        prop_assert!(merged.get(ids[at]).is_none());
        prop_assert_eq!(merged.iter().count(), 4);
    }
}

#[test]
fn different_identities_of_ones_own_are_reported_and_the_newer_wins() {
    let mut newer = SafeContents::new(BOB.secrets.duplicate(), NOW + 1);
    newer.batch_number = 1;
    let older = SafeContents::new(ALICE.secrets.duplicate(), NOW);
    let (merged, report) = older.merge(newer);
    assert!(report.identity_conflict);
    assert_eq!(merged.secrets, BOB.secrets);
}

#[test]
fn removing_a_contact_wins_over_a_change_of_the_same_second() {
    let meet = |state| {
        let mut safe = SafeContents::new(ALICE.secrets.duplicate(), NOW);
        let pin = Fingerprint::from_bytes([1; 64]);
        safe.contacts.insert(USER, Contact::new(pin, state, NOW));
        safe
    };
    let (merged, _) = meet(ContactState::Removed).merge(meet(ContactState::Accepted));
    assert_eq!(merged.contacts[&USER].state.value, ContactState::Removed);
}
