//! The example in the repository keeps step with the migrations.

use std::path::{Path, PathBuf};

use store::{Statistics, Store, StoreConfig, example};

fn committed() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../secure_messaging.db.example")
}

fn schema(path: &Path) -> Vec<(String, String, Option<String>)> {
    let connection = rusqlite::Connection::open(path).unwrap();
    let mut statement = connection
        .prepare("SELECT type, name, sql FROM sqlite_schema ORDER BY type, name")
        .unwrap();
    let row = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
    statement
        .query_map([], row)
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap()
}

#[tokio::test]
async fn the_example_opens_with_the_documented_key_and_is_empty() {
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("copy.db");
    std::fs::copy(committed(), &copy).unwrap();
    let store = Store::open(&example::config(&copy)).unwrap();
    assert_eq!(
        (store.report().created, store.report().migrated),
        (false, 0)
    );
    let figures = store.statistics(0).await.unwrap();
    let database_bytes = figures.database_bytes;
    assert_eq!(
        figures,
        Statistics {
            database_bytes,
            ..Statistics::default()
        }
    );
    store.close().unwrap();

    let mut wrong = StoreConfig::for_tests(&copy);
    wrong.readers = 1;
    assert!(
        Store::open(&wrong).is_err(),
        "the control: another key does not open it"
    );
}

#[test]
fn the_example_has_the_schema_of_a_new_database() {
    let folder = tempfile::tempdir().unwrap();
    let fresh = folder.path().join("fresh.example");
    example::write(&fresh).unwrap();
    let copy = folder.path().join("copy.db");
    std::fs::copy(committed(), &copy).unwrap();
    assert_eq!(
        schema(&copy),
        schema(&fresh),
        "run: cargo run -p store --example write_example"
    );
    assert!(
        schema(&fresh)
            .iter()
            .any(|(_, name, _)| name == "audit_log")
    );
}

#[test]
fn writing_an_example_leaves_one_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("example");
    example::write(&path).unwrap();
    example::write(&path).unwrap();
    let names: Vec<_> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(names, ["example"]);
}
