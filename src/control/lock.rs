//! Who has the database: one server, or one key job without a server.

use std::fs::{File, OpenOptions, Permissions, TryLockError};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// A file that one process at a time has; the system lets go of it when the process ends.
#[derive(Debug)]
pub(crate) struct LockFile {
    _file: File,
}

impl LockFile {
    /// Takes it, making the file where there is none.
    pub(crate) fn take(path: &Path) -> Result<Self, TryLockError> {
        loop {
            let file = OpenOptions::new()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .mode(0o600)
                .open(path)
                .map_err(TryLockError::Error)?;
            file.try_lock()?;
            close_to_others(&file).map_err(TryLockError::Error)?;
            // Whoever had it may have removed it in between: then this file is nobody's any more.
            let own = file.metadata().map_err(TryLockError::Error)?.ino();
            if std::fs::metadata(path).is_ok_and(|found| found.ino() == own) {
                return Ok(Self { _file: file });
            }
        }
    }
}

/// Whoever may open the file could keep it from its server.
fn close_to_others(file: &File) -> io::Result<()> {
    let mode = file.metadata()?.mode() & 0o7777;
    if mode & 0o077 == 0 {
        return Ok(());
    }
    tracing::warn!("others could open a lock file; its mode is set to 0600");
    file.set_permissions(Permissions::from_mode(0o600))
}

/// Held as long as the database is in use; without a database, nothing of it is left behind.
#[derive(Debug)]
pub struct DatabaseLock {
    database: PathBuf,
    path: PathBuf,
    _file: LockFile,
}

impl Drop for DatabaseLock {
    fn drop(&mut self) {
        if !self.database.exists() {
            // While it is held: whoever waits for it looks whether it is still there.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// Why a database cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process has it.
    #[error(
        "{} is held by another process: a server, or a key job, uses this database; stop it, or \
         wait until it is done", .0.display()
    )]
    Held(PathBuf),
    /// The database has a second name, under which another process could have it.
    #[error(
        "{} has a second name in the file system (a hard link): two servers could write to it at once; \
         remove the other name, and use `secure-messaging backup` for copies", .0.display()
    )]
    Linked(PathBuf),
    /// The lock file cannot be made.
    #[error("{} cannot be used: {source}; {}", path.display(), advice(source))]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// What to do about a file that cannot be made.
fn advice(error: &io::Error) -> &'static str {
    use io::ErrorKind as K;
    match error.kind() {
        K::StorageFull | K::QuotaExceeded | K::FileTooLarge => {
            "no space is left there: free some, or raise the quota"
        }
        K::NotADirectory | K::AlreadyExists => {
            "something else stands where a folder is needed: correct data_dir or DATABASE_URL"
        }
        K::ReadOnlyFilesystem => "mount it so that it can be written to, or choose another folder",
        _ => "correct the folder's permissions",
    }
}

impl DatabaseLock {
    /// Takes the lock beside a database, making its folder where needed.
    pub fn take(database: &Path) -> Result<Self, LockError> {
        let mut path = database.to_owned().into_os_string();
        path.push(".lock");
        let path = PathBuf::from(path);
        let failed = |source| LockError::Io {
            path: path.clone(),
            source,
        };
        if let Some(folder) = path.parent().filter(|it| !it.as_os_str().is_empty()) {
            use std::os::unix::fs::DirBuilderExt;
            std::fs::DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(folder)
                .map_err(failed)?;
        }
        if std::fs::metadata(database).is_ok_and(|found| found.nlink() > 1) {
            return Err(LockError::Linked(database.to_owned()));
        }
        match LockFile::take(&path) {
            Ok(file) => Ok(Self {
                database: database.to_owned(),
                path,
                _file: file,
            }),
            Err(TryLockError::WouldBlock) => Err(LockError::Held(path)),
            Err(TryLockError::Error(source)) => Err(failed(source)),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn one_at_a_time_has_a_database() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("new/secure_messaging.db");
        let first = DatabaseLock::take(&database).unwrap();
        assert!(matches!(
            DatabaseLock::take(&database),
            Err(LockError::Held(_))
        ));
        drop(first);
        let lock = database.with_extension("db.lock");
        assert!(!lock.exists(), "nothing is left where no database was made");
        let second = DatabaseLock::take(&database).unwrap();
        std::fs::write(&database, b"made meanwhile").unwrap();
        drop(second);
        assert!(lock.exists());
    }

    #[test]
    fn a_lock_that_others_could_open_is_closed_to_them() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("secure_messaging.db");
        std::fs::write(&database, b"a database").unwrap();
        let lock = database.with_extension("db.lock");
        std::fs::write(&lock, b"").unwrap();
        std::fs::set_permissions(&lock, Permissions::from_mode(0o666)).unwrap();
        let _held = DatabaseLock::take(&database).unwrap();
        let mode = std::fs::metadata(&lock).unwrap().mode() & 0o7777;
        assert_eq!(mode, 0o600);
    }

    #[test]
    fn a_lock_that_cannot_be_made_says_what_to_do_about_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, b"").unwrap();
        let refused = DatabaseLock::take(&file.join("secure_messaging.db")).unwrap_err();
        assert!(
            refused.to_string().contains("correct data_dir"),
            "{refused}"
        );
        let full = LockError::Io {
            path: file,
            source: io::ErrorKind::StorageFull.into(),
        };
        assert!(full.to_string().contains("free some"), "{full}");
    }

    #[test]
    fn a_database_of_two_names_is_refused_under_both() {
        let folder = tempfile::tempdir().unwrap();
        let names = ["a.db", "b.db"].map(|name| folder.path().join(name));
        std::fs::write(&names[0], b"a database").unwrap();
        std::fs::hard_link(&names[0], &names[1]).unwrap();
        for name in &names {
            let refused = DatabaseLock::take(name);
            assert!(matches!(refused, Err(LockError::Linked(_))));
        }
        std::fs::remove_file(&names[1]).unwrap();
        DatabaseLock::take(&names[0]).unwrap();
    }
}
