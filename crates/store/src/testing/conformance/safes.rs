use super::Fixture;
use crate::testing::sample::{self, prekey_safe, safe, user_id};
use crate::{SafeError, SafeKind, SafeUpdate};

fn update(expected_version: u64, version: u64, fill: u8) -> SafeUpdate {
    SafeUpdate {
        user_id: user_id(1),
        expected_version,
        write_proof_hash: safe(1).write_proof_hash,
        version,
        data: vec![fill; 32_768],
    }
}

pub async fn both_safes_are_read_as_written(fixture: &impl Fixture) {
    let store = fixture.open();
    sample::register(&store, 1..2, 0).await;
    let (read, prekeys) = store.safes(user_id(1)).await.unwrap().unwrap();
    let written = safe(1);
    assert_eq!((read.version, read.data), (1, written.data));
    assert_eq!(read.wraps, written.wraps);
    assert_eq!(prekeys, prekey_safe(1));
    assert!(store.safes(user_id(9)).await.unwrap().is_none());
}

pub async fn one_of_two_writers_wins_and_the_other_gets_what_stands(fixture: &impl Fixture) {
    let store = fixture.open();
    sample::register(&store, 1..2, 0).await;
    let (a, b) = tokio::join!(
        store.write_safe(update(1, 2, 0xaa)),
        store.write_safe(update(1, 2, 0xbb)),
    );
    let (winner, loser) = if a.is_ok() { (0xaa, b) } else { (0xbb, a) };
    match loser {
        Err(SafeError::Conflict(conflict)) => {
            assert_eq!((conflict.kind, conflict.version), (SafeKind::Keys, 2));
            assert_eq!(conflict.data, vec![winner; 32_768]);
        }
        other => panic!("both won: {other:?}"),
    }
    let (read, _) = store.safes(user_id(1)).await.unwrap().unwrap();
    assert_eq!((read.version, read.data[0]), (2, winner));
    assert_eq!(read.wraps, safe(1).wraps, "the wraps stay");

    store.write_prekey_safe(update(1, 5, 0xcc)).await.unwrap();
    match store.write_prekey_safe(update(1, 6, 0xdd)).await {
        Err(SafeError::Conflict(conflict)) => {
            assert_eq!((conflict.kind, conflict.version), (SafeKind::Prekeys, 5));
        }
        other => panic!("{other:?}"),
    }
}

pub async fn a_wrong_proof_writes_nothing(fixture: &impl Fixture) {
    let store = fixture.open();
    sample::register(&store, 1..2, 0).await;
    for bit in [0, 255] {
        let mut wrong = update(1, 2, 0xee);
        wrong.write_proof_hash[bit / 8] ^= 1 << (bit % 8);
        assert!(matches!(
            store.write_safe(wrong).await,
            Err(SafeError::WrongProof)
        ));
    }
    let mut nobody = update(1, 2, 0xee);
    nobody.user_id = user_id(9);
    assert!(matches!(
        store.write_prekey_safe(nobody).await,
        Err(SafeError::NoSuchUser)
    ));
    let (read, prekeys) = store.safes(user_id(1)).await.unwrap().unwrap();
    assert_eq!((read.version, prekeys.version), (1, 1));
}

pub async fn a_version_that_does_not_grow_is_refused(fixture: &impl Fixture) {
    let store = fixture.open();
    sample::register(&store, 1..2, 0).await;
    for version in [0, 1] {
        let refused = store.write_safe(update(1, version, 0xee)).await;
        assert!(
            matches!(refused, Err(SafeError::VersionNotAbove)),
            "{refused:?}"
        );
    }
}
