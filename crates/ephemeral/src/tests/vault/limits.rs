//! Bounds: what is exactly at one is taken, and one more is refused.

use std::time::Duration;

use super::*;
use crate::{AddSlotsError, Full, cost};

fn small() -> Config {
    Config {
        slots_per_message: 3,
        message_bytes: 900,
        ..Config::default()
    }
}

/// Slots for as many sessions of Bob's, from the first number on.
fn slots(from: u8, count: u8) -> Vec<NewSlot> {
    let targets = (from..from + count).map(|n| to_live(BOB, n));
    targets.map(slot).collect()
}

fn held_by_a_message_of_one_slot(open: Open) -> Bench {
    let b = bench_with(open, small());
    b.vault
        .put(b.vault.reserve(ALICE, 900, 1).unwrap(), {
            message(1, false, &[to_live(BOB, 1)])
        })
        .unwrap();
    b
}

pub(crate) fn a_vault_tells_the_bounds_that_it_keeps(open: Open) {
    let b = bench_with(open, small());
    assert_eq!(*b.vault.config(), small());
}

pub(crate) fn the_shortest_and_the_longest_life_are_taken_and_a_millisecond_beyond_is_not(
    open: Open,
) {
    let b = bench(open);
    let Config {
        shortest_life: shortest,
        longest_life: longest,
        ..
    } = Config::default();
    let millisecond = Duration::from_millis(1);
    let with_life = |n, life| NewMessage {
        life,
        ..message(n, false, &[Target::Account(BOB)])
    };
    let refused = Err(PutError::Life { shortest, longest });
    assert!(b.post(with_life(1, shortest)).is_ok());
    assert!(b.post(with_life(2, longest)).is_ok());
    assert_eq!(b.post(with_life(3, shortest - millisecond)), refused);
    assert_eq!(b.post(with_life(3, longest + millisecond)), refused);
}

pub(crate) fn a_message_may_have_as_many_slots_as_the_limit_says_and_no_more(open: Open) {
    let b = bench(open);
    let targets: Vec<_> = (0..65).map(|n| to_live(BOB, n)).collect();
    assert!(b.post(message(1, false, &targets[..64])).is_ok());
    let limit = PutError::TooManySlots { limit: 64 };
    assert_eq!(b.post(message(2, false, &targets)), Err(limit));
}

pub(crate) fn slots_may_be_added_until_a_message_has_as_many_as_the_limit_says(open: Open) {
    let b = held_by_a_message_of_one_slot(open);
    let limit = Err(AddSlotsError::TooManySlots { limit: 3 });
    assert_eq!(b.vault.add_slots(message_id(1), ALICE, slots(1, 4)), limit);
    assert_eq!(b.vault.add_slots(message_id(1), ALICE, slots(2, 3)), limit);
    // The first of the three takes the place of the one that is there.
    assert_eq!(b.vault.add_slots(message_id(1), ALICE, slots(1, 3)), Ok(()));
    assert_eq!(b.vault.stats().bytes, cost(4 * 11, 3));
    assert_eq!(b.vault.add_slots(message_id(1), ALICE, slots(4, 1)), limit);
    assert_eq!(b.vault.add_slots(message_id(1), ALICE, slots(2, 2)), Ok(()));
}

/// A slot for this session of Bob's with as many bytes.
fn of_size(session: u8, size: usize) -> Vec<NewSlot> {
    let mut slots = slots(session, 1);
    slots[0].bytes = Ciphertext::copy_of(&vec![0; size]);
    slots
}

pub(crate) fn added_slots_may_fill_a_message_to_its_last_byte(open: Open) {
    let b = held_by_a_message_of_one_slot(open);
    let (bytes, limit) = (901, 900);
    assert_eq!(
        b.vault.add_slots(message_id(1), ALICE, of_size(2, 879)),
        Err(Full::TooLarge { bytes, limit }.into())
    );
    let fits = b.vault.add_slots(message_id(1), ALICE, of_size(2, 878));
    assert_eq!(fits, Ok(()));
    assert_eq!(b.vault.stats().bytes, cost(900, 2));
}

pub(crate) fn a_slot_that_takes_another_ones_place_is_counted_instead_of_it(open: Open) {
    let b = held_by_a_message_of_one_slot(open);
    let add = |size| b.vault.add_slots(message_id(1), ALICE, of_size(1, size));
    assert_eq!(add(889), Ok(()));
    assert_eq!(add(889), Ok(()));
    let (bytes, limit) = (901, 900);
    assert_eq!(add(890), Err(Full::TooLarge { bytes, limit }.into()));
    assert_eq!(b.vault.stats().bytes, cost(900, 1));
}

pub(crate) fn a_slot_that_is_being_read_is_counted_once_whatever_is_sent_in_its_place(open: Open) {
    let b = held_by_a_message_of_one_slot(open);
    b.vault.claim(message_id(1), BOB, Some(live(1))).unwrap();
    let add = |size| b.vault.add_slots(message_id(1), ALICE, of_size(1, size));
    assert_eq!(add(5_000), Ok(()));
    assert_eq!(b.vault.stats().bytes, cost(2 * 11, 1));
}

pub(crate) fn one_account_alone_may_hold_half_of_a_vault(open: Open) {
    let b = bench_with(
        open,
        Config {
            total_bytes: 2 * cost(1000, 1),
            ..Config::default()
        },
    );
    let more = b.vault.reserve(ALICE, 1001, 1).map(|_| ());
    assert!(matches!(more, Err(Full::Vault { .. })));
    assert!(b.vault.reserve(ALICE, 1000, 1).is_ok());
}
