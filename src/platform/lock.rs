//! The lock of the database: one server, or one key job without a server, holds it.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use keyring::{private_file, regular_file};

/// A file that one process at a time has locked; the system releases it when the process ends.
#[derive(Debug)]
pub(crate) struct LockFile {
    _file: File,
}

impl LockFile {
    /// Locks the file; creates it if there is none.
    pub(crate) fn take(path: &Path) -> Result<Self, TryLockError> {
        loop {
            let mut options = OpenOptions::new();
            options.read(true).write(true).create(true).truncate(false);
            let file = regular_file::open_unfollowed(options.mode(0o600), path)
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
    if private_file::close_opened(file)? {
        tracing::warn!("others could open a lock file; its mode is set to 0600");
    }
    Ok(())
}

/// Held as long as the database is in use; without a database, nothing of it is left behind.
#[derive(Debug)]
pub struct DatabaseLock {
    database: PathBuf,
    path: PathBuf,
    _file: LockFile,
    /// The database itself, locked as well: a lock file may be removed while it is held.
    itself: Option<File>,
}

impl Drop for DatabaseLock {
    fn drop(&mut self) {
        if !self.database.exists() {
            // While it is held: whoever waits for it looks whether it is still there.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// Why a database cannot be locked.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process holds it.
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
    /// The database's name leads to another file.
    #[error(
        "{} is a symbolic link: under its name and that of its file two servers could write to one \
         database; set DATABASE_URL to sqlite:{}, and put the key file, if there is one, beside it",
        path.display(), target.display()
    )]
    Symlink {
        /// The link.
        path: PathBuf,
        /// Where it leads.
        target: PathBuf,
    },
    /// Something else is in the place of the database.
    #[error(
        "{} is {what}, and the database is a regular file: correct data_dir or DATABASE_URL",
        path.display()
    )]
    NoFile {
        /// What is there.
        path: PathBuf,
        /// What kind of thing it is.
        what: &'static str,
    },
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
        K::InvalidInput => "nothing but this file may have its name there: move it away",
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
        Self::check(database)?;
        let file = match LockFile::take(&path) {
            Ok(file) => file,
            Err(TryLockError::WouldBlock) => return Err(LockError::Held(path)),
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        };
        let mut this = Self {
            database: database.to_owned(),
            path,
            _file: file,
            itself: None,
        };
        this.cover()?;
        Ok(this)
    }

    /// Refuses a database that has other names or is not a file; changes nothing.
    pub(crate) fn check(database: &Path) -> Result<(), LockError> {
        let Ok(found) = std::fs::symlink_metadata(database) else {
            return Ok(());
        };
        let path = database.to_owned();
        let kind = found.file_type();
        if kind.is_symlink() {
            let target = std::fs::canonicalize(database).or_else(|_| std::fs::read_link(database));
            let target = target.unwrap_or_default();
            Err(LockError::Symlink { path, target })
        } else if !kind.is_file() {
            let what = if kind.is_dir() {
                "a folder"
            } else if kind.is_fifo() {
                "a named pipe"
            } else if kind.is_socket() {
                "a socket"
            } else {
                "a device"
            };
            Err(LockError::NoFile { path, what })
        } else if found.nlink() > 1 {
            Err(LockError::Linked(path))
        } else {
            Ok(())
        }
    }

    /// Locks the database itself, where it is there: call it again when it was made.
    ///
    /// The file stays open until the lock goes, after SQLite has closed it: whoever closes a file gives
    /// up SQLite's locks on it.
    pub fn cover(&mut self) -> Result<(), LockError> {
        if self.itself.is_some() {
            return Ok(());
        }
        let failed = |source| LockError::Io {
            path: self.database.clone(),
            source,
        };
        let mut options = OpenOptions::new();
        let file = match regular_file::open_unfollowed(options.read(true), &self.database) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(source) => return Err(failed(source)),
        };
        // Some file systems take this lock for one of SQLite's, which would shut it out.
        if !apart_from_sqlite(&file) {
            return Ok(());
        }
        match file.try_lock() {
            Ok(()) => self.itself = Some(file),
            Err(TryLockError::WouldBlock) => return Err(LockError::Held(self.database.clone())),
            Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {}
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        Ok(())
    }
}

/// Whether a lock on a whole file and locks on its bytes are two things here: over a network they are
/// one.
fn apart_from_sqlite(file: &File) -> bool {
    /// NFS, 9P, SMB, SMB 2, CIFS.
    const ONE: [u32; 5] = [0x6969, 0x0102_1997, 0x517b, 0xfe53_4d42, 0xff53_4d42];
    rustix::fs::fstatfs(file).is_ok_and(|found| !ONE.contains(&(found.f_type as u32)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt;

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
    fn a_lock_file_that_leads_elsewhere_is_refused_and_changes_nothing_there() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("secure_messaging.db");
        let notes = folder.path().join("notes");
        std::fs::write(&notes, b"somebody's notes").unwrap();
        std::fs::set_permissions(&notes, Permissions::from_mode(0o644)).unwrap();
        let lock = database.with_extension("db.lock");
        std::os::unix::fs::symlink(&notes, &lock).unwrap();
        let refused = DatabaseLock::take(&database).unwrap_err();
        assert!(refused.to_string().contains("symbolic link"), "{refused}");
        assert!(refused.to_string().contains("move it away"), "{refused}");
        let mode = std::fs::metadata(&notes).unwrap().mode() & 0o7777;
        assert_eq!(mode, 0o644);
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
    fn a_lock_file_that_was_removed_lets_nobody_else_in() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("secure_messaging.db");
        let lock = database.with_extension("db.lock");
        for made_meanwhile in [true, false] {
            let mut first = DatabaseLock::take(&database).unwrap();
            if made_meanwhile {
                std::fs::write(&database, b"a database").unwrap();
                first.cover().unwrap();
            }
            std::fs::remove_file(&lock).unwrap();
            let refused = DatabaseLock::take(&database).unwrap_err();
            assert!(matches!(&refused, LockError::Held(path) if *path == database));
            assert!(refused.to_string().contains("stop it"), "{refused}");
        }
        DatabaseLock::take(&database).unwrap();
    }

    #[test]
    fn a_database_that_is_a_link_or_no_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let [link, file] = ["link.db", "file.db"].map(|name| folder.path().join(name));
        std::os::unix::fs::symlink(&file, &link).unwrap();
        for _ in 0..2 {
            let refused = DatabaseLock::take(&link).unwrap_err().to_string();
            let advice = format!("set DATABASE_URL to sqlite:{}", file.display());
            assert!(refused.contains(&advice), "{refused}");
            assert!(!link.with_extension("db.lock").exists());
            std::fs::write(&file, b"a database").unwrap();
        }
        let refused = DatabaseLock::take(Path::new("/dev/null")).unwrap_err();
        assert!(refused.to_string().contains("is a device"), "{refused}");
        let refused = DatabaseLock::check(folder.path()).unwrap_err();
        assert!(refused.to_string().contains("is a folder"), "{refused}");
        // A link on the way to its folder changes no name in it.
        let way = folder.path().join("way");
        std::os::unix::fs::symlink(folder.path(), &way).unwrap();
        let held = DatabaseLock::take(&way.join("file.db")).unwrap();
        assert!(matches!(DatabaseLock::take(&file), Err(LockError::Held(_))));
        drop(held);
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
