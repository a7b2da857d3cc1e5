//! The SQLite backend does what every backend must do.
#![allow(clippy::unwrap_used)]

use std::path::PathBuf;

use store::testing::TEST_KEY;
use store::testing::conformance::Fixture;
use store::{KeySource, Store, StoreConfig};

struct Sqlite(tempfile::TempDir);

impl Sqlite {
    fn database(&self) -> PathBuf {
        self.0.path().join("secure_messaging.db")
    }
}

impl Fixture for Sqlite {
    fn open(&self) -> Store {
        Store::open(&StoreConfig::for_tests(&self.database())).unwrap()
    }

    fn copy(&self) -> PathBuf {
        self.0.path().join("copy")
    }

    fn open_copy(&self) -> Store {
        let mut config = StoreConfig::for_tests(&self.copy());
        config.key = KeySource::beside(Some(TEST_KEY.into()), &self.database());
        Store::open(&config).unwrap()
    }
}

store::conformance_suite!(Sqlite(tempfile::tempdir().unwrap()));
