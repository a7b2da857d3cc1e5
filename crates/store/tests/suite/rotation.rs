//! Keys rotate while everything goes on, and the old ones are useless afterwards.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::support::Folder;
use crate::support::other_key::{OTHER_KEY, other_key};
use store::testing::sample::{self, NOW, event, handle, session, session_id, user_id};
use store::{
    AuditFilter, BeginError, Fault, KekId, KekState, KeyJobKind, KeySource, NewKey, OpenError,
    ROTATION_FINISHED, SafeUpdate, Store,
};
use tokio::task::JoinSet;

const SHORT: Duration = Duration::ZERO;

async fn finish(store: &Store) {
    while let Some(job) = store.step_key_job(SHORT, NOW + 60).await.unwrap() {
        if job.finished {
            assert_eq!(job.done, job.total);
        }
    }
}

async fn active(store: &Store) -> KekId {
    let keks = store.keks().await.unwrap();
    let active = keks.iter().find(|kek| kek.state == KekState::Active);
    active.unwrap().kek_id
}

/// Envelopes in any file of the database that name this key.
fn envelopes_under(folder: &Folder, kek: KekId) -> usize {
    let mut found = 0;
    for name in folder.names() {
        let bytes = std::fs::read(folder.0.path().join(name)).unwrap();
        for (at, window) in bytes.windows(16).enumerate() {
            let head = at >= 2 && bytes[at - 2] == 1 && matches!(bytes[at - 1], 1 | 2);
            found += usize::from(head && window == kek.as_bytes());
        }
    }
    found
}

async fn readable(store: &Store, numbers: std::ops::Range<u64>) {
    for number in numbers {
        let id = user_id(number);
        let row = store.user_by_id(id).await.unwrap().unwrap();
        assert_eq!(row.handle, handle(number));
        assert!(store.safes(id).await.unwrap().is_some());
        assert!(store.credential(&handle(number)).await.unwrap().is_some());
        let found = store.find_session(session_id(number), NOW).await;
        assert!(found.unwrap().is_some());
    }
    assert!(store.credential("nobody").await.unwrap().is_none());
    let page = store.query_audit(AuditFilter::default(), None, 500).await;
    assert!(!page.unwrap().records.is_empty());
    store.verify_audit_chain().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_moves_every_value_and_the_old_key_opens_nothing() {
    let folder = Folder::new();
    let store = folder.open();
    sample::register(&store, 1..40, 2).await;
    let old = active(&store).await;
    assert!(
        envelopes_under(&folder, old) > 39 * 6,
        "the control: envelopes are found"
    );
    let job = store
        .begin_rotation(other_key(), "test".to_owned(), NOW, vec![])
        .await
        .unwrap();
    assert_eq!((job.kind, job.finished), (KeyJobKind::Rewrap, false));
    assert!(matches!(
        store
            .begin_rotation(NewKey::Configured, "second".to_owned(), NOW, vec![])
            .await,
        Err(BeginError::Running(_))
    ));
    let new = active(&store).await;
    assert_ne!(old, new);
    finish(&store).await;
    readable(&store, 1..40).await;
    let keks = store.keks().await.unwrap();
    let retired = keks.iter().find(|kek| kek.kek_id == old).unwrap();
    assert_eq!(retired.state, KekState::Retired);
    assert_eq!(retired.retired_at, Some(NOW + 60));
    // While it is open: the log holds no old page either.
    assert_eq!(envelopes_under(&folder, old), 0);
    assert!(envelopes_under(&folder, new) > 39 * 6);
    store.close().unwrap();
    assert_eq!(envelopes_under(&folder, old), 0);

    assert!(
        matches!(
            Store::open(&folder.config()),
            Err(OpenError::WrongKey { .. })
        ),
        "the key before is refused"
    );
    let store = Store::open(&folder.with_key(OTHER_KEY)).unwrap();
    readable(&store, 1..40).await;
    let filter = AuditFilter {
        action: Some(ROTATION_FINISHED.to_owned()),
        ..AuditFilter::default()
    };
    assert_eq!(store.count_audit(filter).await.unwrap(), 1);
    let salts: u32 = folder
        .tamper()
        .query_row(
            "SELECT count(*) FROM keks WHERE state = 'retired' AND
                 (salt IS NOT NULL OR encrypted_handover IS NOT NULL OR encrypted_check <> x'')",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(salts, 0, "what the old key was derived with is erased");
}

#[tokio::test(flavor = "multi_thread")]
async fn either_key_opens_the_database_while_a_rotation_runs_and_goes_on_with_it() {
    for first in [sample_key(), OTHER_KEY] {
        let folder = Folder::new();
        let store = folder.open();
        sample::register(&store, 1..6, 0).await;
        let old = active(&store).await;
        store
            .begin_rotation(other_key(), "test".to_owned(), NOW, vec![])
            .await
            .unwrap();
        for _ in 0..3 {
            store.step_key_job(SHORT, NOW).await.unwrap();
        }
        store.close().unwrap();
        for key in [first, OTHER_KEY, sample_key()] {
            let store = Store::open(&folder.with_key(key)).unwrap();
            readable(&store, 1..6).await;
            store.close().unwrap();
        }
        assert!(matches!(
            Store::open(&folder.with_key("neither of the two")),
            Err(OpenError::WrongKey { .. })
        ));
        let store = Store::open(&folder.with_key(first)).unwrap();
        finish(&store).await;
        readable(&store, 1..6).await;
        store.close().unwrap();
        assert_eq!(envelopes_under(&folder, old), 0);
        assert!(Store::open(&folder.with_key(sample_key())).is_err());
        readable(&Store::open(&folder.with_key(OTHER_KEY)).unwrap(), 1..6).await;
    }
}

fn sample_key() -> &'static str {
    store::testing::TEST_KEY
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_file_is_replaced_and_the_old_one_is_refused() {
    let folder = Folder::new();
    let mut config = folder.config();
    config.key = KeySource::beside(None, &folder.database());
    let store = Store::open(&config).unwrap();
    sample::register(&store, 1..3, 0).await;
    let key_file = folder.database().with_extension("key");
    let before = std::fs::read(&key_file).unwrap();
    store
        .begin_rotation(NewKey::KeyFile, "test".to_owned(), NOW, vec![])
        .await
        .unwrap();
    assert_ne!(std::fs::read(&key_file).unwrap(), before);
    finish(&store).await;
    store.close().unwrap();
    assert_eq!(
        folder.names(),
        ["secure_messaging.db", "secure_messaging.key"]
    );
    readable(&Store::open(&config).unwrap(), 1..3).await;
    std::fs::write(&key_file, before).unwrap();
    assert!(matches!(
        Store::open(&config),
        Err(OpenError::WrongKey { .. })
    ));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_file_that_a_cut_left_waiting_is_adopted_at_the_next_start() {
    let folder = Folder::new();
    let mut config = folder.config();
    config.key = KeySource::beside(None, &folder.database());
    let store = Store::open(&config).unwrap();
    sample::register(&store, 1..3, 0).await;
    let key_file = folder.database().with_extension("key");
    let before = std::fs::read(&key_file).unwrap();
    store
        .begin_rotation(NewKey::KeyFile, "test".to_owned(), NOW, vec![])
        .await
        .unwrap();
    store.close().unwrap();
    // As if the process had ended between the commit and the renaming.
    std::fs::rename(&key_file, folder.0.path().join("secure_messaging.key.next")).unwrap();
    std::fs::write(&key_file, before).unwrap();
    std::fs::set_permissions(
        &key_file,
        <std::fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode(0o600),
    )
    .unwrap();
    let store = Store::open(&config).unwrap();
    finish(&store).await;
    store.close().unwrap();
    assert_eq!(
        folder.names(),
        ["secure_messaging.db", "secure_messaging.key"]
    );
    readable(&Store::open(&config).unwrap(), 1..3).await;
}

#[tokio::test]
async fn a_given_key_is_not_replaced_by_a_file() {
    let folder = Folder::new();
    let store = folder.open();
    let refused = store
        .begin_rotation(NewKey::KeyFile, "test".to_owned(), NOW, vec![])
        .await;
    assert!(matches!(refused, Err(BeginError::NoKeyFile)), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renewal_changes_every_value_and_no_plaintext() {
    let folder = Folder::new();
    let store = folder.open();
    sample::register(&store, 1..10, 0).await;
    let values = |folder: &Folder| -> Vec<Vec<u8>> {
        let database = folder.tamper();
        let mut find = database
            .prepare(
                "SELECT encrypted_data FROM users UNION ALL SELECT encrypted_credential FROM users
                 UNION ALL SELECT encrypted_wrap FROM safe_wraps
                 UNION ALL SELECT encrypted_private_keys FROM key_safes
                 UNION ALL SELECT encrypted_data FROM prekey_safes
                 UNION ALL SELECT encrypted_data FROM sessions
                 UNION ALL SELECT encrypted_key FROM audit_keys
                 UNION ALL SELECT encrypted_secret FROM server_secrets",
            )
            .unwrap();
        find.query_map([], |row| row.get(0))
            .unwrap()
            .collect::<Result<_, _>>()
            .unwrap()
    };
    let before = values(&folder);
    store
        .begin_renewal("test".to_owned(), NOW, vec![])
        .await
        .unwrap();
    finish(&store).await;
    let after = values(&folder);
    assert_eq!(before.len(), after.len());
    assert!(before.iter().zip(&after).all(|(a, b)| a != b));
    readable(&store, 1..10).await;
    // The same key: only what is under it changed.
    store.close().unwrap();
    readable(&folder.open(), 1..10).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_leaves_the_ciphertext_and_the_audit_log_as_they_are() {
    let folder = Folder::new();
    let store = folder.open();
    sample::register(&store, 1..4, 0).await;
    let look = |folder: &Folder| -> (Vec<u8>, Vec<u8>) {
        folder
            .tamper()
            .query_row(
                "SELECT (SELECT encrypted_data FROM users WHERE number = 1),
                     (SELECT encrypted_details FROM audit_log WHERE id = 1)",
                [],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .unwrap()
    };
    let (data, details) = look(&folder);
    store
        .begin_rotation(NewKey::Configured, "test".to_owned(), NOW, vec![])
        .await
        .unwrap();
    finish(&store).await;
    let (moved, same) = look(&folder);
    assert_eq!(details, same);
    assert_ne!(data, moved);
    assert_eq!(data[data.len() - 40..], moved[moved.len() - 40..]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn under_load_no_request_fails_while_keys_rotate_and_renew() {
    let folder = Folder::new();
    let store = folder.open();
    sample::register(&store, 1..60, 1).await;
    let old = active(&store).await;
    let stop = Arc::new(AtomicBool::new(false));
    let mut clients = JoinSet::new();
    for client in 0..6_u64 {
        let (store, stop) = (store.clone(), Arc::clone(&stop));
        clients.spawn(async move {
            let mut requests = 0_u64;
            let id = user_id(1 + client);
            let mut version = 1;
            while !stop.load(Ordering::Relaxed) {
                let number = 10_000 + client * 100_000 + requests;
                let audit = vec![event(Some(id), "session.created", NOW)];
                store
                    .create_session(session(id, number, NOW), audit)
                    .await
                    .unwrap();
                let found = store.find_session(session_id(number), NOW).await.unwrap();
                assert_eq!(found.unwrap().details.ip, "192.0.2.77");
                assert!(
                    store
                        .credential(&handle(1 + client))
                        .await
                        .unwrap()
                        .is_some()
                );
                assert!(store.credential("nobody").await.unwrap().is_none());
                let update = SafeUpdate {
                    user_id: id,
                    expected_version: version,
                    write_proof_hash: sample::safe(1).write_proof_hash,
                    version: version + 1,
                    data: vec![version as u8; 8_192],
                };
                store.write_safe(update).await.unwrap();
                version += 1;
                assert!(store.safes(id).await.unwrap().is_some());
                requests += 5;
            }
            requests
        });
    }
    for round in 0..4 {
        let reason = format!("round {round}");
        store
            .begin_rotation(NewKey::Configured, reason.clone(), NOW, vec![])
            .await
            .unwrap();
        while store
            .step_key_job(SHORT, NOW)
            .await
            .unwrap()
            .is_some_and(|job| !job.finished)
        {
            tokio::task::yield_now().await;
        }
        store.begin_renewal(reason, NOW, vec![]).await.unwrap();
        while store
            .step_key_job(SHORT, NOW)
            .await
            .unwrap()
            .is_some_and(|job| !job.finished)
        {
            tokio::task::yield_now().await;
        }
    }
    stop.store(true, Ordering::Relaxed);
    let mut requests = 0;
    while let Some(joined) = clients.join_next().await {
        requests += joined.unwrap();
    }
    assert!(
        requests > 200,
        "too little load to prove anything: {requests}"
    );
    let keks = store.keks().await.unwrap();
    assert_eq!(keks.len(), 5);
    assert_eq!(
        keks.iter()
            .filter(|kek| kek.state == KekState::Retired)
            .count(),
        4
    );
    store.close().unwrap();
    assert_eq!(envelopes_under(&folder, old), 0);
    readable(&folder.open(), 1..60).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_database_takes_no_plaintext_and_nothing_under_a_closed_key() {
    let folder = Folder::new();
    let store = folder.open();
    sample::register(&store, 1..3, 0).await;
    let old_value: Vec<u8> = folder
        .tamper()
        .query_row(
            "SELECT encrypted_data FROM users WHERE number = 1",
            [],
            |row| row.get(0),
        )
        .unwrap();
    store
        .begin_rotation(NewKey::Configured, "test".to_owned(), NOW, vec![])
        .await
        .unwrap();
    let write = |value: &[u8]| {
        let sql = "UPDATE users SET encrypted_data = ?1 WHERE number = 1";
        folder.tamper().execute(sql, [value])
    };
    assert_eq!(write(&old_value).unwrap(), 1, "the control: not closed yet");
    store.step_key_job(SHORT, NOW).await.unwrap();
    for refused in [&old_value[..], b"handle and alias in the clear", b""] {
        let error = write(refused).unwrap_err().to_string();
        assert!(error.contains("sealed under a key in use"), "{error}");
    }
    finish(&store).await;
    assert!(write(&old_value).is_err());
    readable(&store, 1..3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_value_keeps_its_key_from_being_retired_and_is_named() {
    let folder = Folder::new();
    let store = folder.open();
    sample::register(&store, 1..4, 0).await;
    let mut value: Vec<u8> = folder
        .tamper()
        .query_row(
            "SELECT encrypted_data FROM users WHERE number = 2",
            [],
            |row| row.get(0),
        )
        .unwrap();
    // Within the wrapped data key.
    value[60] ^= 1;
    let sql = "UPDATE users SET encrypted_data = ?1 WHERE number = 2";
    folder.tamper().execute(sql, [&value]).unwrap();
    store
        .begin_rotation(NewKey::Configured, "test".to_owned(), NOW, vec![])
        .await
        .unwrap();
    let fault = loop {
        match store.step_key_job(SHORT, NOW).await {
            Ok(job) => assert!(!job.unwrap().finished),
            Err(fault) => break fault,
        }
    };
    match fault {
        Fault::Damaged { table, row, .. } => {
            assert_eq!((table, row), ("users", user_id(2).to_string()));
        }
        other => panic!("{other:?}"),
    }
    assert!(!store.key_job().await.unwrap().unwrap().finished);
    let retiring = store.keks().await.unwrap();
    assert!(retiring.iter().any(|kek| kek.state == KekState::Retiring));
    // The others moved, and once it is repaired the job goes on.
    value[60] ^= 1;
    let connection = folder.tamper();
    connection
        .execute_batch("DROP TRIGGER users_encrypted_data_updates")
        .unwrap();
    connection.execute(sql, [&value]).unwrap();
    finish(&store).await;
    readable(&store, 1..4).await;
}
