//! What a reader is shown of what waits, and the times that are told of it.

use std::time::Duration;

use super::*;
use crate::WaitingItem;

/// Body and slot differ in length, and the life ends within a second.
fn of_odd_sizes(n: u64, targets: &[Target]) -> NewMessage {
    let mut new = message(n, true, targets);
    new.body = Ciphertext::copy_of(&[7; 100]);
    new.life = Duration::from_millis(90_999);
    new
}

pub(crate) fn what_waits_is_shown_with_the_bytes_of_its_body_and_of_the_one_slot(open: Open) {
    let b = bench(open);
    let targets = [to_live(BOB, 1), to_live(BOB, 2)];
    b.post(of_odd_sizes(1, &targets)).unwrap();
    let expected = WaitingItem {
        id: message_id(1),
        poster: ALICE,
        burn_on_read: true,
        size: 111,
        expires_at: START_MS / 1000 + 90,
        target: to_live(BOB, 2),
    };
    assert_eq!(b.vault.waiting_for(BOB, Some(live(2))), [expected]);
}

pub(crate) fn the_end_of_a_life_is_told_in_the_same_whole_unix_seconds_everywhere(open: Open) {
    let b = bench(open);
    let put = b.post(of_odd_sizes(1, &[Target::Account(BOB)])).unwrap();
    let ids = [message_id(1)];
    let held = b.vault.status(ALICE, &ids)[0].expires_at;
    let claim = b.vault.claim(ids[0], BOB, None).unwrap();
    let fetched = b.vault.fetch(ids[0], BOB, &claim.token).unwrap();
    let told = [put.expires_at, held, claim.expires_at, fetched.expires_at];
    assert_eq!(told, [START_MS / 1000 + 90; 4]);
    // A fate is remembered longer than so short a life.
    b.vault.acknowledge(ids[0], BOB, &claim.token).unwrap();
    let buried = b.vault.status(ALICE, &ids)[0].expires_at;
    assert_eq!(buried, START_MS / 1000 + 600);
}

pub(crate) fn a_reader_without_a_session_is_shown_what_any_session_of_the_account_may_claim(
    open: Open,
) {
    let b = bench(open);
    let targets = [to_live(CAROL, 9), to_live(BOB, 1), to_live(BOB, 2)];
    b.post(message(1, false, &targets)).unwrap();
    let shown = || {
        let items = b.vault.waiting_for(BOB, None).into_iter();
        items.map(|item| item.target).collect::<Vec<_>>()
    };
    assert_eq!(shown(), [to_live(BOB, 1)]);
    let first = b.vault.claim(message_id(1), BOB, Some(live(1))).unwrap();
    assert_eq!(shown(), [to_live(BOB, 2)], "the other one is being read");
    b.vault
        .acknowledge(message_id(1), BOB, &first.token)
        .unwrap();
    assert_eq!(shown(), [to_live(BOB, 2)], "the other one was read");
    b.vault.claim(message_id(1), BOB, Some(live(2))).unwrap();
    assert_eq!(shown(), [], "what waits for somebody else is not shown");
}

pub(crate) fn what_was_claimed_is_shown_again_from_the_moment_its_lease_is_over_even_before_the_purge(
    open: Open,
) {
    let b = bench(open);
    b.post(message(1, false, &[Target::Account(BOB)])).unwrap();
    b.post(message(2, true, &[Target::Account(BOB)])).unwrap();
    b.post(message(3, false, &[to_live(BOB, 1)])).unwrap();
    for n in 1..4 {
        b.vault.claim(message_id(n), BOB, Some(live(1))).unwrap();
    }
    let shown = |of| {
        let items = b.vault.waiting_for(BOB, of).into_iter();
        items.map(|item| item.id).collect::<Vec<_>>()
    };
    b.clock.advance(LEASE - Duration::from_millis(1));
    assert!(shown(None).is_empty() && shown(Some(live(1))).is_empty());
    b.clock.advance(Duration::from_millis(1));
    let all = [1, 2, 3].map(message_id);
    assert_eq!(shown(Some(live(1))), all);
    assert_eq!(shown(Some(live(2))), all[..2]);
    assert_eq!(shown(None), all);
}
