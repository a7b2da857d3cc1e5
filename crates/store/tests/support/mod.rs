//! A database in a folder of its own.

#[allow(dead_code, reason = "each test binary uses its part")]
pub mod everything;
#[allow(dead_code, reason = "each test binary uses its part")]
pub mod filled;
#[allow(dead_code, reason = "each test binary uses its part")]
pub mod other_key;
#[allow(dead_code, reason = "each test binary uses its part")]
pub mod power;

use std::path::PathBuf;

use rusqlite::Connection;
use store::{KeySource, Store, StoreConfig};

pub struct Folder(pub tempfile::TempDir);

#[allow(dead_code, reason = "each test binary uses its part")]
impl Folder {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub fn database(&self) -> PathBuf {
        self.0.path().join("secure_messaging.db")
    }

    pub fn config(&self) -> StoreConfig {
        StoreConfig::for_tests(&self.database())
    }

    pub fn open(&self) -> Store {
        Store::open(&self.config()).unwrap()
    }

    /// The configuration of somebody who opens the database with this key.
    pub fn with_key(&self, key: &str) -> StoreConfig {
        let mut config = self.config();
        config.key = KeySource::beside(Some(key.to_owned()), &self.database());
        config
    }

    /// A connection of somebody who holds the file.
    pub fn tamper(&self) -> Connection {
        Connection::open(self.database()).unwrap()
    }

    /// Names in the folder, sorted.
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(self.0.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}
