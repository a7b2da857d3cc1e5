//! How long and how many fates of ended messages are remembered.

use std::time::Duration;

use super::*;
use crate::MessageState;

/// How long a fate is remembered when the life would have been over before.
const REMEMBERED: Duration = Duration::from_secs(600);

fn burn(b: &Bench, n: u64) {
    b.post(message(n, true, &[Target::Account(BOB)])).unwrap();
    let claim = b.vault.claim(message_id(n), BOB, None).unwrap();
    b.vault
        .acknowledge(message_id(n), BOB, &claim.token)
        .unwrap();
}

fn fate(b: &Bench, n: u64) -> MessageState {
    b.vault.status(ALICE, &[message_id(n)])[0].state
}

pub(crate) fn a_fate_is_forgotten_at_its_moment_even_before_the_purge_and_the_id_may_be_used_again(
    open: Open,
) {
    let b = bench(open);
    let again = || message(1, true, &[Target::Account(BOB)]);
    burn(&b, 1);
    b.clock.advance(REMEMBERED - Duration::from_millis(1));
    assert_eq!(fate(&b, 1), MessageState::Acknowledged);
    assert_eq!(b.post(again()), Err(PutError::Duplicate));
    b.clock.advance(Duration::from_millis(1));
    assert_eq!(fate(&b, 1), MessageState::Unknown);
    assert!(b.post(again()).is_ok());
}

pub(crate) fn the_purge_forgets_the_fates_whose_time_is_over_and_no_others(open: Open) {
    let b = bench(open);
    burn(&b, 1);
    b.clock.advance(MINUTE);
    burn(&b, 2);
    b.clock.advance(REMEMBERED - MINUTE);
    b.vault.purge_due(10);
    assert_eq!(b.vault.stats().tombstones, 1);
    assert_eq!(fate(&b, 1), MessageState::Unknown);
    assert_eq!(fate(&b, 2), MessageState::Acknowledged);
    b.clock.advance(MINUTE);
    b.vault.purge_due(10);
    assert_eq!(b.vault.stats().tombstones, 0);
}

pub(crate) fn a_vault_that_is_to_remember_no_fates_remembers_none(open: Open) {
    for (tombstones, account_tombstones) in [(0, 256), (16_384, 0)] {
        let b = bench_with(
            open,
            Config {
                tombstones,
                account_tombstones,
                ..Config::default()
            },
        );
        burn(&b, 1);
        assert_eq!(b.vault.stats().tombstones, 0);
        assert_eq!(fate(&b, 1), MessageState::Unknown);
        assert!(b.is_pristine());
    }
}
