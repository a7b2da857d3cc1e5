//! Opening refuses with a reason and changes nothing.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use crate::support::Folder;
use store::testing::sample;
use store::{KeyOrigin, KeySource, OpenError, Store, StoreConfig};

fn mode(path: &std::path::Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

fn with_key_file(folder: &Folder) -> StoreConfig {
    let mut config = folder.config();
    config.key = KeySource::beside(None, &folder.database());
    config
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_database_and_its_key_file_are_for_their_owner_only() {
    let folder = Folder::new();
    let nested = folder.0.path().join("a/b/secure_messaging.db");
    let mut config = StoreConfig::for_tests(&nested);
    config.key = KeySource::beside(None, &nested);
    let store = Store::open(&config).unwrap();
    let key_file = nested.with_extension("key");
    assert_eq!(
        store.report().key_origin,
        Some(KeyOrigin::CreatedFile(key_file.clone()))
    );
    assert!(store.report().created);
    sample::register(&store, 1..2, 1).await;
    for file in ["db", "db-wal", "db-shm", "key"] {
        assert_eq!(mode(&nested.with_extension(file)), 0o600, "{file}");
    }
    assert_eq!(mode(nested.parent().unwrap()), 0o700);
    store.close().unwrap();

    let store = Store::open(&config).unwrap();
    assert_eq!(store.report().key_origin, Some(KeyOrigin::File(key_file)));
    assert!(
        store
            .user_by_id(sample::user_id(1))
            .await
            .unwrap()
            .is_some()
    );
}

#[test]
fn a_database_that_others_could_read_is_closed_to_them() {
    let folder = Folder::new();
    folder.open().close().unwrap();
    fs::set_permissions(folder.database(), Permissions::from_mode(0o644)).unwrap();
    folder.open().close().unwrap();
    assert_eq!(mode(&folder.database()), 0o600);
}

#[test]
fn a_log_beside_the_database_that_others_could_read_is_closed_to_them() {
    let folder = Folder::new();
    folder.open().close().unwrap();
    let log = folder.database().with_extension("db-wal");
    fs::write(&log, [0; 64]).unwrap();
    fs::set_permissions(&log, Permissions::from_mode(0o666)).unwrap();
    let store = folder.open();
    assert_eq!(mode(&log), 0o600);
    store.close().unwrap();
}

#[test]
fn a_wrong_key_is_refused_and_changes_nothing() {
    let folder = Folder::new();
    folder.open().close().unwrap();
    let before = fs::read(folder.database()).unwrap();
    let mut wrong = folder.config();
    wrong.key = KeySource::beside(Some("another key".to_owned()), &folder.database());
    match Store::open(&wrong) {
        Err(error @ OpenError::WrongKey { .. }) => {
            let text = error.to_string();
            assert!(text.contains("table keks, row "), "{text}");
            assert!(text.contains("DB_ENCRYPTION_KEY"), "{text}");
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(fs::read(folder.database()).unwrap(), before);
    assert_eq!(folder.names(), ["secure_messaging.db"]);
}

#[test]
fn an_existing_database_without_a_key_is_refused_and_no_key_is_made() {
    let folder = Folder::new();
    folder.open().close().unwrap();
    match Store::open(&with_key_file(&folder)) {
        Err(error @ OpenError::NoKey { .. }) => {
            assert!(
                error.to_string().contains("secure_messaging.key"),
                "{error}"
            );
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(folder.names(), ["secure_messaging.db"]);
}

#[test]
fn a_lost_key_file_is_not_replaced_by_a_new_one() {
    let folder = Folder::new();
    Store::open(&with_key_file(&folder))
        .unwrap()
        .close()
        .unwrap();
    fs::remove_file(folder.database().with_extension("key")).unwrap();
    assert!(matches!(
        Store::open(&with_key_file(&folder)),
        Err(OpenError::NoKey { .. })
    ));
    assert_eq!(folder.names(), ["secure_messaging.db"]);
}

#[test]
fn an_empty_key_makes_no_database() {
    let folder = Folder::new();
    let mut config = folder.config();
    config.key = KeySource::beside(Some(String::new()), &folder.database());
    assert!(matches!(Store::open(&config), Err(OpenError::Key(_))));
    assert!(folder.names().is_empty());
}

#[test]
fn too_few_iterations_are_refused() {
    let folder = Folder::new();
    let mut config = folder.config();
    config.iterations = 99_999;
    assert!(matches!(Store::open(&config), Err(OpenError::Kdf(_))));
    folder.open().close().unwrap();
    // Also in a database where somebody lowered them.
    folder
        .tamper()
        .execute("UPDATE keks SET iterations = 1", [])
        .unwrap();
    assert!(matches!(
        Store::open(&folder.config()),
        Err(OpenError::Kdf(_))
    ));
}

#[test]
fn a_new_database_takes_the_default_iterations() {
    let folder = Folder::new();
    let key = KeySource::beside(Some("k".to_owned()), &folder.database());
    Store::open(&StoreConfig::new(folder.database(), key))
        .unwrap()
        .close()
        .unwrap();
    let stored: u32 = folder
        .tamper()
        .query_row("SELECT iterations FROM keks", [], |row| row.get(0))
        .unwrap();
    assert_eq!(stored, 600_000);
}

#[test]
fn a_newer_database_is_refused() {
    let folder = Folder::new();
    folder.open().close().unwrap();
    folder
        .tamper()
        .execute(
            "INSERT INTO refinery_schema_history (version, name, applied_on, checksum)
             VALUES (999, 'later', '2030-01-01T00:00:00Z', '1')",
            [],
        )
        .unwrap();
    match Store::open(&folder.config()) {
        Err(OpenError::Newer { found: 999, known }) => assert!(known >= 1),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_migration_history_that_was_changed_is_refused() {
    for change in [
        "UPDATE refinery_schema_history SET checksum = '12'",
        "UPDATE refinery_schema_history SET checksum = 'not a number'",
        "UPDATE refinery_schema_history SET applied_on = 'never'",
        "UPDATE refinery_schema_history SET name = 'another'",
    ] {
        let folder = Folder::new();
        folder.open().close().unwrap();
        folder.tamper().execute(change, []).unwrap();
        let opened = Store::open(&folder.config());
        assert!(
            matches!(opened, Err(OpenError::Migration(_))),
            "{change}: {opened:?}"
        );
    }
}

#[test]
fn a_history_that_was_emptied_is_refused_in_words() {
    let folder = Folder::new();
    folder.open().close().unwrap();
    let emptied = "DELETE FROM refinery_schema_history";
    folder.tamper().execute(emptied, []).unwrap();
    let refused = Store::open(&folder.config()).err().unwrap().to_string();
    assert!(refused.contains("refinery_schema_history"), "{refused}");
    assert!(!refused.contains("CREATE"), "{refused}");
    assert!(refused.len() < 250, "{refused}");
}

#[test]
fn a_migration_that_does_not_run_says_why_without_its_statements() {
    let folder = Folder::new();
    folder.open().close().unwrap();
    let later = "DELETE FROM refinery_schema_history WHERE version > 1";
    folder.tamper().execute(later, []).unwrap();
    let refused = Store::open(&folder.config()).err().unwrap().to_string();
    assert!(!refused.contains("CREATE"), "{refused}");
    assert!(refused.len() < 250, "{refused}");
}

#[test]
fn another_programs_database_is_left_alone() {
    let folder = Folder::new();
    folder
        .tamper()
        .execute_batch("CREATE TABLE notes (text TEXT)")
        .unwrap();
    let before = fs::read(folder.database()).unwrap();
    assert!(matches!(
        Store::open(&folder.config()),
        Err(OpenError::NotOurs { .. })
    ));
    assert_eq!(fs::read(folder.database()).unwrap(), before);

    fs::write(
        folder.database(),
        "this is a diary, not a database ".repeat(200),
    )
    .unwrap();
    assert!(matches!(
        Store::open(&folder.config()),
        Err(OpenError::NotOurs { .. })
    ));
    assert!(
        fs::read_to_string(folder.database())
            .unwrap()
            .starts_with("this is a diary")
    );
}

#[tokio::test]
async fn rows_without_their_key_are_damage_and_not_a_new_beginning() {
    let folder = Folder::new();
    let store = folder.open();
    sample::register(&store, 1..2, 0).await;
    store.close().unwrap();
    folder.tamper().execute("DELETE FROM keks", []).unwrap();
    match Store::open(&folder.config()) {
        Err(OpenError::Damaged(fault)) => assert!(fault.to_string().contains("keks"), "{fault}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_empty_file_is_a_database_that_was_emptied_unless_its_making_was_cut() {
    let folder = Folder::new();
    fs::write(folder.database(), "").unwrap();
    let refused = Store::open(&folder.config()).unwrap_err();
    assert!(matches!(refused, OpenError::Emptied(_)), "{refused}");
    let unfinished = folder.database().with_extension("db.unfinished");
    fs::write(&unfinished, "").unwrap();
    let store = folder.open();
    assert!(store.report().created);
    store.close().unwrap();
    assert_eq!(mode(&folder.database()), 0o600);
    assert!(!unfinished.exists());
}

#[test]
fn the_log_is_written_ahead_and_every_table_is_strict() {
    let folder = Folder::new();
    folder.open().close().unwrap();
    let database = folder.tamper();
    let mode: String = database
        .query_row("PRAGMA journal_mode", [], |row| row.get(0))
        .unwrap();
    assert_eq!(mode, "wal");
    let (strict, others): (u32, u32) = database
        .query_row(
            "SELECT sum(strict), sum(1 - strict) FROM pragma_table_list
             WHERE schema = 'main' AND name NOT LIKE 'sqlite_%'
                 AND name <> 'refinery_schema_history'",
            [],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .unwrap();
    assert_eq!((strict, others), (20, 0));
}
