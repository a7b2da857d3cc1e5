//! Temporary files of backups and restores: one process at a time makes them, and the next run removes those
//! of an interrupted one.

use std::ffi::OsString;
use std::fs::{File, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::error::BackupError;
use crate::platform::lock::LockFile;

/// Suffix of a copy's name, after the database's name.
const SNAPSHOT: &str = ".snapshot-";
/// Name of the folder of a drill.
const DRILL: &str = ".backup-drill-";
/// Suffix of an unfinished restore's name, after the database's name.
const PARTIAL: &str = ".partial";
const LOCK: &str = ".backup-lock";

fn beside(database: &Path, ending: &str) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

/// Returns the path at which a restore assembles a database.
pub(super) fn partial(database: &Path) -> PathBuf {
    beside(database, PARTIAL)
}

/// Returns whether a restore was interrupted here and there is no database yet.
pub fn half_restored(database: &Path) -> Option<PathBuf> {
    let partial = partial(database);
    (partial.exists() && !database.exists()).then_some(partial)
}

/// Lock that is held while temporary files exist beside a database.
pub(super) struct Lock {
    _file: LockFile,
}

impl Lock {
    /// Takes the lock and removes the files of an interrupted run.
    pub(super) fn take(database: &Path) -> Result<Self, BackupError> {
        let path = beside(database, LOCK);
        let failed = |source| BackupError::File {
            path: path.clone(),
            source,
        };
        let file = match LockFile::take(&path) {
            Ok(file) => file,
            Err(TryLockError::WouldBlock) => return Err(BackupError::Busy(path)),
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        };
        remove_leftovers(database).map_err(failed)?;
        Ok(Self { _file: file })
    }
}

/// Removes the files of an interrupted backup or drill, unless one is in progress.
pub fn clear_leftovers(database: &Path) {
    if !beside(database, LOCK).exists() {
        return;
    }
    match Lock::take(database) {
        Ok(_) | Err(BackupError::Busy(_)) => {}
        Err(cause) => tracing::warn!(%cause, "what a backup left behind could not be removed"),
    }
}

fn remove_leftovers(database: &Path) -> std::io::Result<()> {
    let (Some(folder), Some(name)) = (database.parent(), database.file_name()) else {
        return Ok(());
    };
    let mut snapshot = OsString::from(name);
    snapshot.push(SNAPSHOT);
    let snapshot = snapshot.into_encoded_bytes();
    if database.exists() {
        // A restore that was cut off after its end.
        match std::fs::remove_file(partial(database)) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let found = entry.file_name().into_encoded_bytes();
        let gone = if found.starts_with(&snapshot) {
            std::fs::remove_file(entry.path())
        } else if found.starts_with(DRILL.as_bytes()) && entry.file_type()?.is_dir() {
            std::fs::remove_dir_all(entry.path())
        } else {
            continue;
        };
        match gone {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => tracing::info!(file = %entry.path().display(), "a leftover was removed"),
        }
    }
    Ok(())
}

/// A temporary file or folder, removed when dropped.
pub(super) struct Temporary(PathBuf);

impl Temporary {
    /// Names a copy beside the database; nothing is made yet.
    pub(super) fn snapshot(database: &Path, random: [u8; 8]) -> Self {
        Self(beside(
            database,
            &format!("{SNAPSHOT}{}", hex::encode(random)),
        ))
    }

    /// Names a folder for a drill beside the database; nothing is made yet.
    pub(super) fn drill(database: &Path, random: [u8; 8]) -> Self {
        let folder = database.parent().unwrap_or(Path::new("."));
        Self(folder.join(format!("{DRILL}{}", hex::encode(random))))
    }

    /// Takes over a file that is to be removed unless it is renamed.
    pub(super) fn file(path: PathBuf) -> Self {
        Self(path)
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let removed = match std::fs::symlink_metadata(&self.0) {
            Ok(found) if found.is_dir() => std::fs::remove_dir_all(&self.0),
            Ok(_) => std::fs::remove_file(&self.0),
            Err(_) => return,
        };
        if let Err(cause) = removed {
            tracing::warn!(%cause, file = %self.0.display(), "a temporary file could not be removed");
        }
    }
}

/// Syncs a folder, so that names in it survive a power failure.
pub(super) fn sync_folder(folder: &Path) -> Result<(), BackupError> {
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(|source| BackupError::File {
            path: folder.to_owned(),
            source,
        })
}
