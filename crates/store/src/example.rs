//! The example database at the top of the repository.

use std::path::{Path, PathBuf};

use keyring::KeySource;

use crate::config::{OpenError, StoreConfig};
use crate::store::Store;

/// The example's `DB_ENCRYPTION_KEY`. It is public: never use it for a database of your own.
pub const KEY: &str = "example-key-that-everybody-knows";

/// Makes the example: migrated, empty, opened with [`KEY`]. It replaces what is at `path`.
///
/// Ids, salt and nonces are random, so that no two examples have the same bytes; a test compares
/// the schema.
pub fn write(path: &Path) -> Result<(), OpenError> {
    let unfinished = suffixed(path, ".unfinished");
    let io = |error: std::io::Error| OpenError::Io {
        database: path.to_owned(),
        reason: error.to_string(),
    };
    match std::fs::remove_file(&unfinished) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(io(error)),
        _ => {}
    }
    let store = Store::open(&config(&unfinished))?;
    // Closing takes the log into the file and away from beside it.
    store.close().map_err(OpenError::Damaged)?;
    std::fs::rename(&unfinished, path).map_err(io)
}

/// How to open an example, or a copy of it.
pub fn config(path: &Path) -> StoreConfig {
    StoreConfig::new(path, KeySource::beside(Some(KEY.to_owned()), path))
}

fn suffixed(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
