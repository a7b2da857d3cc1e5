//! Tells a first start that was cut short from a database that was emptied.
//!
//! SQLite leaves an empty file until the first commit. A file beside the database says that this
//! is so because its making was not finished; without it, an empty file is damage.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// What a path holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    /// Nothing, or what a cut first start left.
    Nothing,
    /// A file with something in it.
    Something,
    /// A file that was emptied.
    Emptied,
}

/// Looks at a database's path.
pub(crate) fn look(database: &Path) -> io::Result<Found> {
    match std::fs::metadata(database) {
        Ok(metadata) if metadata.len() > 0 => Ok(Found::Something),
        Ok(_) if marker(database).exists() => Ok(Found::Nothing),
        Ok(_) => Ok(Found::Emptied),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Found::Nothing),
        Err(error) => Err(error),
    }
}

/// Says that a database is being made here; call it before its file is.
pub(crate) fn begin(database: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false).mode(0o600);
    keyring::regular_file::open_unfollowed(&mut options, &marker(database))?;
    sync_folder(database)
}

/// Says that the database is made; does nothing where nobody said that it was being made.
pub(crate) fn finish(database: &Path) -> io::Result<()> {
    match std::fs::remove_file(marker(database)) {
        Ok(()) => sync_folder(database),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

fn marker(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(".unfinished");
    name.into()
}

fn sync_folder(database: &Path) -> io::Result<()> {
    let folder = database
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}
