//! Wraps that an older schema kept in one value get a row each when the database is opened.

use std::time::Duration;

use crate::support::Folder;
use crate::support::filled::{damaged, intent};
use store::testing::join_wraps;
use store::testing::sample::{self, NOW, user_id};
use store::{CredentialChange, KeepSessions, NewKey, SafeWrite, Store, Wrap, WrapKind};

/// More than are carried over in one transaction.
const MANY: u64 = 260;

/// A database of the schema before, with this many accounts.
async fn older(accounts: u64) -> Folder {
    let folder = Folder::new();
    let store = folder.open();
    sample::register(&store, 0..accounts, 0).await;
    store.close().unwrap();
    join_wraps(&folder.config());
    folder
}

async fn wraps(store: &Store, number: u64) -> Vec<Wrap> {
    store.safes(user_id(number)).await.unwrap().unwrap().0.wraps
}

fn joined(folder: &Folder) -> Vec<Vec<u8>> {
    let database = folder.tamper();
    let mut find = database
        .prepare("SELECT encrypted_wraps FROM key_safes")
        .unwrap();
    let found = find.query_map([], |row| row.get(0)).unwrap();
    found.collect::<Result<_, _>>().unwrap()
}

#[tokio::test]
async fn each_of_the_wraps_that_stood_in_one_value_is_there_as_it_was() {
    let folder = older(MANY).await;
    let store = folder.open();
    assert_eq!(store.report().migrated, 4);
    let written = sample::safe(1).wraps;
    let mut ids = std::collections::BTreeSet::new();
    for number in 0..MANY {
        let found = wraps(&store, number).await;
        let kinds: Vec<_> = found.iter().map(|wrap| &wrap.kind).collect();
        assert_eq!(kinds, [&WrapKind::Passphrase, &WrapKind::RecoveryKey]);
        for (found, written) in found.iter().zip(&written) {
            assert_eq!((&found.data, found.made), (&written.data, 0));
            ids.insert(found.id);
        }
    }
    assert_eq!(ids.len() as u64, 2 * MANY);
    let tables = store.table_counts().await.unwrap();
    assert!(tables.iter().all(|(table, _)| table != "joined_wraps"));
    store.close().unwrap();
    // Once: they keep their ids.
    let store = folder.open();
    assert_eq!(store.report().migrated, 0);
    assert!(wraps(&store, 0).await.iter().all(|it| ids.contains(&it.id)));
}

#[tokio::test]
async fn nothing_of_the_value_is_left_in_the_file() {
    let folder = older(3).await;
    let before = joined(&folder);
    let in_the_file = |value: &Vec<u8>| {
        let file = std::fs::read(folder.database()).unwrap();
        memchr::memmem::find(&file, &value[60..]).is_some()
    };
    assert!(before.iter().all(in_the_file), "the control");
    folder.open().close().unwrap();
    assert!(!before.iter().any(in_the_file));
}

#[tokio::test]
async fn a_rotation_that_was_under_way_goes_on_behind_the_new_rows() {
    let folder = Folder::new();
    let store = folder.open();
    sample::register(&store, 0..3, 0).await;
    let begun = store.begin_rotation(NewKey::Configured, "test".to_owned(), NOW, vec![]);
    begun.await.unwrap();
    store.close().unwrap();
    join_wraps(&folder.config());
    let store = folder.open();
    while !store
        .step_key_job(Duration::from_secs(9), NOW)
        .await
        .unwrap()
        .is_none_or(|job| job.finished)
    {}
    assert_eq!(wraps(&store, 2).await.len(), 2);
    store.close().unwrap();
    assert_eq!(wraps(&folder.open(), 2).await.len(), 2);
}

/// Changes or mends a byte of an account's value, within the name of its key or behind it.
fn flip(folder: &Folder, table: &str, column: &str, number: u64, at: usize) {
    let (database, user) = (folder.tamper(), *user_id(number).as_bytes());
    let sql = format!("SELECT {column} FROM {table} WHERE user_id = ?1");
    let find = |row: &rusqlite::Row<'_>| row.get(0);
    let mut value: Vec<u8> = database.query_row(&sql, [user], find).unwrap();
    value[at] ^= 1;
    let sql = format!("UPDATE {table} SET {column} = ?1 WHERE user_id = ?2");
    assert_eq!(database.execute(&sql, (value, user)).unwrap(), 1);
}

fn kept(folder: &Folder) -> Option<u64> {
    let sql = "SELECT count(*) FROM joined_wraps";
    folder.tamper().query_row(sql, [], |row| row.get(0)).ok()
}

#[tokio::test]
async fn a_value_that_does_not_open_stays_until_its_key_is_there() {
    // Of a key that nobody has, and of a tag that does not hold.
    for at in [2, 90] {
        let folder = older(MANY).await;
        for number in 0..MANY - 1 {
            flip(&folder, "key_safes", "encrypted_wraps", number, at);
        }
        let store = folder.open();
        assert_eq!(wraps(&store, MANY - 1).await.len(), 2);
        damaged("kept", store.safes(user_id(0)).await, "safe_wraps");
        store.close().unwrap();
        assert_eq!(kept(&folder), Some(MANY - 1));
        for number in 0..MANY - 1 {
            flip(&folder, "joined_wraps", "sealed", number, at);
        }
        let store = folder.open();
        let written = sample::safe(1).wraps;
        for number in 0..MANY {
            let found = wraps(&store, number).await;
            let data: Vec<_> = found.iter().map(|wrap| &wrap.data).collect();
            assert_eq!(data, [&written[0].data, &written[1].data]);
        }
        store.close().unwrap();
        assert_eq!(kept(&folder), None);
    }
}

#[tokio::test]
async fn a_value_that_stayed_does_not_replace_what_was_written_since() {
    let folder = older(1).await;
    flip(&folder, "key_safes", "encrypted_wraps", 0, 2);
    let store = folder.open();
    let passphrase = sample::wrap(8, WrapKind::Passphrase, b"another wrap");
    let recovery_key = sample::wrap(9, WrapKind::RecoveryKey, b"another recovery wrap");
    let change = CredentialChange {
        user_id: user_id(0),
        opaque_record: b"new record".to_vec().into(),
        expected_safe_version: 1,
        safe: SafeWrite {
            wraps: vec![passphrase.clone(), recovery_key.clone()],
            ..sample::safe(2)
        },
        expected_prekey_version: 1,
        prekey_safe: sample::prekey_safe(2),
        keep: KeepSessions::All,
        new_session: None,
    };
    store.replace_credentials(change, vec![]).await.unwrap();
    store.close().unwrap();
    flip(&folder, "joined_wraps", "sealed", 0, 2);
    let store = folder.open();
    assert_eq!(wraps(&store, 0).await, [passphrase, recovery_key]);
    store.close().unwrap();
    assert_eq!(kept(&folder), None);
}

#[tokio::test]
async fn a_value_that_stayed_goes_with_its_account() {
    let folder = older(2).await;
    flip(&folder, "key_safes", "encrypted_wraps", 0, 2);
    let store = folder.open();
    let intent = intent(&store).await;
    store.erase_user(user_id(0), &intent, NOW).await.unwrap();
    store.close().unwrap();
    assert_eq!(kept(&folder), Some(0));
    folder.open().close().unwrap();
    assert_eq!(kept(&folder), None);
}

#[tokio::test]
async fn an_account_whose_value_was_damaged_stops_nobody_else() {
    let folder = older(2).await;
    let sql = format!(
        "UPDATE key_safes SET encrypted_wraps = zeroblob(99) WHERE user_id = x'{}'",
        user_id(0)
    );
    assert_eq!(folder.tamper().execute(&sql, []).unwrap(), 1);
    let store = folder.open();
    let told = store.take_damages();
    assert_eq!(
        (told[0].table, &told[0].row),
        ("key_safes", &user_id(0).to_string())
    );
    damaged("lost", store.safes(user_id(0)).await, "safe_wraps");
    assert_eq!(wraps(&store, 1).await.len(), 2);
}
