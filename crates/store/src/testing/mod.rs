//! Help for tests: samples, a disk that loses what was not synced, the conformance suite.

pub mod conformance;
pub mod sample;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

pub use crate::engine::testing::{Disk, Loss};

pub use crate::config::Synchronous;

use crate::config::StoreConfig;
use crate::engine::log::{Chain, ChainHead, Events, LinkedEvent};
use keyring::KeySource;

/// The key of every test database.
pub const TEST_KEY: &str = "a key for tests only";
/// The least key derivation.
pub const ITERATIONS: u32 = keyring::MINIMUM_ITERATIONS;

/// Puts a database back to what it was before rows had tags; their columns stay.
pub fn untag(config: &StoreConfig) {
    let undone = crate::sealing::untag(config);
    assert!(undone.is_ok(), "{undone:?}");
}

/// Puts a database back to the schema in which the wraps of an account were one value.
pub fn join_wraps(config: &StoreConfig) {
    let undone = crate::repository::join(config);
    assert!(undone.is_ok(), "{undone:?}");
}

/// A chain that panics once when it is told to.
struct Panicking {
    chain: Arc<dyn Chain>,
    armed: Arc<AtomicBool>,
}

impl Chain for Panicking {
    fn link(&self, tip: &mut ChainHead, events: Events) -> Vec<LinkedEvent> {
        if self.armed.swap(false, Ordering::SeqCst) {
            // No hook hears of it: other tests count the panics of their process.
            std::panic::resume_unwind(Box::new("a panic of the tests in the writer"));
        }
        self.chain.link(tip, events)
    }
}

/// The chain, which panics when `armed` is set.
pub(crate) fn panicking(chain: Arc<dyn Chain>, armed: Option<&Arc<AtomicBool>>) -> Arc<dyn Chain> {
    match armed {
        Some(armed) => Arc::new(Panicking {
            chain,
            armed: Arc::clone(armed),
        }),
        None => chain,
    }
}

impl StoreConfig {
    /// Makes the writer panic, once, where it appends to the audit log while this is set.
    #[must_use]
    pub fn with_panics(mut self, armed: &Arc<AtomicBool>) -> Self {
        self.panics = Some(Arc::clone(armed));
        self
    }

    /// A configuration for tests: the least key derivation, a given key, two readers.
    pub fn for_tests(database: &Path) -> Self {
        let mut config = Self::new(database, KeySource::beside(Some(TEST_KEY.into()), database));
        config.iterations = ITERATIONS;
        config.readers = 2;
        config
    }

    /// Puts the database on a modelled disk; `name` must be unique in the process.
    pub fn on_disk(mut self, name: &str, disk: &Arc<Disk>) -> Result<Self, String> {
        crate::engine::testing::register(name, Arc::clone(disk))?;
        self.vfs = Some(name.to_owned());
        Ok(self)
    }

    /// Weakens what makes commits durable: the control of every durability test.
    #[must_use]
    pub fn with_synchronous(mut self, synchronous: Synchronous) -> Self {
        self.synchronous = synchronous;
        self
    }

    /// Runs each write, undoes it and runs it again: as engines without savepoints do it.
    #[must_use]
    pub fn with_every_write_twice(mut self) -> Self {
        self.twice = true;
        self
    }

    /// Copies the log into the database after this many KiB instead of 16 MiB.
    #[must_use]
    pub fn with_checkpoints_every(mut self, kib: usize) -> Self {
        self.checkpoint_kib = kib;
        self
    }
}
