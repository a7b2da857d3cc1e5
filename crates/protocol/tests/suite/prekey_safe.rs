//! What the prekey safe keeps, for how long, and which handshakes its pairs serve.

use std::collections::BTreeSet;

use protocol::epoch::{EpochError, EpochPath};
use protocol::prekeys::SignedBatch;
use protocol::safe::{KEEP_SECS, PrekeySafe};

use crate::crafted::{handshake, record};
use crate::support::{BOB, NOW};

const DAY: u64 = 86_400;

/// The one-time ids of a batch, and its last-resort id.
pub(crate) fn ids(batch: &SignedBatch) -> (Vec<u32>, u32) {
    let ids = batch.leaves.iter().map(|leaf| leaf.prekey_id);
    let last = batch.last_resort().unwrap().prekey_id;
    (ids.filter(|id| *id != last).collect(), last)
}

#[test]
fn a_published_batch_replaces_those_before_it_and_not_itself() {
    let (mut safe, first) = BOB.prekeys(90, 1, NOW);
    let (second, newer) = BOB.prekeys(91, 2, NOW);
    safe = safe.merge(second);
    let replaced = |safe: &PrekeySafe, batch: &SignedBatch| {
        let at = batch.leaves.iter();
        let at = at.map(|leaf| safe.get(leaf.prekey_id).unwrap().replaced_at);
        let at: BTreeSet<_> = at.collect();
        assert_eq!(at.len(), 1, "the whole batch at once");
        at.into_iter().next().unwrap()
    };
    safe.published(1, NOW + 1);
    assert_eq!(
        (replaced(&safe, &first), replaced(&safe, &newer)),
        (None, None)
    );
    safe.published(2, NOW + 2);
    assert_eq!(
        (replaced(&safe, &first), replaced(&safe, &newer)),
        (Some(NOW + 2), None)
    );
}

#[test]
fn the_newest_batch_is_the_highest_number_that_something_is_held_of() {
    assert_eq!(PrekeySafe::default().newest_batch(), None);
    let (five, batch) = BOB.prekeys(92, 5, NOW);
    assert_eq!(five.newest_batch(), Some(5));
    let mut both = five.merge(BOB.prekeys(93, 3, NOW).0);
    assert_eq!(both.newest_batch(), Some(5));
    let all: Vec<u32> = batch.leaves.iter().map(|leaf| leaf.prekey_id).collect();
    both.destroy(&all, NOW);
    assert_eq!(both.newest_batch(), Some(3));
}

#[test]
fn a_pair_serves_in_the_place_of_its_own_kind_only() {
    let (mut safe, batch) = BOB.prekeys(94, 1, NOW);
    let (one_time, last) = ids(&batch);
    let id = one_time[0];
    let found = |safe: &PrekeySafe, path, signed, one_time| {
        let handshake = handshake(path, signed, one_time);
        let pairs = safe.pairs_for(&handshake);
        pairs.map(|pairs| {
            (
                pairs.signed.public(),
                pairs.one_time.map(|pair| pair.public()),
            )
        })
    };
    let public = |id: u32| safe.get(id).unwrap().pair.public();
    assert_eq!(
        found(&safe, EpochPath::OneTime, last, id),
        Ok((public(last), Some(public(id))))
    );
    assert_eq!(
        found(&safe, EpochPath::LastResort, last, 0),
        Ok((public(last), None))
    );
    let unknown = Err(EpochError::UnknownKey);
    assert_eq!(found(&safe, EpochPath::Live, last, 0), unknown);
    assert_eq!(found(&safe, EpochPath::LastResort, id, 0), unknown);
    assert_eq!(found(&safe, EpochPath::OneTime, id, id), unknown);
    assert_eq!(found(&safe, EpochPath::OneTime, last, last), unknown);
    assert_eq!(found(&safe, EpochPath::OneTime, last, 1), unknown);
    safe.destroy(&[id], NOW);
    let destroyed = Err(EpochError::DestroyedKey);
    assert_eq!(found(&safe, EpochPath::OneTime, last, id), destroyed);
    assert_eq!(found(&safe, EpochPath::LastResort, id, 0), destroyed);
}

#[test]
fn a_one_time_pair_is_unused_until_something_under_it_is_opened() {
    let (mut safe, batch) = BOB.prekeys(95, 1, NOW);
    let (one_time, last) = ids(&batch);
    let of = |at: usize| record(1, EpochPath::OneTime, one_time[at]);
    assert!(safe.is_unused(&of(0)));
    safe.used(&of(0), NOW);
    assert!(!safe.is_unused(&of(0)));
    assert!(safe.is_unused(&of(1)), "another pair");
    for other in [
        record(1, EpochPath::LastResort, last),
        record(1, EpochPath::LastResort, one_time[1]),
        record(1, EpochPath::Live, one_time[1]),
        record(1, EpochPath::OneTime, 1),
    ] {
        assert!(!safe.is_unused(&other), "{other:?}");
    }
    // Nor does what is no one-time epoch use a pair.
    safe.used(&record(1, EpochPath::LastResort, one_time[1]), NOW);
    assert!(safe.is_unused(&of(1)));
    safe.destroy(&[one_time[1]], NOW);
    assert!(!safe.is_unused(&of(1)));
}

#[test]
fn a_pair_that_nobody_used_goes_thirty_eight_days_after_it_was_made() {
    let (safe, _) = BOB.prekeys(96, 1, NOW);
    let all: Vec<u32> = safe.iter().map(|(id, _)| id).collect();
    assert_eq!(KEEP_SECS, 8 * DAY);
    assert!(safe.due(NOW + 38 * DAY - 1, &[]).is_empty());
    assert_eq!(safe.due(NOW + 38 * DAY, &[]), all);
    assert_eq!(safe.due(NOW + 38 * DAY, &all), all, "whatever waits");
}

#[test]
fn the_id_of_a_destroyed_pair_is_remembered_for_forty_six_days() {
    let (mut safe, batch) = BOB.prekeys(97, 1, NOW);
    let id = batch.leaves[0].prekey_id;
    safe.destroy(&[id], NOW);
    safe.destroy(&[], NOW + 46 * DAY - 1);
    assert!(safe.taken_ids().contains(&id));
    // Destroyed again by another tab: the later end counts.
    let mut other = BOB.prekeys(97, 1, NOW).0;
    other.destroy(&[id], NOW + DAY);
    let mut both = safe.merge(other);
    both.destroy(&[], NOW + 46 * DAY);
    assert!(both.taken_ids().contains(&id));
    both.destroy(&[], NOW + 47 * DAY);
    assert!(!both.taken_ids().contains(&id));
}
