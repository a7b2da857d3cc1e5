//! The example database at the top of the repository.

use std::path::Path;

use secure_messaging::cli::EXAMPLE_KEY;
use store::{KeySource, Store, StoreConfig};
use tempfile::TempDir;

#[test]
fn the_example_database_opens_with_its_key_and_is_up_to_date_and_empty() {
    let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("secure_messaging.db.example");
    let folder = TempDir::new().unwrap();
    let copy = folder.path().join("secure_messaging.db");
    std::fs::copy(&committed, &copy).unwrap_or_else(|error| {
        panic!("{error}: run secure-messaging migrate --example secure_messaging.db.example")
    });
    let before = std::fs::read(&copy).unwrap();
    let key = KeySource::beside(Some(EXAMPLE_KEY.to_owned()), &copy);
    let config = StoreConfig::new(&copy, key);
    let store = Store::open(&config).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let figures = runtime.block_on(store.statistics(0)).unwrap();
    assert_eq!((figures.users, figures.audit_records), (0, 0));
    store.close().unwrap();
    assert_eq!(
        std::fs::read(&copy).unwrap(),
        before,
        "a migration is missing: make it again"
    );
    let wrong = KeySource::beside(Some("another".to_owned()), &copy);
    assert!(Store::open(&StoreConfig::new(&copy, wrong)).is_err());
}
