use std::time::Duration;

use super::*;
use crate::{AddSlotsError, Full, MessageState, cost};

fn tight() -> Config {
    Config {
        account_messages: 2,
        account_bytes: 5_000,
        total_messages: 8,
        total_bytes: 20_000,
        slots_per_message: 3,
        message_bytes: 900,
        ..Config::default()
    }
}

pub(crate) fn an_account_that_has_used_up_its_share_is_refused_and_others_are_not(open: Open) {
    let b = bench_with(open, tight());
    let _first = b.vault.reserve(ALICE, 100, 1).unwrap();
    let second = b.vault.reserve(ALICE, 100, 1).unwrap();
    assert!(matches!(
        b.vault.reserve(ALICE, 1, 1),
        Err(Full::Account { .. })
    ));
    let _bobs = b.vault.reserve(BOB, 100, 1).unwrap();
    drop(second);
    assert!(b.vault.reserve(ALICE, 100, 1).is_ok());
}

pub(crate) fn a_full_vault_refuses_and_keeps_what_waits(open: Open) {
    let b = bench_with(
        open,
        Config {
            total_bytes: 6_000,
            ..tight()
        },
    );
    let reservation = b.vault.reserve(ALICE, 800, 1).unwrap();
    b.vault
        .put(reservation, message(1, false, &[Target::Account(BOB)]))
        .unwrap();
    let _rest = b.vault.reserve(BOB, 900, 1).unwrap();
    let full = b.vault.reserve(CAROL, 800, 1).map(|_| ());
    assert_eq!(
        full,
        Err(Full::Vault {
            retry_after: MINUTE
        })
    );
    assert_eq!(b.vault.waiting_for(BOB, None).len(), 1);
}

/// Reserves messages of 16 KiB until the account is refused; returns what it holds.
fn take_all(b: &Bench, account: u8) -> Vec<crate::Reservation> {
    let account = UserId::from_bytes([account; 16]);
    let mut held = Vec::new();
    while let Ok(reservation) = b.vault.reserve(account, 16 << 10, 1) {
        held.push(reservation);
    }
    held
}

pub(crate) fn an_account_finds_room_when_a_hundred_before_it_have_taken_all_they_may(open: Open) {
    const MIB: u64 = 1 << 20;
    let b = bench_with(
        open,
        Config {
            total_bytes: 256 * MIB,
            ..Config::default()
        },
    );
    let first = take_all(&b, 0);
    assert_eq!(
        first.len() as u64,
        64 * MIB / cost(16 << 10, 1),
        "all of its own"
    );
    let crowd: Vec<_> = (1..100).map(|account| take_all(&b, account)).collect();
    assert!(crowd.iter().all(|held| !held.is_empty()));
    assert!(!take_all(&b, 100).is_empty());
}

pub(crate) fn the_more_is_held_the_less_may_an_account_add(open: Open) {
    let b = bench_with(
        open,
        Config {
            total_bytes: 64 << 20,
            ..Config::default()
        },
    );
    let shares: Vec<_> = (0..8).map(|account| take_all(&b, account)).collect();
    assert!(shares.windows(2).all(|pair| pair[0].len() > pair[1].len()));
    // What was given back is there for everybody.
    drop(shares);
    assert!(!take_all(&b, 9).is_empty());
}

pub(crate) fn empty_slots_and_messages_cost_what_they_take(open: Open) {
    let b = bench_with(
        open,
        Config {
            account_bytes: 100_000,
            account_messages: u64::MAX,
            ..Config::default()
        },
    );
    let nothing = || NewSlot {
        bytes: Ciphertext::copy_of(b""),
        ..slot(Target::Account(BOB))
    };
    let mut posted = 0;
    while let Ok(reservation) = b.vault.reserve(ALICE, 0, 1) {
        let mut empty = message(posted, false, &[]);
        empty.body = Ciphertext::copy_of(b"");
        empty.slots = vec![nothing()];
        b.vault.put(reservation, empty).unwrap();
        posted += 1;
    }
    assert_eq!(posted, 100_000 / cost(0, 1));
    // Nor can slots be added for nothing afterwards.
    let more = (0..60).map(|n| NewSlot {
        bytes: Ciphertext::copy_of(b""),
        ..slot(to_live(CAROL, n))
    });
    let refused = b.vault.add_slots(message_id(0), ALICE, more.collect());
    assert!(matches!(
        refused,
        Err(AddSlotsError::Full(Full::Account { .. }))
    ));
    let unannounced = b.vault.put(
        b.vault.reserve(BOB, 0, 1).unwrap(),
        NewMessage {
            body: Ciphertext::copy_of(b""),
            slots: vec![
                nothing(),
                NewSlot {
                    target: to_live(BOB, 1),
                    ..nothing()
                },
            ],
            ..message(posted, false, &[])
        },
    );
    assert!(matches!(unannounced, Err(PutError::OverReserved { .. })));
}

pub(crate) fn only_what_is_held_stays_charged(open: Open) {
    let b = bench(open);
    b.post(message(
        1,
        false,
        &[Target::Account(BOB), Target::Account(CAROL)],
    ))
    .unwrap();
    assert_eq!(b.vault.stats().bytes, cost(11 * 3, 2));
    let claim = b.vault.claim(message_id(1), BOB, None).unwrap();
    b.vault
        .acknowledge(message_id(1), BOB, &claim.token)
        .unwrap();
    assert_eq!(b.vault.stats().bytes, cost(11 * 2, 2));
}

pub(crate) fn a_message_larger_than_any_may_be_is_refused_before_it_is_read(open: Open) {
    let b = bench_with(open, tight());
    let (bytes, limit) = (901, 900);
    let refused = b.vault.reserve(ALICE, bytes, 1).map(|_| ());
    assert_eq!(refused, Err(Full::TooLarge { bytes, limit }));
}

pub(crate) fn a_refused_message_gives_its_room_back(open: Open) {
    let b = bench(open);
    let mut long = message(1, false, &[Target::Account(BOB)]);
    long.life = Duration::from_secs(8 * 24 * 3600);
    let mut short = message(1, false, &[Target::Account(BOB)]);
    short.life = Duration::from_secs(4);
    let repeated = message(1, false, &[Target::Account(BOB), Target::Account(BOB)]);
    let crowd: Vec<_> = (0..65).map(|n| to_live(BOB, n)).collect();
    assert!(matches!(b.post(long), Err(PutError::Life { .. })));
    assert!(matches!(b.post(short), Err(PutError::Life { .. })));
    assert_eq!(b.post(repeated), Err(PutError::RepeatedTarget));
    assert_eq!(b.post(message(1, false, &[])), Err(PutError::NoSlots));
    assert_eq!(
        b.post(message(1, false, &crowd)),
        Err(PutError::TooManySlots { limit: 64 })
    );
    let small = b.vault.reserve(ALICE, 21, 1).unwrap();
    let over = b
        .vault
        .put(small, message(1, false, &[Target::Account(BOB)]));
    assert_eq!(
        over,
        Err(PutError::OverReserved {
            bytes: cost(22, 1),
            reserved: cost(21, 1)
        })
    );
    assert!(b.is_pristine());
}

pub(crate) fn the_same_id_is_taken_once_even_after_it_was_read(open: Open) {
    let b = bench(open);
    let again = || message(1, true, &[Target::Account(BOB)]);
    b.post(again()).unwrap();
    assert_eq!(b.post(again()), Err(PutError::Duplicate));
    assert_eq!(b.vault.waiting_for(BOB, None).len(), 1);
    let claim = b.vault.claim(message_id(1), BOB, None).unwrap();
    b.vault
        .acknowledge(message_id(1), BOB, &claim.token)
        .unwrap();
    assert_eq!(b.post(again()), Err(PutError::Duplicate));
    assert!(b.is_pristine());
}

pub(crate) fn slots_are_added_by_the_poster_only(open: Open) {
    let b = bench(open);
    b.post(message(1, false, &[to_live(BOB, 1)])).unwrap();
    let slots = || vec![slot(Target::Account(BOB))];
    assert_eq!(
        b.vault.add_slots(message_id(1), CAROL, slots()),
        Err(AddSlotsError::Gone)
    );
    assert_eq!(
        b.vault.add_slots(message_id(2), ALICE, slots()),
        Err(AddSlotsError::Gone)
    );
    b.vault.add_slots(message_id(1), ALICE, slots()).unwrap();
    assert_eq!(b.vault.waiting_for(BOB, None).len(), 1);
    assert_eq!(b.vault.stats().bytes, cost(33, 2));
}

pub(crate) fn a_slot_that_is_being_read_is_not_replaced_under_its_reader(open: Open) {
    let b = bench(open);
    b.post(message(1, false, &[to_live(BOB, 1), to_live(BOB, 2)]))
        .unwrap();
    let claim = b.vault.claim(message_id(1), BOB, Some(live(1))).unwrap();
    let slots = vec![slot(to_live(BOB, 1)), slot(to_live(BOB, 2))];
    b.vault.add_slots(message_id(1), ALICE, slots).unwrap();
    assert_eq!(b.vault.stats().bytes, cost(33, 2));
    assert!(
        b.vault
            .acknowledge(message_id(1), BOB, &claim.token)
            .is_ok()
    );
}

pub(crate) fn added_slots_are_bounded_in_number_and_bytes(open: Open) {
    let b = bench_with(open, tight());
    let reservation = b.vault.reserve(ALICE, 900, 1).unwrap();
    b.vault
        .put(reservation, message(1, false, &[to_live(BOB, 1)]))
        .unwrap();
    let three: Vec<_> = (2..5).map(|n| slot(to_live(BOB, n))).collect();
    let limit = AddSlotsError::TooManySlots { limit: 3 };
    assert_eq!(b.vault.add_slots(message_id(1), ALICE, three), Err(limit));
    let mut large = slot(to_live(BOB, 2));
    large.bytes = Ciphertext::copy_of(&[0; 890]);
    let large = b.vault.add_slots(message_id(1), ALICE, vec![large]);
    assert!(matches!(
        large,
        Err(AddSlotsError::Full(Full::TooLarge { .. }))
    ));
    assert_eq!(b.vault.stats().bytes, cost(22, 1));
}

pub(crate) fn the_poster_and_nobody_else_learns_what_became_of_a_message(open: Open) {
    let b = bench(open);
    let state = |of, n| b.vault.status(of, &[message_id(n)])[0].state;
    b.post(message(1, true, &[Target::Account(BOB)])).unwrap();
    b.post(message(2, true, &[Target::Account(BOB)])).unwrap();
    assert_eq!(state(ALICE, 1), MessageState::Waiting);
    let claim = b.vault.claim(message_id(1), BOB, None).unwrap();
    assert_eq!(state(ALICE, 1), MessageState::Claimed);
    assert_eq!(state(BOB, 1), MessageState::Unknown);
    b.vault
        .acknowledge(message_id(1), BOB, &claim.token)
        .unwrap();
    assert_eq!(state(ALICE, 1), MessageState::Acknowledged);
    assert_eq!(state(BOB, 1), MessageState::Unknown);
    b.vault.forget_fates(ALICE);
    assert_eq!(state(ALICE, 1), MessageState::Unknown);
    b.clock.advance(MINUTE);
    assert_eq!(state(ALICE, 2), MessageState::Expired);
    b.vault.purge_due(10);
    assert_eq!(state(ALICE, 2), MessageState::Expired);
    b.clock.advance(MINUTE * 10);
    b.vault.purge_due(10);
    assert_eq!(state(ALICE, 2), MessageState::Unknown);
    assert_eq!(b.vault.stats().tombstones, 0);
}

pub(crate) fn remembered_fates_are_bounded(open: Open) {
    let b = bench_with(
        open,
        Config {
            tombstones: 5,
            account_tombstones: 3,
            ..Config::default()
        },
    );
    for n in 0..10 {
        b.post(message(n, true, &[Target::Account(BOB)])).unwrap();
        let claim = b.vault.claim(message_id(n), BOB, None).unwrap();
        b.vault
            .acknowledge(message_id(n), BOB, &claim.token)
            .unwrap();
    }
    assert_eq!(b.vault.stats().tombstones, 3);
}
