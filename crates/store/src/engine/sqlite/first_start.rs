//! Distinguishes an interrupted first start from an emptied database.
//!
//! SQLite leaves an empty file until the first commit. A marker file beside the database says that its
//! creation was not finished; without the marker an empty file is damage.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// The state of a database's path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    /// Nothing, or the rest of an interrupted first start.
    Nothing,
    /// A file that is not empty.
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

/// Creates the marker. Call this before the file of the database is created.
pub(crate) fn begin(database: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false).mode(0o600);
    keyring::regular_file::open_unfollowed(&mut options, &marker(database))?;
    sync_folder(database)
}

/// Removes the marker, if there is one: the database is complete.
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
