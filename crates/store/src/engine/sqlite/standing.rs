//! Whether the files of an open database still stand where they were opened.
//!
//! A file that was removed can still be written to by whoever has it open, and is gone with the process:
//! what is acknowledged then is lost.

use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::fault::Fault;

/// Device and number of a file.
type Identity = (u64, u64);

/// The files of an open database as they stood when it was opened; none if it is in memory.
#[derive(Default)]
pub(crate) struct Standing(Vec<(PathBuf, Identity)>);

impl Standing {
    /// Looks at the database and its log, where there is one; call it when SQLite has opened both.
    pub(crate) fn of(database: &Path) -> Self {
        let files = ["", "-wal"].map(|ending| {
            let mut path = database.as_os_str().to_owned();
            path.push(ending);
            PathBuf::from(path)
        });
        let found = |path: PathBuf| Some((identity(&path).ok()?, path));
        let found = files.into_iter().filter_map(found);
        Self(found.map(|(identity, path)| (path, identity)).collect())
    }

    /// Refuses where one of them was removed, moved away or replaced.
    pub(crate) fn check(&self) -> Result<(), Fault> {
        self.0.iter().try_for_each(|(path, opened)| {
            let what = match identity(path) {
                Ok(found) if found == *opened => return Ok(()),
                Ok(_) => "replaced",
                Err(error) if error.kind() == ErrorKind::NotFound => "removed or moved away",
                // A look that fails says nothing about the file.
                Err(_) => return Ok(()),
            };
            Err(Fault::Unavailable(format!(
                "{} was {what} while it was open, and what is written now would be lost with the \
                 process: move the very file back, or stop the server, put a backup in its place with \
                 `restore`, and start again",
                path.display()
            )))
        })
    }
}

fn identity(path: &Path) -> std::io::Result<Identity> {
    std::fs::metadata(path).map(|found| (found.dev(), found.ino()))
}
