use std::sync::{Arc, Mutex};

use super::*;
use crate::{AddSlotsError, Event, LeaseError, MessageState};

fn expiries(b: &Bench) -> Arc<Mutex<Vec<(UserId, Target)>>> {
    let told = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&told);
    b.vault.subscribe(Box::new(move |event: &Event| {
        if let Event::Expired(change) = event {
            sink.lock().unwrap().push((change.poster, change.target));
        }
    }));
    told
}

pub(crate) fn what_waits_for_an_erased_account_is_wiped_and_its_sender_told_that_it_expired(
    open: Open,
) {
    let b = bench(open);
    b.post(message(1, true, &[to_live(BOB, 1), Target::Account(BOB)]))
        .unwrap();
    b.post(message(2, false, &[Target::Account(CAROL)]))
        .unwrap();
    let told = expiries(&b);
    assert_eq!(b.vault.forget_account(BOB), 1);
    assert_eq!(
        *told.lock().unwrap(),
        [(ALICE, to_live(BOB, 1)), (ALICE, Target::Account(BOB))]
    );
    assert!(b.vault.waiting_for(BOB, None).is_empty());
    let status = b.vault.status(ALICE, &[message_id(1), message_id(2)]);
    assert_eq!(status[0].state, MessageState::Expired);
    assert_eq!(status[1].state, MessageState::Waiting);
    assert_eq!(b.vault.stats().messages, 1, "the other one is not touched");
    assert_eq!(b.vault.stats().bytes, crate::cost(22, 1));
}

pub(crate) fn a_claim_of_an_erased_account_is_over_and_its_token_good_for_nothing(open: Open) {
    let b = bench(open);
    b.post(message(1, true, &[Target::Account(BOB)])).unwrap();
    let claim = b.vault.claim(message_id(1), BOB, None).unwrap();
    b.vault.forget_account(BOB);
    let late = b.vault.acknowledge(message_id(1), BOB, &claim.token);
    assert_eq!(late, Err(LeaseError::Gone));
    assert!(b.vault.extend(message_id(1), BOB, &claim.token).is_err());
    assert!(b.vault.fetch(message_id(1), BOB, &claim.token).is_err());
    assert!(b.is_pristine());
}

pub(crate) fn copies_for_the_senders_own_sessions_stay_when_the_recipient_is_erased(open: Open) {
    let b = bench(open);
    b.post(message(1, true, &[to_live(ALICE, 1), Target::Account(BOB)]))
        .unwrap();
    b.vault.forget_account(BOB);
    let waiting = b.vault.waiting_for(ALICE, Some(live(1)));
    assert_eq!(waiting.len(), 1);
    let claim = b.vault.claim(message_id(1), ALICE, Some(live(1))).unwrap();
    b.vault
        .acknowledge(message_id(1), ALICE, &claim.token)
        .unwrap();
    assert!(b.is_pristine());
}

pub(crate) fn nothing_is_taken_to_or_from_an_erased_account_for_an_hour(open: Open) {
    let b = bench(open);
    let slots = || vec![slot(Target::Account(BOB))];
    b.post(message(1, false, &[Target::Account(CAROL)]))
        .unwrap();
    let reserved = b.vault.reserve(CAROL, 4096, 64).unwrap();
    b.vault.forget_account(BOB);
    let to_both = [Target::Account(CAROL), to_live(BOB, 1)];
    assert_eq!(b.post(message(2, false, &to_both)), Err(PutError::Erased));
    let added = b.vault.add_slots(message_id(1), ALICE, slots());
    assert_eq!(added, Err(AddSlotsError::Erased));
    b.vault.forget_account(CAROL);
    let from = b
        .vault
        .put(reserved, message(3, false, &[Target::Account(ALICE)]));
    assert_eq!(from, Err(PutError::Erased));
    assert!(
        b.is_pristine(),
        "what was reserved and charged is given back"
    );
    b.clock.advance(MINUTE * 60);
    b.vault.purge_due(10);
    assert!(b.post(message(4, false, &to_both)).is_ok());
}
