//! Copies for backups: of one moment while others write, without what a restore withdraws.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::support::Folder;
use rusqlite::Connection;
use store::testing::sample::{self, NOW, event, prekey_safe, user_id};
use store::{
    KeySource, PrekeySafe, Restored, SafeError, SafeUpdate, Snapshot, Store, StoreConfig,
    mark_restored,
};

async fn take(store: &Store, folder: &Folder, name: &str) -> Snapshot {
    let into = folder.0.path().join(name);
    store.snapshot(into, Box::new(|_, _| {})).await.unwrap()
}

fn rows(snapshot: &Snapshot, table: &str) -> u64 {
    let found = snapshot.tables.iter().find(|(name, _)| name == table);
    found.unwrap().1
}

/// Opens a copy under the key of the database that it is of.
fn reopen(folder: &Folder, name: &str) -> Store {
    let mut config = StoreConfig::for_tests(&folder.0.path().join(name));
    config.key = KeySource::beside(Some(store::testing::TEST_KEY.into()), &folder.database());
    Store::open(&config).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_is_of_one_moment_while_others_write() {
    let folder = Folder::new();
    let store = folder.open();
    sample::register(&store, 0..40, 3).await;
    let (stop, begun) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicU64::new(0)),
    );
    let writing = {
        let (store, stop, begun) = (store.clone(), Arc::clone(&stop), Arc::clone(&begun));
        tokio::spawn(async move {
            let mut number = 40;
            while !stop.load(Ordering::SeqCst) {
                sample::register(&store, number..number + 1, 3).await;
                number += 1;
                begun.fetch_add(1, Ordering::SeqCst);
            }
            number
        })
    };
    while begun.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    let before = begun.load(Ordering::SeqCst);
    let snapshot = take(&store, &folder, "copy").await;
    while begun.load(Ordering::SeqCst) == before {
        tokio::task::yield_now().await;
    }
    stop.store(true, Ordering::SeqCst);
    let written = writing.await.unwrap();
    let users = rows(&snapshot, "users");
    assert!((41..=written).contains(&users), "{users} of {written}");
    // Everything of an account is written at once: a copy of one moment has all of it or nothing.
    for table in ["public_keys", "key_safes", "prekey_stock"] {
        assert_eq!(rows(&snapshot, table), users, "{table}");
    }
    assert_eq!(snapshot.audit.id, users);
    let copy = reopen(&folder, "copy");
    assert_eq!(copy.verify_audit_chain().await.unwrap(), snapshot.audit);
    let samples = copy.open_samples(5).await.unwrap();
    let opened = |column: &str| {
        samples
            .iter()
            .find(|it| it.column == column)
            .unwrap()
            .opened
    };
    assert_eq!(opened("users.encrypted_data"), 5);
    assert_eq!(opened("key_safes.encrypted_private_keys"), 5);
    assert_eq!(opened("sessions.encrypted_data"), 0);
    copy.close().unwrap();
    store.close().unwrap();
}

/// What the database holds in this column of this user.
fn stored(folder: &Folder, table: &str, column: &str, user: u64) -> Vec<u8> {
    let sql = format!("SELECT {column} FROM {table} WHERE user_id = ?1");
    let id = *user_id(user).as_bytes();
    let connection = Connection::open(folder.database()).unwrap();
    connection.query_row(&sql, [id], |row| row.get(0)).unwrap()
}

#[tokio::test]
async fn a_copy_holds_no_trace_of_prekey_safes_sessions_and_public_prekeys() {
    let folder = Folder::new();
    let store = folder.open();
    sample::register(&store, 0..6, 20).await;
    let snapshot = take(&store, &folder, "copy").await;
    for table in ["prekey_safes", "sessions", "prekey_batches", "prekeys"] {
        assert_eq!(rows(&snapshot, table), 0, "{table}");
    }
    let bytes = std::fs::read(folder.0.path().join("copy")).unwrap();
    assert_eq!(
        bytes.len() as u64,
        snapshot.pages * u64::from(snapshot.page_size)
    );
    for user in 0..6 {
        let found = |table, column, from: usize| {
            let value = stored(&folder, table, column, user);
            let needle = &value[from..from + 48];
            bytes.windows(48).any(|window| window == needle)
        };
        // The control: what stays is found by the same search.
        assert!(found("key_safes", "encrypted_private_keys", 600));
        for from in [40, 3_000, 9_000, 16_000] {
            assert!(!found("prekey_safes", "encrypted_data", from), "{from}");
        }
        assert!(!found("sessions", "encrypted_data", 40));
        // Inside the eighteenth leaf, whose bytes are no others'.
        assert!(!found("prekey_batches", "leaves", 27_600));
        assert!(!found("prekey_batches", "last_resort", 100));
    }
    let mode = std::os::unix::fs::PermissionsExt::mode(
        &std::fs::metadata(folder.0.path().join("copy"))
            .unwrap()
            .permissions(),
    );
    assert_eq!(mode & 0o777, 0o600);
    let beside: Vec<String> = folder
        .names()
        .into_iter()
        .filter(|name| name.starts_with("copy"))
        .collect();
    assert_eq!(beside, ["copy"]);
    store.close().unwrap();
}

#[tokio::test]
async fn pages_of_what_did_not_change_are_the_same_in_the_next_copy() {
    let folder = Folder::new();
    let store = folder.open();
    sample::register(&store, 0..30, 20).await;
    let first = take(&store, &folder, "first").await;
    store
        .append_audit(vec![event(None, "server.started", NOW)])
        .await
        .unwrap();
    let second = take(&store, &folder, "second").await;
    let size = first.page_size as usize;
    let read = |name: &str| std::fs::read(folder.0.path().join(name)).unwrap();
    let (one, two) = (read("first"), read("second"));
    let changed = one
        .chunks(size)
        .zip(two.chunks(size))
        .filter(|(a, b)| a != b)
        .count();
    assert!(changed > 0, "the control: the record is in the second copy");
    assert!(changed < 20, "{changed} of {} pages", second.pages);
    store.close().unwrap();
}

#[tokio::test]
async fn a_copy_never_goes_over_a_file_that_is_there() {
    let folder = Folder::new();
    let store = folder.open();
    let taken = folder.0.path().join("taken");
    std::fs::write(&taken, b"mine").unwrap();
    let refused = store.snapshot(taken.clone(), Box::new(|_, _| {})).await;
    assert!(refused.is_err());
    assert_eq!(std::fs::read(taken).unwrap(), b"mine");
    store.close().unwrap();
}

#[tokio::test]
async fn a_damaged_database_gives_an_error_and_no_copy() {
    let folder = Folder::new();
    let store = folder.open();
    sample::register(&store, 0..20, 20).await;
    store.close().unwrap();
    let sql = "SELECT rootpage FROM sqlite_schema WHERE name = 'key_safes'";
    let root: usize = folder
        .tamper()
        .query_row(sql, [], |row| row.get(0))
        .unwrap();
    let mut bytes = std::fs::read(folder.database()).unwrap();
    // A kind of page that does not exist, where nothing looks at the start.
    bytes[(root - 1) * 8_192] = 0x77;
    std::fs::write(folder.database(), bytes).unwrap();
    let store = folder.open();
    let into = folder.0.path().join("copy");
    let refused = store.snapshot(into, Box::new(|_, _| {})).await;
    let error = refused.unwrap_err().to_string();
    assert!(error.contains("restore"), "{error}");
    store.close().unwrap();
}

#[tokio::test]
async fn after_a_restore_sessions_and_prekeys_are_gone_and_it_is_noted_once() {
    let folder = Folder::new();
    let store = folder.open();
    sample::register(&store, 0..2, 4).await;
    assert_eq!(store.restored().await.unwrap(), None);
    let live = take(&store, &folder, "copy").await;
    store.close().unwrap();
    let restored = Restored {
        epoch: [7; 16],
        at: NOW + 5,
    };
    mark_restored(&folder.0.path().join("copy"), &restored).unwrap();
    let store = reopen(&folder, "copy");
    assert_eq!(store.restored().await.unwrap(), Some(restored));
    let note = || vec![event(None, "backup.restored", NOW + 9)];
    assert!(store.note_restored(note()).await.unwrap());
    assert!(!store.note_restored(note()).await.unwrap());
    let head = store.verify_audit_chain().await.unwrap();
    assert_eq!(head.id, live.audit.id + 1);
    let user = user_id(1);
    assert!(store.list_sessions(user, NOW).await.unwrap().is_empty());
    let stock = store.prekey_stock(user, NOW).await.unwrap().unwrap();
    assert_eq!((stock.one_time, stock.batch_number), (0, 1));
    let claimed = store.claim_prekey(user, store::Claim::OneTime, NOW).await;
    assert_eq!(claimed.unwrap(), None);
    store.close().unwrap();
}

#[tokio::test]
async fn a_missing_prekey_safe_reads_as_version_0_and_is_written_anew() {
    let folder = Folder::new();
    let store = folder.open();
    sample::register(&store, 0..1, 2).await;
    take(&store, &folder, "copy").await;
    store.close().unwrap();
    let store = reopen(&folder, "copy");
    let user = user_id(0);
    let (safe, none) = store.safes(user).await.unwrap().unwrap();
    assert_eq!(safe.version, 1);
    let empty = PrekeySafe {
        version: 0,
        data: Vec::new(),
    };
    assert_eq!(none, empty);
    let update = |expected_version, version| SafeUpdate {
        user_id: user,
        expected_version,
        write_proof_hash: [0x77; 32],
        version,
        data: prekey_safe(version).data,
    };
    // Whoever still has the safe of before merges with "none".
    let lost = store.write_prekey_safe(update(4, 5)).await.unwrap_err();
    let SafeError::Conflict(conflict) = lost else {
        panic!("{lost}")
    };
    assert_eq!((conflict.version, conflict.data.len()), (0, 0));
    store.write_prekey_safe(update(0, 1)).await.unwrap();
    let (_, written) = store.safes(user).await.unwrap().unwrap();
    assert_eq!(written, prekey_safe(1));
    let again = store.write_prekey_safe(update(0, 1)).await;
    assert!(matches!(again, Err(SafeError::Conflict(_))));
    store.close().unwrap();
}
