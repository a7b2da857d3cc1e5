use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::*;
use crate::{Change, Event};

fn recorded(b: &Bench) -> Arc<Mutex<Vec<Event>>> {
    let events = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&events);
    b.vault.subscribe(Box::new(move |event: &Event| {
        sink.lock().unwrap().push(event.clone());
    }));
    events
}

fn drain(events: &Mutex<Vec<Event>>) -> Vec<String> {
    let describe = |event: Event| match event {
        Event::Available { target, is_new, .. } => match is_new {
            true => format!("new {target:?}"),
            false => format!("available {target:?}"),
        },
        Event::Claimed(Change { target, .. }) => format!("claimed {target:?}"),
        Event::Returned(Change { target, .. }) => format!("returned {target:?}"),
        Event::Acknowledged { change, burned } => {
            format!("acknowledged {:?} burned={burned}", change.target)
        }
        Event::Expired(Change { target, .. }) => format!("expired {target:?}"),
        Event::Left(Change { target, .. }) => format!("left {target:?}"),
        Event::CannotOpen(Change { target, .. }) => format!("cannot open {target:?}"),
    };
    events.lock().unwrap().drain(..).map(describe).collect()
}

pub(crate) fn every_slot_is_announced_and_every_transition_told(open: Open) {
    let b = bench(open);
    let events = recorded(&b);
    let (one, two) = (to_live(BOB, 1), to_live(BOB, 2));
    b.post(message(1, true, &[one, two])).unwrap();
    assert_eq!(
        drain(&events),
        [format!("new {one:?}"), format!("new {two:?}")]
    );
    let _lost = b.vault.claim(message_id(1), BOB, Some(live(1))).unwrap();
    assert_eq!(drain(&events), [format!("claimed {one:?}")]);
    b.clock.advance(LEASE);
    b.vault.purge_due(10);
    assert_eq!(
        drain(&events),
        [
            format!("returned {one:?}"),
            format!("available {one:?}"),
            format!("available {two:?}")
        ]
    );
    let claim = b.vault.claim(message_id(1), BOB, Some(live(2))).unwrap();
    b.vault
        .cannot_open(message_id(1), BOB, &claim.token)
        .unwrap();
    assert_eq!(
        drain(&events),
        [
            format!("claimed {two:?}"),
            format!("cannot open {two:?}"),
            format!("available {one:?}")
        ]
    );
    let again = vec![slot(two)];
    b.vault.add_slots(message_id(1), ALICE, again).unwrap();
    assert_eq!(drain(&events), [format!("new {two:?}")]);
    let claim = b.vault.claim(message_id(1), BOB, Some(live(1))).unwrap();
    b.vault
        .acknowledge(message_id(1), BOB, &claim.token)
        .unwrap();
    assert_eq!(
        drain(&events),
        [
            format!("claimed {one:?}"),
            format!("acknowledged {one:?} burned=true")
        ]
    );
}

pub(crate) fn the_end_of_a_claim_announces_nothing_that_it_did_not_shut_out(open: Open) {
    let b = bench(open);
    let (one, two, carols) = (to_live(BOB, 1), to_live(BOB, 2), Target::Account(CAROL));
    let messages = [(1, false, vec![one, two]), (2, true, vec![carols, one])];
    for (n, burns, targets) in messages {
        b.post(message(n, burns, &targets)).unwrap();
        b.vault.claim(message_id(n), BOB, Some(live(1))).unwrap();
        let events = recorded(&b);
        b.clock.advance(LEASE);
        b.vault.purge_due(10);
        assert_eq!(
            drain(&events),
            [format!("returned {one:?}"), format!("available {one:?}")]
        );
        b.vault.wipe_all();
    }
}

pub(crate) fn expiry_is_told_for_each_slot_that_was_not_read(open: Open) {
    let b = bench(open);
    b.post(message(1, false, &[to_live(BOB, 1), to_live(BOB, 2)]))
        .unwrap();
    let claim = b.vault.claim(message_id(1), BOB, Some(live(1))).unwrap();
    b.vault
        .acknowledge(message_id(1), BOB, &claim.token)
        .unwrap();
    let events = recorded(&b);
    b.clock.advance(MINUTE + Duration::from_secs(1));
    b.vault.purge_due(10);
    assert_eq!(drain(&events), [format!("expired {:?}", to_live(BOB, 2))]);
}
