use std::time::Duration;

use super::*;
use crate::{AddSlotsError, CiphertextBuilder, Full, MessageState, TooLong};

fn tight() -> Config {
    Config {
        account_messages: 2,
        account_bytes: 1000,
        total_messages: 3,
        total_bytes: 1500,
        slots_per_message: 3,
        message_bytes: 900,
        ..Config::default()
    }
}

#[test]
fn an_account_that_has_used_up_its_share_is_refused_and_others_are_not() {
    let b: Bench = bench_with(tight());
    let _first = b.vault.reserve(ALICE, 100).unwrap();
    let second = b.vault.reserve(ALICE, 100).unwrap();
    assert!(matches!(
        b.vault.reserve(ALICE, 1),
        Err(Full::Account { .. })
    ));
    let _bobs = b.vault.reserve(BOB, 100).unwrap();
    drop(second);
    assert!(b.vault.reserve(ALICE, 100).is_ok());
}

#[test]
fn a_full_vault_refuses_and_keeps_what_waits() {
    let b: Bench = bench_with(tight());
    let reservation = b.vault.reserve(ALICE, 800).unwrap();
    b.vault
        .put(reservation, message(1, false, &[Target::Account(BOB)]))
        .unwrap();
    let _rest = b.vault.reserve(BOB, 900).unwrap();
    let full = b.vault.reserve(CAROL, 800).map(|_| ());
    assert_eq!(
        full,
        Err(Full::Vault {
            retry_after: MINUTE
        })
    );
    assert_eq!(b.vault.waiting_for(BOB, None).len(), 1);
}

#[test]
fn only_what_is_held_stays_charged() {
    let b = bench();
    b.post(message(
        1,
        false,
        &[Target::Account(BOB), Target::Account(CAROL)],
    ))
    .unwrap();
    assert_eq!(b.vault.stats().bytes, 11 * 3);
    let claim = b.vault.claim(message_id(1), BOB, None).unwrap();
    b.vault
        .acknowledge(message_id(1), BOB, &claim.token)
        .unwrap();
    assert_eq!(b.vault.stats().bytes, 11 * 2);
}

#[test]
fn a_message_larger_than_any_may_be_is_refused_before_it_is_read() {
    let b: Bench = bench_with(tight());
    let (bytes, limit) = (901, 900);
    let refused = b.vault.reserve(ALICE, bytes).map(|_| ());
    assert_eq!(refused, Err(Full::TooLarge { bytes, limit }));
}

#[test]
fn a_refused_message_gives_its_room_back() {
    let b = bench();
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
    let small = b.vault.reserve(ALICE, 21).unwrap();
    let over = b
        .vault
        .put(small, message(1, false, &[Target::Account(BOB)]));
    assert_eq!(
        over,
        Err(PutError::OverReserved {
            bytes: 22,
            reserved: 21
        })
    );
    assert!(b.is_pristine());
}

#[test]
fn the_same_id_is_taken_once_even_after_it_was_read() {
    let b = bench();
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

#[test]
fn slots_are_added_by_the_poster_only() {
    let b = bench();
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
    assert_eq!(b.vault.stats().bytes, 33);
}

#[test]
fn a_slot_that_is_being_read_is_not_replaced_under_its_reader() {
    let b = bench();
    b.post(message(1, false, &[to_live(BOB, 1), to_live(BOB, 2)]))
        .unwrap();
    let claim = b.vault.claim(message_id(1), BOB, Some(live(1))).unwrap();
    let slots = vec![slot(to_live(BOB, 1)), slot(to_live(BOB, 2))];
    b.vault.add_slots(message_id(1), ALICE, slots).unwrap();
    assert_eq!(b.vault.stats().bytes, 33);
    assert!(
        b.vault
            .acknowledge(message_id(1), BOB, &claim.token)
            .is_ok()
    );
}

#[test]
fn added_slots_are_bounded_in_number_and_bytes() {
    let b: Bench = bench_with(tight());
    let reservation = b.vault.reserve(ALICE, 900).unwrap();
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
    assert_eq!(b.vault.stats().bytes, 22);
}

#[test]
fn the_poster_and_nobody_else_learns_what_became_of_a_message() {
    let b = bench();
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

#[test]
fn remembered_fates_are_bounded() {
    let b: Bench = bench_with(Config {
        tombstones: 5,
        account_tombstones: 3,
        ..Config::default()
    });
    for n in 0..10 {
        b.post(message(n, true, &[Target::Account(BOB)])).unwrap();
        let claim = b.vault.claim(message_id(n), BOB, None).unwrap();
        b.vault
            .acknowledge(message_id(n), BOB, &claim.token)
            .unwrap();
    }
    assert_eq!(b.vault.stats().tombstones, 3);
}

#[test]
fn a_builder_takes_chunks_up_to_what_was_announced() {
    let mut exact = CiphertextBuilder::with_capacity(6);
    exact.push(b"abc").unwrap();
    exact.push(b"def").unwrap();
    assert_eq!(exact.push(b"g"), Err(TooLong { limit: 6 }));
    assert_eq!(exact.finish().expose(), b"abcdef");
    let mut growing = CiphertextBuilder::growing(1000);
    for n in 0..250_u8 {
        growing.push(&[n; 4]).unwrap();
    }
    assert!(growing.push(b"x").is_err());
    let built = growing.finish();
    assert_eq!((built.len(), built.expose()[999]), (1000, 249));
}
