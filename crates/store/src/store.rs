//! The store that the server holds.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use crate::administration::Administration;
use crate::audit::AuditLog;
use crate::audit::proof::AuditProof;
use crate::config::{OpenError, OpenReport, StoreConfig};
use crate::fault::Fault;
use crate::invites::Invites;
use crate::keys::KeyManagement;
use crate::leases::Leases;
use crate::prekeys::Prekeys;
use crate::public_keys::PublicKeyDirectory;
use crate::repository;
use crate::safes::Safes;
use crate::service_keys::ServiceKeys;
use crate::sessions::Sessions;
use crate::settings::{ServerSecrets, Settings};
use crate::snapshot::Snapshots;
use crate::statistics::StatisticsSource;
use crate::users::Users;

/// Everything that a database must offer.
pub trait Backend:
    Users
    + Administration
    + PublicKeyDirectory
    + Safes
    + Prekeys
    + Sessions
    + AuditLog
    + AuditProof
    + Invites
    + Settings
    + ServerSecrets
    + StatisticsSource
    + Snapshots
    + KeyManagement
    + Leases
    + ServiceKeys
{
    /// Finishes what was accepted, refuses more and lets go of the files. It blocks.
    fn close(&self) -> Result<(), Fault>;
}

/// A backend, shared; clones are cheap and mean the same store.
///
/// It dereferences to [`Backend`], so that every repository method is called on it directly,
/// without importing its trait.
#[derive(Clone)]
pub struct Store {
    backend: Arc<dyn Backend>,
    report: Arc<OpenReport>,
}

impl Store {
    /// Opens a database file, or makes one, and starts its threads.
    ///
    /// It blocks for about a tenth of a second while the key is derived: call it before the
    /// runtime serves, or on a thread for blocking work.
    pub fn open(config: &StoreConfig) -> Result<Self, OpenError> {
        let (backend, report) = apart(|| repository::open(config))?;
        Ok(Self {
            backend: Arc::new(backend),
            report: Arc::new(report),
        })
    }

    /// Checks that the key opens the database that is there, and changes nothing.
    ///
    /// It blocks for about a tenth of a second while the key is derived.
    pub fn check_key(config: &StoreConfig) -> Result<(), OpenError> {
        apart(|| repository::check_key(config))
    }

    /// Lets a role of the database's server serve: it reads and writes rows, and owns nothing.
    pub fn grant(config: &StoreConfig, role: &str) -> Result<(), OpenError> {
        apart(|| repository::grant(config, role))
    }

    /// What happened when it was opened.
    pub fn report(&self) -> &OpenReport {
        &self.report
    }
}

impl Deref for Store {
    type Target = dyn Backend;

    fn deref(&self) -> &Self::Target {
        &*self.backend
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Store")
    }
}

/// Runs work that blocks on a thread that belongs to no runtime.
pub(crate) fn apart<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        let done = scope.spawn(work).join();
        done.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}
