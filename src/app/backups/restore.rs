//! Restores a backup into a new data folder.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use backup::{BackupKey, Manifest, Progress, Target};
use store::Restored;

use super::error::BackupError;
use super::files::{Lock, Temporary, partial, sync_folder};
use super::key::write;
use ambient::Ambient;

/// Result of a restore.
#[derive(Debug, Clone)]
pub struct Restoration {
    /// The restored backup.
    pub manifest: Manifest,
    /// Number of backups from which it was assembled.
    pub parts: usize,
    /// Whether the backup contained the key file of the database.
    pub key_file: bool,
}

/// Restores the newest backup of this time or earlier into a folder, ready for a server.
///
/// The database gets its name when it is complete, compared and marked. Until then it is a temporary file,
/// which the next restore removes.
pub async fn restore(
    target: &Target,
    key: &BackupKey,
    at: Option<u64>,
    folder: &Path,
    ambient: &Ambient,
    progress: &Progress,
) -> Result<Restoration, BackupError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| BackupError::File { path, source }
    };
    let database = folder.join("secure_messaging.db");
    // Also a log without its database, which SQLite would write into the new one.
    for ending in ["", "-wal", "-journal"] {
        let mut path = database.clone().into_os_string();
        path.push(ending);
        let path = std::path::PathBuf::from(path);
        if path.exists() {
            return Err(BackupError::Exists(path));
        }
    }
    let plan = backup::plan(target, key, at).await?;
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(failed(folder))?;
    let _lock = Lock::take(&database)?;
    let unfinished = Temporary::file(partial(&database));
    match std::fs::remove_file(unfinished.path()) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(failed(unfinished.path())(error));
        }
        _ => {}
    }
    backup::assemble(target, key, &plan, unfinished.path(), progress).await?;
    let manifest = plan.newest();
    let restored = Restored {
        epoch: ambient.random(),
        at: manifest.created_at,
    };
    store::mark_restored(unfinished.path(), &restored)?;
    std::fs::File::open(unfinished.path())
        .and_then(|file| file.sync_all())
        .map_err(failed(unfinished.path()))?;
    let inside = backup::key_file(target, key, &plan).await?;
    if let Some(bytes) = &inside {
        let path = database.with_extension("key");
        // A restore that was cut off may have left the very same.
        match keyring::regular_file::read(&path).map(zeroize::Zeroizing::new) {
            Ok(found) if found == *bytes => {}
            Ok(_) => return Err(BackupError::Exists(path)),
            Err(_) => write(&path, bytes)?,
        }
    }
    // Unlike a rename, a link never takes the place of something.
    std::fs::hard_link(unfinished.path(), &database).map_err(|error| {
        if error.kind() == std::io::ErrorKind::AlreadyExists {
            BackupError::Exists(database.clone())
        } else {
            failed(&database)(error)
        }
    })?;
    drop(unfinished);
    sync_folder(folder)?;
    Ok(Restoration {
        manifest: manifest.clone(),
        parts: plan.chain().len(),
        key_file: inside.is_some(),
    })
}
