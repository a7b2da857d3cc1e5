//! Backups, for administrators.

use serde::{Deserialize, Serialize};

/// Which backup is wanted.
#[derive(Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct BackupWanted {
    /// Every page, not only those that changed.
    pub full: bool,
}

/// A backup under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct BackupJob {
    /// `full` or `incremental`.
    pub kind: String,
    /// What is being done: `copying`, `writing`, `verifying`.
    pub phase: String,
    /// How much of it is done.
    pub done: u64,
    /// How much there is.
    pub total: u64,
    /// Unix seconds.
    pub started_at: u64,
}

/// A backup in the target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Backup {
    /// Its name.
    pub id: String,
    /// `full` or `incremental`.
    pub kind: String,
    /// Unix seconds of its state.
    pub created_at: u64,
    /// Bytes that it holds.
    pub bytes: u64,
    /// Whether the key of the database is inside.
    pub key_inside: bool,
    /// Why it cannot be used, if so.
    pub trouble: Option<String>,
}

/// Backups as administrators see them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Backups {
    /// Where they go; absent where nobody said.
    pub target: Option<String>,
    /// Which are kept.
    pub keep: String,
    /// The one under way.
    pub running: Option<BackupJob>,
    /// Unix seconds of the newest one.
    pub last_success: Option<u64>,
    /// Why the last try failed, if it did.
    pub trouble: Option<String>,
    /// Unix seconds at which the next begins by itself.
    pub next_due: Option<u64>,
    /// How many there are.
    pub count: usize,
    /// The newest ones, newest first.
    pub backups: Vec<Backup>,
}
