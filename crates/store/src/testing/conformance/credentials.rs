use super::Fixture;
use crate::testing::sample::{self, NOW, event, prekey_safe, session, session_id, user_id};
use crate::{
    Admission, AuditFilter, CredentialChange, IdentityChange, KeepSessions, ReplaceError, SafeKind,
    SafeWrite, Store, WrapKind,
};

fn changed_safe(version: u64) -> SafeWrite {
    SafeWrite {
        wraps: vec![
            sample::wrap(8, WrapKind::RecoveryKey, b"another recovery wrap"),
            sample::wrap(9, WrapKind::Passphrase, b"another wrap"),
        ],
        write_proof_hash: [0x11; 32],
        recovery_proof_hash: [0x22; 32],
        ..sample::safe(version)
    }
}

fn change(expected: u64, keep: KeepSessions) -> CredentialChange {
    CredentialChange {
        user_id: user_id(1),
        opaque_record: b"new record".to_vec().into(),
        expected_safe_version: expected,
        safe: changed_safe(expected + 1),
        expected_prekey_version: expected,
        prekey_safe: prekey_safe(expected + 1),
        keep,
        new_session: None,
    }
}

fn identity(expected: u64, batch_number: u64) -> IdentityChange {
    IdentityChange {
        user_id: user_id(1),
        fingerprint: vec![0xfe; 64],
        public_keys: sample::public_keys(200),
        prekeys: sample::batch(batch_number, 500, 2),
        expected_safe_version: expected,
        safe: sample::safe(expected + 1),
        expected_prekey_version: expected,
        prekey_safe: prekey_safe(expected + 1),
    }
}

async fn more_sessions(store: &Store) {
    for number in [11, 12] {
        store
            .create_session(session(user_id(1), number, NOW), vec![])
            .await
            .unwrap();
    }
}

pub async fn a_change_of_credentials_replaces_everything_together(fixture: &impl Fixture) {
    let store = fixture.open();
    sample::register(&store, 1..2, 0).await;
    more_sessions(&store).await;
    let change = change(1, KeepSessions::Only(session_id(11)));
    let mut ended = store.replace_credentials(change, vec![]).await.unwrap();
    ended.sort_unstable();
    assert_eq!(ended, [session_id(1), session_id(12)]);
    let credential = store.credential_by_id(user_id(1)).await.unwrap().unwrap();
    assert_eq!(credential.opaque_record, b"new record");
    assert_eq!(credential.recovery_proof_hash, [0x22; 32]);
    let (safe, prekeys) = store.safes(user_id(1)).await.unwrap().unwrap();
    assert_eq!((safe.version, &safe.data), (2, &changed_safe(2).data));
    assert_eq!(safe.wraps, changed_safe(2).wraps);
    assert_eq!(prekeys, prekey_safe(2));
    assert!(
        store
            .find_session(session_id(11), NOW)
            .await
            .unwrap()
            .is_some()
    );
    assert!(
        store
            .find_session(session_id(12), NOW)
            .await
            .unwrap()
            .is_none()
    );
}

pub async fn a_safe_and_its_wraps_are_read_as_of_one_moment(fixture: &impl Fixture) {
    let store = fixture.open();
    sample::register(&store, 1..2, 0).await;
    let writing = tokio::spawn({
        let store = store.clone();
        async move {
            for version in 1..120 {
                let mut change = change(version, KeepSessions::All);
                let wraps = change.safe.wraps.iter_mut();
                wraps.for_each(|wrap| wrap.made = version + 1);
                store.replace_credentials(change, vec![]).await.unwrap();
            }
        }
    });
    while !writing.is_finished() {
        let [one, other] = [(); 2].map(|()| store.safes(user_id(1)));
        for read in <[_; 2]>::from(tokio::join!(one, other)) {
            let (safe, _) = read.unwrap().unwrap();
            let made = safe.wraps.iter().map(|wrap| wrap.made);
            let fits = |made| made == safe.version || safe.version == 1;
            assert!(made.into_iter().all(fits), "{}", safe.version);
        }
    }
    writing.await.unwrap();
}

pub async fn a_change_keeps_wraps_of_kinds_that_it_does_not_have(fixture: &impl Fixture) {
    let store = fixture.open();
    let mut user = sample::user(1, 0, Admission::Open);
    let later = WrapKind::Other("of_a_later_version".to_owned());
    let kept = sample::wrap(3, later, b"what it opens");
    user.safe.wraps.insert(1, kept.clone());
    let registered = store.register(user, session(user_id(1), 1, NOW), vec![]);
    registered.await.unwrap();
    sample::register(&store, 2..3, 0).await;
    let change = change(1, KeepSessions::All);
    store.replace_credentials(change, vec![]).await.unwrap();
    store
        .replace_identity(identity(2, 2), vec![])
        .await
        .unwrap();
    let (safe, _) = store.safes(user_id(1)).await.unwrap().unwrap();
    assert_eq!(safe.wraps, [vec![kept], sample::safe(3).wraps].concat());
    let (other, _) = store.safes(user_id(2)).await.unwrap().unwrap();
    assert_eq!(other.wraps, sample::safe(1).wraps, "nobody else's");
}

pub async fn a_change_that_lost_the_race_changes_nothing(fixture: &impl Fixture) {
    let store = fixture.open();
    sample::register(&store, 1..2, 0).await;
    // The key safe fits, the prekey safe does not: the first swap is undone.
    let mut stale = change(1, KeepSessions::None);
    stale.expected_prekey_version = 7;
    stale.prekey_safe.version = 8;
    let audit = vec![event(Some(user_id(1)), "passphrase.changed", NOW)];
    match store.replace_credentials(stale, audit).await {
        Err(ReplaceError::Conflict(conflict)) => {
            assert_eq!((conflict.kind, conflict.version), (SafeKind::Prekeys, 1));
            assert_eq!(conflict.data, prekey_safe(1).data);
        }
        other => panic!("{other:?}"),
    }
    let mut backwards = change(1, KeepSessions::None);
    backwards.safe.version = 1;
    let backwards = store.replace_credentials(backwards, vec![]).await;
    assert!(matches!(backwards, Err(ReplaceError::VersionNotAbove)));
    let mut nobody = change(1, KeepSessions::None);
    nobody.user_id = user_id(9);
    let nobody = store.replace_credentials(nobody, vec![]).await;
    assert!(matches!(nobody, Err(ReplaceError::NoSuchUser)));

    let (safe, prekeys) = store.safes(user_id(1)).await.unwrap().unwrap();
    assert_eq!((safe.version, prekeys.version), (1, 1));
    assert_eq!(safe.wraps, sample::safe(1).wraps);
    let credential = store.credential_by_id(user_id(1)).await.unwrap().unwrap();
    assert_eq!(credential.opaque_record, b"opaque record 1");
    assert!(
        store
            .find_session(session_id(1), NOW)
            .await
            .unwrap()
            .is_some()
    );
    assert_eq!(store.count_audit(AuditFilter::default()).await.unwrap(), 1);
}

pub async fn recovery_ends_every_session_and_makes_one(fixture: &impl Fixture) {
    let store = fixture.open();
    sample::register(&store, 1..2, 0).await;
    more_sessions(&store).await;
    let mut change = change(1, KeepSessions::None);
    change.new_session = Some(session(user_id(1), 20, NOW + 60));
    assert_eq!(
        store
            .replace_credentials(change, vec![])
            .await
            .unwrap()
            .len(),
        3
    );
    let sessions = store.list_sessions(user_id(1), NOW + 60).await.unwrap();
    assert_eq!(sessions.len(), 1);
    assert_eq!(sessions[0].0, session_id(20));
    let user = store.user_by_id(user_id(1)).await.unwrap().unwrap();
    assert_eq!(user.last_login, Some(NOW + 60));
}

pub async fn a_new_identity_replaces_keys_prekeys_and_safes(fixture: &impl Fixture) {
    let store = fixture.open();
    sample::register(&store, 1..2, 3).await;
    store
        .replace_identity(identity(1, 2), vec![])
        .await
        .unwrap();
    let keys = store.public_keys(user_id(1)).await.unwrap().unwrap();
    assert_eq!(keys.keys, sample::public_keys(200));
    assert_eq!(
        store
            .user_by_id(user_id(1))
            .await
            .unwrap()
            .unwrap()
            .fingerprint,
        vec![0xfe; 64]
    );
    assert_eq!(sample::claim(&store, user_id(1)).await, Some(500));
    let (safe, prekeys) = store.safes(user_id(1)).await.unwrap().unwrap();
    assert_eq!((safe.version, prekeys.version), (2, 2));
    let credential = store.credential_by_id(user_id(1)).await.unwrap().unwrap();
    assert_eq!(
        credential.opaque_record, b"opaque record 1",
        "the passphrase stays"
    );
}

pub async fn a_new_identity_with_a_stale_batch_changes_nothing(fixture: &impl Fixture) {
    let store = fixture.open();
    sample::register(&store, 1..2, 3).await;
    let stale = store.replace_identity(identity(1, 1), vec![]).await;
    assert!(
        matches!(
            stale,
            Err(ReplaceError::StaleBatch {
                found: 1,
                stored: 1
            })
        ),
        "{stale:?}"
    );
    let lost = store.replace_identity(identity(6, 2), vec![]).await;
    match lost {
        Err(ReplaceError::Conflict(conflict)) => assert_eq!(conflict.kind, SafeKind::Keys),
        other => panic!("{other:?}"),
    }
    let keys = store.public_keys(user_id(1)).await.unwrap().unwrap();
    assert_eq!(keys.keys, sample::public_keys(1));
    assert_eq!(store.safes(user_id(1)).await.unwrap().unwrap().0.version, 1);
    assert_eq!(sample::claim(&store, user_id(1)).await, Some(0));
}
