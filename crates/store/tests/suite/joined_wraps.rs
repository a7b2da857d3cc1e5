//! Wraps that an older schema kept in one value get a row each when the database is opened.

use std::time::Duration;

use crate::support::Folder;
use crate::support::filled::damaged;
use store::testing::join_wraps;
use store::testing::sample::{self, NOW, user_id};
use store::{NewKey, Store, Wrap, WrapKind};

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
    assert_eq!(store.report().migrated, 1);
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
