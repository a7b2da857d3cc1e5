//! The PostgreSQL backend does what every backend must do.

use std::path::PathBuf;

use store::testing::TEST_KEY;
use store::testing::conformance::Fixture;
use store::{KeySource, Store, StoreConfig};

use super::cluster::Database;

impl Fixture for Database {
    fn open(&self) -> Store {
        Database::open(self)
    }

    fn copy(&self) -> PathBuf {
        self.folder.path().join("copy")
    }

    fn open_copy(&self) -> Store {
        let mut config = StoreConfig::for_tests(&self.copy());
        config.key = KeySource::beside(Some(TEST_KEY.into()), &self.folder.path().join("none.db"));
        Store::open(&config).unwrap()
    }
}

store::conformance_suite!(Database::new());
