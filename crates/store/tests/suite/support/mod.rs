//! A database in a folder of its own.

pub(crate) mod everything;
pub(crate) mod filled;
pub(crate) mod other_key;
pub(crate) mod power;

use std::path::PathBuf;

use rusqlite::Connection;
use store::{KeySource, Store, StoreConfig};

pub(crate) struct Folder(pub tempfile::TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.0.path().join("secure_messaging.db")
    }

    pub(crate) fn config(&self) -> StoreConfig {
        StoreConfig::for_tests(&self.database())
    }

    pub(crate) fn open(&self) -> Store {
        Store::open(&self.config()).unwrap()
    }

    /// The configuration of somebody who opens the database with this key.
    pub(crate) fn with_key(&self, key: &str) -> StoreConfig {
        let mut config = self.config();
        config.key = KeySource::beside(Some(key.to_owned()), &self.database());
        config
    }

    /// A connection of somebody who holds the file.
    pub(crate) fn tamper(&self) -> Connection {
        Connection::open(self.database()).unwrap()
    }

    /// Names in the folder, sorted.
    pub(crate) fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(self.0.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}
