use std::time::Duration;

use super::*;
use crate::{ClaimError, ClaimToken, LeaseError};

pub(crate) fn a_message_waits_for_its_account_until_it_is_read_and_then_nothing_is_left(
    open: Open,
) {
    let b = bench(open);
    b.post(message(1, false, &[Target::Account(BOB)])).unwrap();
    assert_eq!(b.vault.waiting_for(BOB, None).len(), 1);
    let claim = b.vault.claim(message_id(1), BOB, None).unwrap();
    assert_eq!(claim.body.expose(), b"sealed body");
    assert_eq!(claim.slot.expose(), b"sealed slot");
    assert_eq!(claim.lease, LEASE);
    b.vault
        .acknowledge(message_id(1), BOB, &claim.token)
        .unwrap();
    assert!(b.is_pristine());
    assert_eq!(
        b.vault.acknowledge(message_id(1), BOB, &claim.token),
        Err(LeaseError::Gone)
    );
}

pub(crate) fn a_second_claim_is_told_that_it_is_taken_until_the_lease_is_over(open: Open) {
    let b = bench(open);
    b.post(message(1, false, &[Target::Account(BOB)])).unwrap();
    let first = b.vault.claim(message_id(1), BOB, None).unwrap();
    let taken = |r: Result<_, _>| assert!(matches!(r, Err(ClaimError::Taken)));
    taken(b.vault.claim(message_id(1), BOB, Some(live(1))));
    b.clock.advance(LEASE - Duration::from_millis(1));
    taken(b.vault.claim(message_id(1), BOB, None));
    b.clock.advance(Duration::from_millis(1));
    assert!(b.vault.claim(message_id(1), BOB, None).is_ok());
    assert_eq!(
        b.vault.acknowledge(message_id(1), BOB, &first.token),
        Err(LeaseError::StaleClaim)
    );
}

pub(crate) fn a_token_works_only_for_the_account_that_claimed(open: Open) {
    let b = bench(open);
    b.post(message(
        1,
        false,
        &[Target::Account(BOB), Target::Account(CAROL)],
    ))
    .unwrap();
    let claim = b.vault.claim(message_id(1), BOB, None).unwrap();
    let stale = Err(LeaseError::StaleClaim);
    assert_eq!(
        b.vault
            .acknowledge(message_id(1), CAROL, &claim.token)
            .map(|_| ()),
        stale
    );
    let wrong = ClaimToken::from_bytes([0xFF; 16]);
    assert_eq!(
        b.vault.acknowledge(message_id(1), BOB, &wrong).map(|_| ()),
        stale
    );
    assert!(
        b.vault
            .acknowledge(message_id(1), BOB, &claim.token)
            .is_ok()
    );
}

pub(crate) fn a_live_session_gets_its_own_slot_and_others_get_that_of_the_account(open: Open) {
    let b = bench(open);
    let targets = [Target::Account(BOB), to_live(BOB, 1)];
    b.post(message(1, false, &targets)).unwrap();
    let own = b.vault.claim(message_id(1), BOB, Some(live(1))).unwrap();
    assert_eq!(own.target, to_live(BOB, 1));
    let other = b.vault.claim(message_id(1), BOB, Some(live(2))).unwrap();
    assert_eq!(other.target, Target::Account(BOB));
}

pub(crate) fn a_session_for_which_there_is_no_slot_cannot_claim(open: Open) {
    let b = bench(open);
    b.post(message(1, false, &[to_live(BOB, 1)])).unwrap();
    for (account, of) in [(BOB, Some(live(2))), (BOB, None), (CAROL, Some(live(1)))] {
        let claim = b.vault.claim(message_id(1), account, of);
        assert!(matches!(claim, Err(ClaimError::NotForYou)));
        assert!(of.is_none() || b.vault.waiting_for(account, of).is_empty());
    }
}

pub(crate) fn what_one_session_has_read_waits_for_no_session_that_comes_later(open: Open) {
    let b = bench(open);
    let targets = [Target::Account(BOB), to_live(BOB, 1)];
    b.post(message(1, false, &targets)).unwrap();
    let own = b.vault.claim(message_id(1), BOB, Some(live(1))).unwrap();
    b.vault.acknowledge(message_id(1), BOB, &own.token).unwrap();
    assert!(b.vault.waiting_for(BOB, Some(live(1))).is_empty());
    assert!(b.vault.waiting_for(BOB, Some(live(2))).is_empty());
    assert!(b.is_pristine());
}

pub(crate) fn of_a_burning_message_one_session_of_an_account_reads_and_every_slot_is_wiped(
    open: Open,
) {
    let b = bench(open);
    let targets = [to_live(BOB, 1), to_live(BOB, 2), to_live(ALICE, 9)];
    b.post(message(1, true, &targets)).unwrap();
    let claim = b.vault.claim(message_id(1), BOB, Some(live(1))).unwrap();
    let second = b.vault.claim(message_id(1), BOB, Some(live(2)));
    assert!(matches!(second, Err(ClaimError::Taken)));
    assert!(b.vault.waiting_for(BOB, Some(live(2))).is_empty());
    let done = b
        .vault
        .acknowledge(message_id(1), BOB, &claim.token)
        .unwrap();
    assert!(done.burned);
    assert!(b.is_pristine());
}

pub(crate) fn the_posters_own_copy_of_a_burning_message_does_not_burn_it(open: Open) {
    let b = bench(open);
    b.post(message(1, true, &[Target::Account(BOB), to_live(ALICE, 9)]))
        .unwrap();
    let copy = b.vault.claim(message_id(1), ALICE, Some(live(9))).unwrap();
    let done = b
        .vault
        .acknowledge(message_id(1), ALICE, &copy.token)
        .unwrap();
    assert!(!done.burned);
    assert_eq!(b.vault.waiting_for(BOB, None).len(), 1);
}

pub(crate) fn a_burning_message_to_oneself_burns(open: Open) {
    let b = bench(open);
    b.post(message(1, true, &[to_live(ALICE, 1), to_live(ALICE, 2)]))
        .unwrap();
    let claim = b.vault.claim(message_id(1), ALICE, Some(live(1))).unwrap();
    assert!(
        b.vault
            .acknowledge(message_id(1), ALICE, &claim.token)
            .unwrap()
            .burned
    );
    assert!(b.is_pristine());
}

pub(crate) fn a_message_that_does_not_burn_stays_for_every_slot_that_was_not_read(open: Open) {
    let b = bench(open);
    b.post(message(1, false, &[to_live(BOB, 1), to_live(BOB, 2)]))
        .unwrap();
    let first = b.vault.claim(message_id(1), BOB, Some(live(1))).unwrap();
    let second = b.vault.claim(message_id(1), BOB, Some(live(2))).unwrap();
    b.vault
        .acknowledge(message_id(1), BOB, &first.token)
        .unwrap();
    assert!(!b.is_pristine());
    b.vault
        .acknowledge(message_id(1), BOB, &second.token)
        .unwrap();
    assert!(b.is_pristine());
}

pub(crate) fn an_extended_claim_runs_on_but_never_beyond_a_lease_after_the_life(open: Open) {
    let b = bench(open);
    b.post(message(1, false, &[Target::Account(BOB)])).unwrap();
    let claim = b.vault.claim(message_id(1), BOB, None).unwrap();
    let mut elapsed = Duration::ZERO;
    while elapsed < MINUTE + LEASE {
        let lease = b.vault.extend(message_id(1), BOB, &claim.token).unwrap();
        assert_eq!(lease, LEASE.min(MINUTE + LEASE - elapsed));
        elapsed += Duration::from_secs(10);
        b.clock.advance(Duration::from_secs(10));
    }
    let extended = b.vault.extend(message_id(1), BOB, &claim.token);
    assert_eq!(extended, Err(LeaseError::Gone));
    assert!(b.is_pristine());
}

pub(crate) fn a_claimed_message_can_be_fetched_again_with_its_token_only(open: Open) {
    let b = bench(open);
    b.post(message(1, false, &[Target::Account(BOB)])).unwrap();
    let claim = b.vault.claim(message_id(1), BOB, None).unwrap();
    b.clock.advance(Duration::from_secs(10));
    let again = b.vault.fetch(message_id(1), BOB, &claim.token).unwrap();
    assert_eq!(again.body.expose(), b"sealed body");
    assert_eq!(again.lease, Duration::from_secs(20));
    let wrong = ClaimToken::from_bytes([0xFF; 16]);
    assert!(b.vault.fetch(message_id(1), BOB, &wrong).is_err());
    assert!(b.vault.fetch(message_id(1), CAROL, &claim.token).is_err());
}

pub(crate) fn a_slot_that_could_not_be_opened_waits_for_a_replacement(open: Open) {
    let b = bench(open);
    b.post(message(1, true, &[to_live(BOB, 1)])).unwrap();
    let claim = b.vault.claim(message_id(1), BOB, Some(live(1))).unwrap();
    b.vault
        .cannot_open(message_id(1), BOB, &claim.token)
        .unwrap();
    let again = b.vault.claim(message_id(1), BOB, Some(live(1)));
    assert!(matches!(again, Err(ClaimError::Gone)));
    let slots = vec![slot(to_live(BOB, 1))];
    b.vault.add_slots(message_id(1), ALICE, slots).unwrap();
    assert!(b.vault.claim(message_id(1), BOB, Some(live(1))).is_ok());
}

pub(crate) fn a_session_that_could_not_open_its_slot_may_open_that_of_the_account(open: Open) {
    let b = bench(open);
    let targets = [to_live(BOB, 1), Target::Account(BOB)];
    b.post(message(1, true, &targets)).unwrap();
    let claim = b.vault.claim(message_id(1), BOB, Some(live(1))).unwrap();
    b.vault
        .cannot_open(message_id(1), BOB, &claim.token)
        .unwrap();
    let again = b.vault.claim(message_id(1), BOB, Some(live(1))).unwrap();
    assert_eq!(again.target, Target::Account(BOB));
}

pub(crate) fn prekeys_are_in_use_while_their_slot_waits_or_is_leased(open: Open) {
    let b = bench(open);
    let mut new = message(1, false, &[Target::Account(BOB), Target::Account(CAROL)]);
    new.slots[0].prekey = Some(7);
    new.slots[1].prekey = Some(8);
    b.post(new).unwrap();
    assert_eq!(b.vault.prekeys_in_use(BOB), [7]);
    let claim = b.vault.claim(message_id(1), BOB, None).unwrap();
    assert_eq!(b.vault.prekeys_in_use(BOB), [7]);
    b.vault
        .acknowledge(message_id(1), BOB, &claim.token)
        .unwrap();
    assert!(b.vault.prekeys_in_use(BOB).is_empty());
    assert_eq!(b.vault.prekeys_in_use(CAROL), [8]);
}
