//! One cluster for the tests that run at the same time, and a database of its own for each.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use servers::Postgres;
use store::testing::TEST_KEY;
use store::{KeySource, PostgresConfig, Store, StoreConfig};

/// The cluster while some test uses it.
static CLUSTER: Mutex<Weak<Postgres>> = Mutex::new(Weak::new());
static NUMBER: AtomicU32 = AtomicU32::new(0);

/// A database of one test.
pub(super) struct Database {
    pub(super) cluster: Arc<Postgres>,
    pub(super) name: String,
    pub(super) address: String,
    pub(super) folder: tempfile::TempDir,
}

impl Database {
    /// An empty database; its role owns it and is no superuser.
    pub(super) fn new() -> Self {
        let cluster = {
            let mut shared = CLUSTER.lock().unwrap_or_else(PoisonError::into_inner);
            shared.upgrade().unwrap_or_else(|| {
                let cluster = Arc::new(Postgres::start());
                *shared = Arc::downgrade(&cluster);
                cluster
            })
        };
        let name = format!("test{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        let address = cluster.database(&name);
        Self {
            cluster,
            name,
            address,
            folder: tempfile::tempdir().unwrap(),
        }
    }

    /// How every instance of it is configured.
    pub(super) fn config(&self) -> StoreConfig {
        let mut server = PostgresConfig::new(self.address.clone());
        server.readers = 4;
        let key = KeySource::beside(Some(TEST_KEY.into()), &self.folder.path().join("none.db"));
        let mut config = StoreConfig::server(server, key);
        config.iterations = store::testing::ITERATIONS;
        config
    }

    /// An instance.
    pub(super) fn open(&self) -> Store {
        Store::open(&self.config()).unwrap()
    }

    /// Runs statements as the superuser.
    pub(super) fn psql(&self, statements: &str) -> Result<String, String> {
        self.cluster.psql(&self.name, statements)
    }
}
