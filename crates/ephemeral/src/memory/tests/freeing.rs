//! What memory does with the bytes of a message, which no other backend can show this way.

use std::sync::{Arc, Mutex};

use super::*;
use crate::memory::platform::Table;
use crate::{Ciphertext, Event, LeaseError, MessageState, Target};

#[test]
fn the_body_outlives_the_burn_only_in_the_hands_of_its_reader() {
    let b = bench();
    b.post(message(1, true, &[Target::Account(BOB)])).unwrap();
    let claim = b.vault.claim(message_id(1), BOB, None).unwrap();
    let body = std::sync::Arc::downgrade(&claim.body);
    b.vault
        .acknowledge(message_id(1), BOB, &claim.token)
        .unwrap();
    assert!(body.upgrade().is_some());
    drop(claim);
    assert!(body.upgrade().is_none());
}

#[test]
fn a_token_is_good_for_nothing_from_the_moment_the_lease_is_over_though_nobody_ended_the_claim() {
    let b = bench();
    b.post(message(1, false, &[Target::Account(BOB)])).unwrap();
    let claim = b.vault.claim(message_id(1), BOB, None).unwrap();
    let until_ms = START_MS + LEASE.as_millis() as u64;
    let found = |now_ms| {
        let held = b.vault.messages.read(&message_id(1), |held| {
            held.claimed_by(BOB, &claim.token, now_ms)
        });
        held.unwrap()
    };
    assert_eq!(found(until_ms - 1), Ok(0));
    assert_eq!(found(until_ms), Err(LeaseError::StaleClaim));
}

#[test]
fn what_an_erased_account_posted_is_wiped_for_every_reader_and_its_quota_given_back() {
    let b = bench();
    b.post(message(
        1,
        false,
        &[Target::Account(BOB), to_live(CAROL, 1)],
    ))
    .unwrap();
    let claim = b.vault.claim(message_id(1), BOB, None).unwrap();
    let body = Arc::downgrade(&claim.body);
    drop(claim);
    assert!(body.upgrade().is_some(), "the control");
    b.vault.forget_account(ALICE);
    assert!(body.upgrade().is_none(), "overwritten, claimed or not");
    assert!(b.is_pristine());
    let status = b.vault.status(ALICE, &[message_id(1)]);
    assert_eq!(status[0].state, MessageState::Unknown, "no fate is kept");
}

#[test]
fn a_sink_may_call_the_vault() {
    let bench = bench();
    let vault = Arc::new(bench.vault);
    let (weak, seen) = (Arc::downgrade(&vault), Arc::new(Mutex::new(Vec::new())));
    let sink = Arc::clone(&seen);
    vault.subscribe(Box::new(move |event: &Event| {
        if let Event::Available { item, .. } = event {
            let vault = weak.upgrade().unwrap();
            let claim = vault.claim(item.id, BOB, None).unwrap();
            vault.acknowledge(item.id, BOB, &claim.token).unwrap();
            sink.lock().unwrap().push(item.id);
        }
    }));
    let reservation = vault.reserve(ALICE, 4096, 64).unwrap();
    vault
        .put(reservation, message(1, true, &[Target::Account(BOB)]))
        .unwrap();
    assert_eq!(*seen.lock().unwrap(), [message_id(1)]);
    assert_eq!(vault.stats().messages, 0);
}

#[test]
fn memory_is_given_back_once_when_the_vault_rests_after_a_burn() {
    let b = bench();
    assert!(!b.vault.give_back_when_idle());
    b.post(message(1, true, &[Target::Account(BOB)])).unwrap();
    let claim = b.vault.claim(message_id(1), BOB, None).unwrap();
    b.vault
        .acknowledge(message_id(1), BOB, &claim.token)
        .unwrap();
    assert!(!b.vault.give_back_when_idle());
    assert!(b.vault.give_back_when_idle());
    assert!(!b.vault.give_back_when_idle());
}

#[test]
fn memory_is_given_back_by_a_busy_vault_when_more_than_64_mib_were_wiped() {
    const MIB: u64 = 1024 * 1024;
    let b = bench();
    let burn = |n, bytes: u64| {
        let mut large = message(n, true, &[Target::Account(BOB)]);
        let around = crate::cost(11, 1);
        large.body = Ciphertext::copy_of(&vec![1; (bytes - around) as usize]);
        let reservation = b.vault.reserve(ALICE, bytes - around + 11, 1).unwrap();
        b.vault.put(reservation, large).unwrap();
        assert_eq!(b.vault.stats().bytes, bytes);
        let claim = b.vault.claim(message_id(n), BOB, None).unwrap();
        b.vault
            .acknowledge(message_id(n), BOB, &claim.token)
            .unwrap();
    };
    for n in 0..16 {
        burn(n, 4 * MIB);
        assert!(!b.vault.give_back_when_idle());
    }
    burn(16, 2000);
    assert!(b.vault.give_back_when_idle());
    burn(17, 2000);
    assert!(!b.vault.give_back_when_idle(), "counted from the start");
}
