//! The replay record: marks per sender and epoch, as long as the private half exists.

use protocol::epoch::{
    EpochId, EpochPath, EpochRecord, KeyRef, ReplayEntry, ReplayError, ReplayMap, SenderClaim,
};
use protocol::identity::Fingerprint;
use protocol::ids::UserId;
use protocol::safe::{SafeContents, SafeKey, open_safe, seal_safe};

use crate::support::{ALICE, NOW, SeededRng};

fn epoch(sender: u8, id: u32, key: u32) -> EpochRecord {
    let mut epoch_id = [0; 32];
    epoch_id[..4].copy_from_slice(&id.to_be_bytes());
    EpochRecord {
        sender: SenderClaim {
            user_id: UserId::from_bytes([sender; 16]),
            fingerprint: Fingerprint::from_bytes([sender; 64]),
        },
        epoch_id: EpochId(epoch_id),
        bucket: 6_000_000,
        key: KeyRef {
            path: EpochPath::LastResort,
            id: key,
        },
    }
}

fn record(marked: &[(EpochRecord, &[u8])]) -> ReplayMap {
    let mut map = ReplayMap::default();
    for (epoch, counters) in marked {
        for counter in *counters {
            map.mark(epoch, *counter).unwrap();
        }
    }
    map
}

/// Sender, epoch and marks of each entry.
fn marks(map: &ReplayMap) -> Vec<(u8, u8, u64)> {
    map.iter()
        .map(|(sender, epoch, entry)| (sender.as_bytes()[0], epoch.0[3], entry.marks))
        .collect()
}

#[test]
fn a_record_knows_as_many_epochs_as_were_marked() {
    let mut map = ReplayMap::default();
    assert_eq!((map.len(), map.is_empty()), (0, true));
    for n in 1..=3 {
        map.mark(epoch(1, n, 9), 0).unwrap();
        map.mark(epoch(1, n, 9), 49).unwrap();
        assert_eq!((map.len(), map.is_empty()), (n as usize, false));
    }
    assert_eq!(
        map.check(epoch(1, 1, 9), 50),
        Err(ReplayError::CounterTooHigh)
    );
    assert_eq!(map.check(epoch(2, 1, 9), 0), Ok(()), "another sender");
}

#[test]
fn joined_records_have_the_marks_of_both_in_either_order() {
    let one = record(&[(epoch(1, 1, 9), &[0, 1, 5]), (epoch(1, 2, 9), &[3])]);
    let other = record(&[(epoch(1, 1, 9), &[1, 2]), (epoch(2, 1, 9), &[49])]);
    let joined = [(1, 1, 0b10_0111), (1, 2, 0b1000), (2, 1, 1 << 49)];
    let mut left = one.clone();
    left.merge(&other);
    assert_eq!(marks(&left), joined);
    let mut right = other.clone();
    right.merge(&one);
    assert_eq!(right, left);
    right.merge(&one);
    assert_eq!(right, left, "nothing new the second time");
    assert_eq!(left.check(epoch(1, 1, 9), 2), Err(ReplayError::Replayed));
    assert_eq!(left.check(epoch(1, 1, 9), 3), Ok(()));
}

#[test]
fn records_that_contradict_each_other_join_to_one_whatever_the_order() {
    let mut later = epoch(1, 1, 9);
    later.bucket += 1;
    let one = record(&[(epoch(1, 1, 9), &[7])]);
    let other = record(&[(later, &[0])]);
    let (mut left, mut right) = (one.clone(), other.clone());
    left.merge(&other);
    right.merge(&one);
    let expected = ReplayEntry {
        key: later.key,
        bucket: later.bucket,
        marks: 0b1000_0001,
    };
    for map in [left, right] {
        let entries: Vec<_> = map.iter().map(|(.., entry)| *entry).collect();
        assert_eq!(entries, [expected]);
    }
}

#[test]
fn other_senders_under_the_same_private_half_are_told() {
    let map = record(&[
        (epoch(1, 1, 9), &[0]),
        (epoch(2, 2, 9), &[0]),
        (epoch(3, 3, 8), &[0]),
    ]);
    let others = |epoch: &EpochRecord| -> Vec<u8> {
        map.others_under(epoch).map(|id| id.as_bytes()[0]).collect()
    };
    assert_eq!(others(&epoch(1, 1, 9)), [2]);
    assert_eq!(others(&epoch(4, 4, 9)), [1, 2]);
    assert_eq!(others(&epoch(3, 5, 8)), [0_u8; 0]);
    let mut live = epoch(4, 4, 9);
    live.key.path = EpochPath::Live;
    assert_eq!(others(&live), [0_u8; 0], "the same id of another kind");
}

#[test]
fn marks_go_with_the_private_half_and_no_earlier() {
    let mut map = record(&[(epoch(1, 1, 9), &[0]), (epoch(1, 2, 8), &[0])]);
    map.retain(|key| key.id == 9);
    assert_eq!(marks(&map), [(1, 1, 1)]);
}

/// A record of so many senders, each with as many epochs as are taken of one.
fn full(senders: std::ops::Range<u8>) -> ReplayMap {
    let mut map = ReplayMap::default();
    for sender in senders {
        for n in 1..=256 {
            map.mark(epoch(sender, n, 9), 0).unwrap();
        }
    }
    map
}

#[test]
fn nobody_fills_more_than_their_part_of_a_record() {
    let mut map = full(1..2);
    assert_eq!(map.mark(epoch(1, 257, 9), 0), Err(ReplayError::Full));
    assert_eq!(map.mark(epoch(1, 7, 9), 1), Ok(()), "one that it knows");
    for neighbour in [0, 2] {
        assert_eq!(map.mark(epoch(neighbour, 257, 9), 0), Ok(()));
    }
    map.retain(|key| key.id != 9);
    assert_eq!(
        map.mark(epoch(1, 257, 8), 0),
        Ok(()),
        "the others have gone"
    );
}

#[test]
fn a_record_of_8192_epochs_takes_no_other_and_forgets_no_mark() {
    let mut map = full(0..32);
    assert_eq!(map.len(), 8_192);
    assert_eq!(map.mark(epoch(32, 1, 9), 0), Err(ReplayError::Full));
    assert_eq!(map.mark(epoch(1, 7, 9), 1), Ok(()), "one that it knows");
    assert_eq!(map.mark(epoch(1, 7, 9), 0), Err(ReplayError::Replayed));
    assert_eq!(map.len(), 8_192);
}

#[test]
fn a_safe_keeps_marks_of_however_many_sessions_were_joined() {
    let mut contents = SafeContents::new(ALICE.secrets.duplicate(), NOW);
    for session in 0..3 {
        contents
            .replay
            .merge(&full(session * 32..session * 32 + 32));
    }
    let (key, user) = (SafeKey::from_bytes(&[1; 32]), ALICE.user_id);
    let sealed = seal_safe(&mut SeededRng::new(1), &key, &user, 1, &contents);
    let opened = open_safe(&key, &user, 1, &sealed).unwrap();
    assert_eq!(opened.replay.len(), 3 * 8_192);
    assert!(opened == contents);
}

#[test]
fn a_safe_whose_record_is_full_is_a_body_that_servers_take() {
    let mut contents = SafeContents::new(ALICE.secrets.duplicate(), NOW);
    contents.replay.merge(&full(0..32));
    let (key, user) = (SafeKey::from_bytes(&[1; 32]), ALICE.user_id);
    let sealed = seal_safe(&mut SeededRng::new(1), &key, &user, 1, &contents);
    // In base64, with a megabyte for contacts and all else.
    assert!(sealed.len().div_ceil(3) * 4 < 1 << 20, "{}", sealed.len());
}
