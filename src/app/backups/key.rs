//! The backup key: `BACKUP_KEY`, or a file in the data folder that is made at the first use.

use std::fs::{DirBuilder, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use backup::BackupKey;
use zeroize::Zeroizing;

use super::error::BackupError;
use crate::config::{find_secret, secret_from_environment};
use ambient::Ambient;

/// Name of the file in the data folder.
const FILE: &str = "backup.key";

fn parse(text: &str, place: String) -> Result<BackupKey, BackupError> {
    BackupKey::parse(text).map_err(|error| BackupError::Key { place, error })
}

/// Checks the key in the environment or in this folder, if there is one; changes nothing.
pub fn check_key(folder: &Path) -> Result<(), BackupError> {
    if let Some(found) = find_secret("BACKUP_KEY")? {
        return parse(&found.value, "BACKUP_KEY".to_owned()).map(drop);
    }
    read(&folder.join(FILE)).map(drop)
}

fn read(path: &Path) -> Result<Option<BackupKey>, BackupError> {
    match keyring::regular_file::read(path).map(Zeroizing::new) {
        Ok(bytes) => {
            let text = std::str::from_utf8(&bytes).unwrap_or_default();
            parse(text, path.display().to_string()).map(Some)
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(source) => Err(BackupError::File {
            path: path.to_owned(),
            source,
        }),
    }
}

/// Finds the key in the environment or in this folder.
pub fn find_key(folder: &Path) -> Result<Option<BackupKey>, BackupError> {
    if let Some(text) = secret_from_environment("BACKUP_KEY")? {
        return parse(&text, "BACKUP_KEY".to_owned()).map(Some);
    }
    let path = folder.join(FILE);
    if let Ok(true) = keyring::private_file::close_to_others(&path) {
        tracing::warn!("others could read the backup key's file; its mode is set to 0600");
    }
    read(&path)
}

/// Finds the key, or makes one and stores it in this folder.
pub fn find_or_make_key(folder: &Path, ambient: &Ambient) -> Result<BackupKey, BackupError> {
    if let Some(key) = find_key(folder)? {
        return Ok(key);
    }
    let key = BackupKey::generate(&mut ambient.rng());
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(|source| BackupError::File {
            path: folder.to_owned(),
            source,
        })?;
    let path = folder.join(FILE);
    let unfinished = folder.join(format!("{FILE}.{}", hex::encode(ambient.random::<4>())));
    write(&unfinished, key.to_text().as_bytes())?;
    // Linked, not renamed: whoever was first keeps theirs.
    let linked = std::fs::hard_link(&unfinished, &path);
    let _ = std::fs::remove_file(&unfinished);
    match linked {
        Ok(()) => {
            tracing::warn!(
                key_file = %path.display(),
                "no BACKUP_KEY is set, so a key file was made: keep a copy of it somewhere else, \
                 without it no backup can be opened"
            );
            Ok(key)
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            find_key(folder)?.ok_or(BackupError::NoKey)
        }
        Err(source) => Err(BackupError::File { path, source }),
    }
}

/// Writes a secret file that only its owner may read, and syncs it.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<(), BackupError> {
    let failed = |source| BackupError::File {
        path: PathBuf::from(path),
        source,
    };
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .map_err(failed)?;
    file.write_all(bytes)
        .and_then(|()| file.sync_all())
        .map_err(failed)
}
