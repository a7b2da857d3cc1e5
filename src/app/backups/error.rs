//! Errors of backups, drills and restores.

use std::io;
use std::path::PathBuf;

use crate::config::SecretError;
use crate::startup::StartError;

/// Why a backup or a restore failed; it changed nothing that existed before.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// No backup target is configured.
    #[error(
        "backup_target is not set: write file:/path or s3://bucket/prefix into \
         secure-messaging.toml, or SECURE_MESSAGING_BACKUP_TARGET"
    )]
    NoTarget,
    /// There is no key.
    #[error(
        "there is no backup key: set BACKUP_KEY, or BACKUP_KEY_FILE to the backup.key that stood in \
         the data folder of the server whose backups these are"
    )]
    NoKey,
    /// The key is malformed.
    #[error("the backup key in {place} cannot be used: {error}")]
    Key {
        /// Where it is.
        place: String,
        /// Why.
        error: backup::KeyError,
    },
    /// A secret was refused.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// The policy cannot be read.
    #[error(transparent)]
    Policy(#[from] backup::PolicyError),
    /// The target was refused.
    #[error(transparent)]
    Target(#[from] backup::TargetError),
    /// Another process makes a backup or a restore.
    #[error("another backup is under way here ({} is held): wait until it is done", .0.display())]
    Busy(PathBuf),
    /// A file of the data folder failed.
    #[error("{} cannot be used ({source}): check space and rights of the folder", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The copy failed.
    #[error(transparent)]
    Snapshot(#[from] store::SnapshotError),
    /// Writing the backup failed.
    #[error(transparent)]
    Create(#[from] backup::CreateError),
    /// The target could not be read.
    #[error(transparent)]
    Catalogue(#[from] backup::CatalogueError),
    /// The backups could not be assembled.
    #[error(transparent)]
    Restore(#[from] backup::RestoreError),
    /// The database's place is taken.
    #[error("{} is there already, and a restore never overwrites: choose another --data-dir", .0.display())]
    Exists(PathBuf),
    /// The key of the database is not a file, so the backup cannot include it.
    #[error(
        "{} does not exist, so there is no key file to take along: DB_ENCRYPTION_KEY is yours to \
         keep; leave --with-key out", .0.display()
    )]
    NoKeyFile(PathBuf),
    /// The restored database differs from the original.
    #[error(
        "the trial restore differs: {0}; keep the backups, and find out why before you need them"
    )]
    Differs(String),
    /// The restored database does not open.
    #[error("what was put together does not open: {0}")]
    Open(Box<StartError>),
    /// The store failed.
    #[error(transparent)]
    Fault(#[from] store::Fault),
    /// The thread could not be started.
    #[error("the work could not be started ({0}); allow more threads")]
    Thread(io::Error),
}
