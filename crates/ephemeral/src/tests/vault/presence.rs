use std::sync::Mutex;
use std::time::Duration;

use super::*;
use crate::{ClaimError, Event, LeaseError};

/// Records what posters are told, as `what target`.
fn recorded(b: &Bench) -> Arc<Mutex<Vec<String>>> {
    let log = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&log);
    b.vault.subscribe(Box::new(move |event: &Event| {
        let named = match event {
            Event::Returned(change) => ("returned", change),
            Event::Left(change) => ("left", change),
            Event::CannotOpen(change) => ("cannot open", change),
            _ => return,
        };
        let of = match named.1.target {
            Target::Live { live, .. } => format!("live {}", live.as_bytes()[0]),
            Target::Account(_) => "account".to_owned(),
        };
        sink.lock().unwrap().push(format!("{} {of}", named.0));
    }));
    log
}

pub(crate) fn what_a_session_held_unread_waits_again_as_soon_as_it_leaves(open: Open) {
    let b = bench(open);
    let targets = [Target::Account(BOB)];
    b.post(message(1, false, &targets)).unwrap();
    b.post(message(2, true, &targets)).unwrap();
    let log = recorded(&b);
    for id in [1, 2] {
        b.vault.claim(message_id(id), BOB, Some(live(1))).unwrap();
    }
    assert!(b.vault.waiting_for(BOB, Some(live(2))).is_empty());
    b.vault.session_left(BOB, live(1));
    assert_eq!(b.vault.waiting_for(BOB, Some(live(2))).len(), 2);
    assert_eq!(*log.lock().unwrap(), ["returned account"; 2]);
    assert!(b.vault.claim(message_id(2), BOB, Some(live(2))).is_ok());
}

pub(crate) fn only_its_own_claims_end_with_a_session(open: Open) {
    let b = bench(open);
    b.post(message(
        1,
        false,
        &[Target::Account(BOB), Target::Account(CAROL)],
    ))
    .unwrap();
    let kept = b.vault.claim(message_id(1), BOB, Some(live(1))).unwrap();
    let by_http = b.vault.claim(message_id(1), CAROL, None).unwrap();
    b.vault.session_left(BOB, live(2));
    b.vault.session_left(CAROL, live(1));
    for (who, claim) in [(BOB, kept), (CAROL, by_http)] {
        assert!(
            b.vault
                .acknowledge(message_id(1), who, &claim.token)
                .is_ok()
        );
    }
}

pub(crate) fn a_burning_message_on_the_screen_stays_with_its_reader_when_the_connection_breaks(
    open: Open,
) {
    let b = bench(open);
    b.post(message(1, true, &[to_live(BOB, 1), Target::Account(BOB)]))
        .unwrap();
    let claim = b.vault.claim(message_id(1), BOB, Some(live(1))).unwrap();
    b.vault.extend(message_id(1), BOB, &claim.token).unwrap();
    b.vault.session_left(BOB, live(1));
    let second = b.vault.claim(message_id(1), BOB, Some(live(2)));
    assert!(matches!(second, Err(ClaimError::Taken)));
    b.vault.session_back(BOB, live(1));
    b.vault
        .acknowledge(message_id(1), BOB, &claim.token)
        .unwrap();
    assert!(b.is_pristine());
}

pub(crate) fn a_session_that_comes_back_finds_what_it_had_not_shown_and_its_old_claim_is_over(
    open: Open,
) {
    let b = bench(open);
    b.post(message(1, false, &[to_live(BOB, 1)])).unwrap();
    let old = b.vault.claim(message_id(1), BOB, Some(live(1))).unwrap();
    b.vault.session_back(BOB, live(1));
    assert_eq!(b.vault.waiting_for(BOB, Some(live(1))).len(), 1);
    let stale = b.vault.acknowledge(message_id(1), BOB, &old.token);
    assert_eq!(stale.map(|_| ()), Err(LeaseError::StaleClaim));
    let new = b.vault.claim(message_id(1), BOB, Some(live(1))).unwrap();
    b.vault.acknowledge(message_id(1), BOB, &new.token).unwrap();
    assert!(b.is_pristine());
}

pub(crate) fn the_poster_is_told_once_that_the_only_session_that_could_open_it_left(open: Open) {
    let b = bench(open);
    b.post(message(1, false, &[to_live(BOB, 1)])).unwrap();
    let log = recorded(&b);
    b.vault.claim(message_id(1), BOB, Some(live(1))).unwrap();
    b.vault.session_left(BOB, live(1));
    b.vault.session_left(BOB, live(1));
    assert_eq!(*log.lock().unwrap(), ["returned live 1", "left live 1"]);
}

pub(crate) fn what_only_sessions_that_left_could_open_is_told_to_the_next_one_until_somebody_has_it(
    open: Open,
) {
    let b = bench(open);
    b.post(message(1, false, &[to_live(BOB, 1), to_live(ALICE, 9)]))
        .unwrap();
    assert!(b.vault.stranded_for(BOB).is_empty());
    b.vault.session_left(ALICE, live(9));
    assert!(b.vault.stranded_for(ALICE).is_empty(), "her own copy");
    b.vault.session_left(BOB, live(1));
    assert_eq!(b.vault.stranded_for(BOB), [(message_id(1), ALICE)]);
    b.vault.session_back(BOB, live(1));
    assert!(b.vault.stranded_for(BOB).is_empty());
    b.vault.session_left(BOB, live(1));
    let slots = vec![slot(Target::Account(BOB))];
    b.vault.add_slots(message_id(1), ALICE, slots).unwrap();
    assert!(b.vault.stranded_for(BOB).is_empty());
    let read = b.vault.claim(message_id(1), BOB, None).unwrap();
    b.vault
        .acknowledge(message_id(1), BOB, &read.token)
        .unwrap();
    assert!(b.vault.stranded_for(BOB).is_empty());
}

pub(crate) fn nothing_is_stranded_from_the_moment_its_life_is_over_even_before_the_purge(
    open: Open,
) {
    let b = bench(open);
    b.post(message(1, false, &[to_live(BOB, 1)])).unwrap();
    b.vault.session_left(BOB, live(1));
    b.clock.advance(MINUTE - Duration::from_millis(1));
    assert_eq!(b.vault.stranded_for(BOB), [(message_id(1), ALICE)]);
    b.clock.advance(Duration::from_millis(1));
    assert!(b.vault.stranded_for(BOB).is_empty());
}

pub(crate) fn the_poster_is_told_that_what_it_just_posted_never_reached_its_session(open: Open) {
    let b = bench(open);
    for n in [1, 2] {
        b.post(message(n, false, &[to_live(BOB, 1)])).unwrap();
    }
    let log = recorded(&b);
    b.vault.never_reached(message_id(2), BOB, live(1));
    assert_eq!(*log.lock().unwrap(), ["left live 1"]);
    assert_eq!(b.vault.stranded_for(BOB), [(message_id(2), ALICE)]);
}

pub(crate) fn what_nobody_has_read_waits_its_whole_life_for_a_session_that_left(open: Open) {
    let b = bench(open);
    let mut long = message(1, false, &[to_live(BOB, 1), to_live(CAROL, 1)]);
    long.life = 60 * MINUTE;
    b.post(long).unwrap();
    b.vault.session_left(BOB, live(1));
    let carols = b.vault.claim(message_id(1), CAROL, Some(live(1))).unwrap();
    b.vault
        .acknowledge(message_id(1), CAROL, &carols.token)
        .unwrap();
    b.clock.advance(60 * MINUTE - Duration::from_millis(1));
    b.vault.purge_due(10);
    assert_eq!(b.vault.waiting_for(BOB, Some(live(1))).len(), 1);
}

pub(crate) fn what_was_read_is_wiped_although_a_session_that_is_gone_never_opened_its_slot(
    open: Open,
) {
    let b = bench(open);
    let mut long = message(1, false, &[to_live(BOB, 1), to_live(BOB, 2)]);
    long.life = 60 * MINUTE;
    b.post(long).unwrap();
    b.vault.session_left(BOB, live(1));
    let claim = b.vault.claim(message_id(1), BOB, Some(live(2))).unwrap();
    b.vault
        .acknowledge(message_id(1), BOB, &claim.token)
        .unwrap();
    assert!(!b.is_pristine(), "it may come back within a minute");
    b.clock.advance(MINUTE - Duration::from_millis(1));
    b.vault.purge_due(10);
    assert!(!b.is_pristine());
    b.clock.advance(Duration::from_millis(1));
    b.vault.purge_due(10);
    assert!(b.is_pristine());
}

pub(crate) fn a_session_that_is_there_keeps_its_slot_of_what_another_one_has_read(open: Open) {
    let b = bench(open);
    b.post(message(1, false, &[to_live(BOB, 1), to_live(BOB, 2)]))
        .unwrap();
    b.vault.session_left(BOB, live(1));
    let claim = b.vault.claim(message_id(1), BOB, Some(live(2))).unwrap();
    b.vault
        .acknowledge(message_id(1), BOB, &claim.token)
        .unwrap();
    b.vault.session_back(BOB, live(1));
    b.clock.advance(MINUTE - Duration::from_millis(1));
    b.vault.purge_due(10);
    assert_eq!(b.vault.waiting_for(BOB, Some(live(1))).len(), 1);
}
