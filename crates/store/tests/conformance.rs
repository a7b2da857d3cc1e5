//! The SQLite backend does what every backend must do.
#![allow(clippy::unwrap_used)]

use store::testing::conformance::Fixture;
use store::{Store, StoreConfig};

struct Sqlite(tempfile::TempDir);

impl Fixture for Sqlite {
    fn open(&self) -> Store {
        Store::open(&StoreConfig::for_tests(
            &self.0.path().join("secure_messaging.db"),
        ))
        .unwrap()
    }
}

store::conformance_suite!(Sqlite(tempfile::tempdir().unwrap()));
