use std::time::Duration;

use super::*;
use crate::{AddSlotsError, ClaimError, ClaimToken, LeaseError};

pub(crate) fn an_unread_message_is_gone_the_moment_its_life_is_over_even_before_the_purge(
    open: Open,
) {
    let b = bench(open);
    b.post(message(1, false, &[Target::Account(BOB)])).unwrap();
    b.clock.advance(MINUTE - Duration::from_millis(1));
    assert_eq!(b.vault.waiting_for(BOB, None).len(), 1);
    b.clock.advance(Duration::from_millis(1));
    assert!(b.vault.waiting_for(BOB, None).is_empty());
    let claim = b.vault.claim(message_id(1), BOB, None);
    assert!(matches!(claim, Err(ClaimError::Gone)));
    assert!(b.is_pristine());
}

pub(crate) fn the_purge_wipes_what_is_due_and_nothing_else(open: Open) {
    let b = bench(open);
    for n in 0..10 {
        let mut new = message(n, false, &[Target::Account(BOB)]);
        new.life = Duration::from_secs(10 + n);
        b.post(new).unwrap();
    }
    assert_eq!(b.vault.stats().next_expiry, Some(START_MS / 1000 + 10));
    assert_eq!(b.vault.next_expiry_ms(), Some(START_MS + 10_000));
    b.clock.advance(Duration::from_secs(14));
    let report = b.vault.purge_due(100);
    assert_eq!((report.wiped, report.changed, report.more), (5, 0, false));
    assert_eq!(b.vault.waiting_for(BOB, None).len(), 5);
}

pub(crate) fn the_purge_stops_at_its_limit_and_says_so(open: Open) {
    let b = bench(open);
    for n in 0..10 {
        b.post(message(n, false, &[Target::Account(BOB)])).unwrap();
    }
    b.clock.advance(MINUTE);
    assert!(b.vault.purge_due(4).more);
    assert!(b.vault.purge_due(4).more);
    assert!(!b.vault.purge_due(4).more);
    assert!(b.is_pristine());
}

pub(crate) fn the_purge_counts_what_changed_and_stops_there_too(open: Open) {
    let b = bench(open);
    for n in 0..5 {
        b.post(message(n, false, &[Target::Account(BOB)])).unwrap();
        b.vault.claim(message_id(n), BOB, None).unwrap();
    }
    b.clock.advance(LEASE);
    let report = b.vault.purge_due(3);
    assert_eq!((report.wiped, report.changed, report.more), (0, 3, true));
    let report = b.vault.purge_due(3);
    assert_eq!((report.wiped, report.changed, report.more), (0, 2, false));
    assert_eq!(b.vault.waiting_for(BOB, None).len(), 5);
}

pub(crate) fn a_message_being_read_when_its_life_ends_lives_until_its_lease_does(open: Open) {
    let b = bench(open);
    b.post(message(1, false, &[to_live(BOB, 1), to_live(BOB, 2)]))
        .unwrap();
    b.clock.advance(MINUTE - Duration::from_secs(1));
    let claim = b.vault.claim(message_id(1), BOB, Some(live(1))).unwrap();
    b.clock.advance(Duration::from_secs(1));
    b.vault.purge_due(10);
    let other = b.vault.claim(message_id(1), BOB, Some(live(2)));
    assert!(matches!(other, Err(ClaimError::Taken | ClaimError::Gone)));
    assert_eq!(b.vault.stats().bytes, crate::cost(22, 2));
    b.clock.advance(Duration::from_secs(28));
    assert!(
        b.vault
            .acknowledge(message_id(1), BOB, &claim.token)
            .is_ok()
    );
    assert!(b.is_pristine());
}

pub(crate) fn a_lease_that_ends_after_the_life_ends_the_message(open: Open) {
    let b = bench(open);
    b.post(message(1, false, &[Target::Account(BOB)])).unwrap();
    b.clock.advance(MINUTE - Duration::from_secs(1));
    let claim = b.vault.claim(message_id(1), BOB, None).unwrap();
    b.clock.advance(LEASE);
    assert_eq!(b.vault.purge_due(10).wiped, 1);
    assert!(b.is_pristine());
    let late = b.vault.acknowledge(message_id(1), BOB, &claim.token);
    assert_eq!(late, Err(LeaseError::Gone));
}

pub(crate) fn requests_for_ids_that_never_existed_leave_nothing_behind(open: Open) {
    let b = bench(open);
    let token = ClaimToken::from_bytes([1; 16]);
    for n in 0..10_000 {
        let id = message_id(n);
        assert!(matches!(
            b.vault.claim(id, BOB, None),
            Err(ClaimError::Gone)
        ));
        assert_eq!(b.vault.acknowledge(id, BOB, &token), Err(LeaseError::Gone));
        assert!(b.vault.extend(id, BOB, &token).is_err());
        assert!(b.vault.cannot_open(id, BOB, &token).is_err());
        assert!(b.vault.fetch(id, BOB, &token).is_err());
        let slots = vec![slot(Target::Account(BOB))];
        assert_eq!(
            b.vault.add_slots(id, ALICE, slots),
            Err(AddSlotsError::Gone)
        );
        b.vault.status(ALICE, &[id]);
        let account = UserId::from_bytes(*id.as_bytes());
        assert!(b.vault.waiting_for(account, None).is_empty());
        assert!(b.vault.prekeys_in_use(account).is_empty());
    }
    assert!(b.is_pristine());
    assert_eq!(b.vault.stats().tombstones, 0);
}

pub(crate) fn wiping_everything_leaves_nothing(open: Open) {
    let b = bench(open);
    for n in 0..100 {
        b.post(message(
            n,
            n % 2 == 0,
            &[Target::Account(BOB), to_live(CAROL, 1)],
        ))
        .unwrap();
    }
    let _claim = b.vault.claim(message_id(3), BOB, None).unwrap();
    assert_eq!(b.vault.wipe_all(), 100);
    assert!(b.is_pristine());
    assert_eq!(b.vault.stats().tombstones, 0);
}
