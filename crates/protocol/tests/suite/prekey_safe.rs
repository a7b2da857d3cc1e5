//! What the prekey safe keeps, for how long, and what two tabs make of it together.

use std::collections::BTreeSet;

use protocol::epoch::{EpochError, EpochPath};
use protocol::prekeys::{LeafKind, SignedBatch, generate_batch};
use protocol::safe::{KEEP_SECS, PrekeySafe};

use crate::crafted::{Ids, handshake, record};
use crate::support::{BOB, NOW};

const DAY: u64 = 86_400;

/// The one-time ids of a batch, and its last-resort id.
fn ids(batch: &SignedBatch) -> (Vec<u32>, u32) {
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

/// A tab's safe with the one prekey 7, drawn from a seed.
fn tab(seed: u64, batch_number: u32, now: u64) -> PrekeySafe {
    let rng = &mut Ids::new([7], seed);
    let taken = BTreeSet::new();
    let batch = generate_batch(rng, &BOB.secrets, BOB.user_id, batch_number, 0, now, &taken);
    let mut safe = PrekeySafe::default();
    safe.add_batch(batch);
    assert_eq!(safe.get(7).unwrap().kind, LeafKind::LastResort);
    safe
}

#[test]
fn of_two_pairs_under_one_id_both_tabs_keep_the_same_one() {
    let public = |safe: &PrekeySafe| *safe.get(7).unwrap().pair.public().agreement.as_bytes();
    let (mut low, mut high) = (98, 99);
    if public(&tab(low, 1, NOW)) > public(&tab(high, 1, NOW)) {
        (low, high) = (high, low);
    }
    // Seed, batch and second of the pair that stays, and of the other one.
    for (stays, goes) in [
        // Made later, in an older batch and with a smaller key.
        ((low, 1, NOW + 1), (high, 2, NOW)),
        // Of the same second, in a newer batch and with a smaller key.
        ((low, 2, NOW), (high, 1, NOW)),
        // Of the same second and batch: the larger key.
        ((high, 1, NOW), (low, 1, NOW)),
    ] {
        let of = |(seed, batch, now)| tab(seed, batch, now);
        let ours = of(stays).merge(of(goes));
        let theirs = of(goes).merge(of(stays));
        assert_eq!(ours, of(stays), "{stays:?} and {goes:?}");
        assert_eq!(theirs, of(stays), "{goes:?} and {stays:?}");
    }
}

#[test]
fn what_two_tabs_saw_of_one_pair_is_joined_field_by_field() {
    let (_, batch) = BOB.prekeys(100, 1, NOW);
    let (one_time, _) = ids(&batch);
    let epoch = record(1, EpochPath::OneTime, one_time[0]);
    let of = |opened: &[u64], replaced: u64| {
        let (mut safe, _) = BOB.prekeys(100, 1, NOW);
        for now in opened {
            safe.used(&epoch, *now);
        }
        safe.published(2, replaced);
        safe
    };
    let (a, b) = ([NOW + 10, NOW + 20], [NOW + 5, NOW + 15]);
    let one = of(&a, NOW + 40).merge(of(&b, NOW + 30));
    let other = of(&b, NOW + 30).merge(of(&a, NOW + 40));
    assert_eq!(one, other);
    let entry = one.get(one_time[0]).unwrap();
    assert_eq!(entry.first_opened, Some(NOW + 5));
    assert_eq!(entry.last_opened, Some(NOW + 20));
    assert_eq!(entry.replaced_at, Some(NOW + 30));
    assert_eq!(entry.epoch_end, Some((NOW / 300 + 1) * 300));
    let unused = one.get(one_time[1]).unwrap();
    assert_eq!((unused.first_opened, unused.last_opened), (None, None));
}

#[test]
fn replay_marks_are_joined_and_go_with_the_pair_that_either_tab_destroyed() {
    let (_, batch) = BOB.prekeys(101, 1, NOW);
    let (one_time, _) = ids(&batch);
    let of = |at: usize| record(at as u8, EpochPath::OneTime, one_time[at]);
    let tab = |marks: &[(usize, u8)], gone: &[u32]| {
        let (mut safe, _) = BOB.prekeys(101, 1, NOW);
        for (at, counter) in marks {
            safe.opened(of(*at), *counter, NOW).unwrap();
        }
        safe.destroy(gone, NOW);
        safe
    };
    for swapped in [false, true] {
        let ours = tab(&[(0, 3), (1, 0), (2, 1)], &[one_time[2]]);
        let theirs = tab(&[(0, 4), (2, 2)], &[one_time[1]]);
        let both = if swapped {
            theirs.merge(ours)
        } else {
            ours.merge(theirs)
        };
        let marks = both.replay.iter();
        let marks: Vec<_> = marks
            .map(|(_, _, entry)| (entry.key.id, entry.marks))
            .collect();
        assert_eq!(marks, [(one_time[0], 0b1_1000)]);
    }
}
