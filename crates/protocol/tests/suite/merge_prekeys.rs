//! What two tabs make of their prekeys together.

use std::collections::BTreeSet;

use protocol::epoch::EpochPath;
use protocol::prekeys::{LeafKind, generate_batch};
use protocol::safe::PrekeySafe;

use crate::crafted::{Ids, record};
use crate::prekey_safe::ids;
use crate::support::{BOB, NOW};

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
