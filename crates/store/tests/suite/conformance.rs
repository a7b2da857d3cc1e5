//! The SQLite backend does what every backend must do.

use std::path::{Path, PathBuf};

use store::testing::TEST_KEY;
use store::testing::conformance::Fixture;
use store::{KeySource, Store, StoreConfig};

struct Sqlite {
    folder: tempfile::TempDir,
    configure: fn(StoreConfig) -> StoreConfig,
}

impl Sqlite {
    fn new(configure: fn(StoreConfig) -> StoreConfig) -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            configure,
        }
    }

    fn database(&self) -> PathBuf {
        self.folder.path().join("secure_messaging.db")
    }

    fn open_at(&self, path: &Path) -> Store {
        let mut config = (self.configure)(StoreConfig::for_tests(path));
        config.key = KeySource::beside(Some(TEST_KEY.into()), &self.database());
        Store::open(&config).unwrap()
    }
}

impl Fixture for Sqlite {
    fn open(&self) -> Store {
        self.open_at(&self.database())
    }

    fn copy(&self) -> PathBuf {
        self.folder.path().join("copy")
    }

    fn open_copy(&self) -> Store {
        self.open_at(&self.copy())
    }
}

store::conformance_suite!(Sqlite::new(|config| config));

/// The same where each write is undone and runs again: no request gives away what it needs then.
mod twice {
    use super::Sqlite;

    store::conformance_suite!(Sqlite::new(store::StoreConfig::with_every_write_twice));
}
