//! Copies of the database for backups, and what a restore leaves behind.

use std::path::{Path, PathBuf};

use async_trait::async_trait;

use crate::audit::{AuditEvent, ChainHead};
use crate::fault::Fault;
use crate::repository;

/// A copy of the database at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// Bytes of a page.
    pub page_size: u32,
    /// Pages of the copy.
    pub pages: u64,
    /// Version of the schema.
    pub schema: u32,
    /// End of the audit chain in the copy.
    pub audit: ChainHead,
    /// Rows of each table in the copy, by name.
    pub tables: Vec<(String, u64)>,
}

/// Why there is no copy.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// The copy cannot be written.
    #[error("the copy {} cannot be written ({reason}): free some space in the data folder", path.display())]
    File {
        /// The copy.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// SQLite finds fault with the copy.
    #[error(
        "the database is damaged ({0}): stop the server, keep the file, and restore the newest \
         backup that was made before"
    )]
    Damaged(String),
    /// The database cannot be read.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// That a database came out of a backup.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Restored {
    /// Random at each restore.
    pub epoch: [u8; 16],
    /// Unix seconds of the backup: what happened later is not there.
    pub at: u64,
}

/// What a look at sealed values found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Samples {
    /// `table.column`.
    pub column: String,
    /// How many values were opened.
    pub opened: u64,
}

/// Is told how many pages were copied, of how many.
pub type OnCopied = Box<dyn FnMut(u64, u64) + Send>;

/// Copies of the database, and what a restore leaves behind.
#[async_trait]
pub trait Snapshots: Send + Sync {
    /// Writes a consistent copy into a file that does not exist yet, readable by its owner only.
    ///
    /// Nobody waits for it meanwhile. What a restore withdraws is not in the copy: sessions, public
    /// prekeys and the prekey safes; their pages are overwritten. SQLite's own check of the copy
    /// passed. After an error what there is of the file is for the caller to remove.
    async fn snapshot(&self, into: PathBuf, copied: OnCopied) -> Result<Snapshot, SnapshotError>;

    /// Rows of each table, by name.
    async fn table_counts(&self) -> Result<Vec<(String, u64)>, Fault>;

    /// Opens up to so many values of every sealed column; one that does not open is a fault.
    async fn open_samples(&self, each: u32) -> Result<Vec<Samples>, Fault>;

    /// Whether, and of when, this database was restored.
    async fn restored(&self) -> Result<Option<Restored>, Fault>;

    /// Writes the restore into the audit log, once; `true` when it was now.
    async fn note_restored(&self, audit: Vec<AuditEvent>) -> Result<bool, Fault>;
}

/// Makes a file that was put together from a backup ready to be served: sessions end, public prekeys
/// are withdrawn, and clients are told that this is the state of `restored.at`.
///
/// No key is needed for it. The file must be nobody's yet.
pub fn mark_restored(database: &Path, restored: &Restored) -> Result<(), Fault> {
    repository::mark_restored(database, restored)
}
