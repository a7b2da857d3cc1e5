//! The files and folders of a configuration: their permissions, and that no two of them are the same.

use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};

use super::target_folder;
use crate::app::audit::{WitnessFileError, check_witness_file};
use crate::config::{Config, WitnessAddress};
use crate::faces::control::socket_path;
use crate::platform::lock::{DatabaseLock, LockError};

/// Why a file or a folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The data folder is no folder.
    #[error("{} is a file, and a folder is needed there; correct data_dir or DATABASE_URL", .0.display())]
    NoFolder(PathBuf),
    /// The server's user may not write there.
    #[error(
        "{} cannot be written to ({reason}); give it to the server's user, or correct data_dir",
        path.display()
    )]
    Unwritable {
        /// The folder or the file.
        path: PathBuf,
        /// Why.
        reason: std::io::Error,
    },
    /// A setting names a file that the server keeps for something else.
    #[error(
        "{setting} names {}, which is {what} of this server; name another file",
        path.display()
    )]
    Own {
        /// The setting.
        setting: &'static str,
        /// The file.
        path: PathBuf,
        /// What it is.
        what: &'static str,
    },
    /// The database's file has a second name, or is no file.
    #[error(transparent)]
    Database(#[from] LockError),
    /// The database has the name of the backups, so that their keys would be one file.
    #[error(
        "the database's key and the backups' key would both be {}; give the database another name in \
         DATABASE_URL", .0.display()
    )]
    OneKey(PathBuf),
    /// Backups have no folder.
    #[error("{} is a file, and backups go into a folder; correct backup_target", .0.display())]
    NoTarget(PathBuf),
    /// A witness's file contains other data.
    #[error(transparent)]
    Witness(#[from] WitnessFileError),
    /// The path of the control socket is taken by another file.
    #[error(
        "{} is there and is no socket: nothing but the control socket may have this name; move it away",
        .0.display()
    )]
    NoSocket(PathBuf),
    /// The token's driver does not exist.
    #[error("{} does not exist; correct pkcs11_module", .0.display())]
    NoModule(PathBuf),
}

#[derive(Default)]
pub(super) struct Found {
    pub(super) problems: Vec<FileError>,
    pub(super) warnings: Vec<String>,
}

/// Checks every file that the server would write to.
pub(super) fn look(config: &Config) -> Found {
    let mut found = Found::default();
    let Ok(database) = config.database_path() else {
        return found;
    };
    let folder = match database.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    match DatabaseLock::check(&database) {
        Ok(()) => {
            found.look_at_folder(folder);
            if !config.on_postgres() {
                found.look_at_database(&database);
            }
        }
        // What is no database needs no folder to be written to.
        Err(error) => found.problems.push(error.into()),
    }
    if resolved(folder) != resolved(&config.data_dir) {
        found.look_at_folder(&config.data_dir);
    }
    found.look_at_socket(&socket_path(config));
    let own = own_files(config, &database);
    let others = own.iter().filter(|(_, what)| *what != DATABASE);
    if let Some((_, what)) = others.clone().find(|(path, _)| same(path, &database)) {
        found.problems.push(FileError::Own {
            setting: "DATABASE_URL",
            path: database.clone(),
            what,
        });
    }
    found.look_at_keys(config, &database);
    found.look_at_witnesses(config, &own);
    found.look_at_target(config, &own);
    found
}

const DATABASE: &str = "the database";

/// Files that the server makes, with what they are.
fn own_files(config: &Config, database: &Path) -> Vec<(PathBuf, &'static str)> {
    let beside = |ending: &str| {
        let mut name = database.as_os_str().to_owned();
        name.push(ending);
        PathBuf::from(name)
    };
    let mut own = vec![
        (database.to_owned(), DATABASE),
        (database.with_extension("key"), "the key file"),
        (
            database.with_extension("key.next"),
            "the next key's file while keys are rotated",
        ),
        (config.data_dir.join("backup.key"), "the backup key's file"),
        (socket_path(config), "the control socket"),
    ];
    for ending in [
        "-wal",
        "-shm",
        "-journal",
        ".lock",
        ".backup-lock",
        ".unfinished",
        ".partial",
    ] {
        own.push((beside(ending), "a file beside the database"));
    }
    own
}

/// Resolves the links of a path as far as it exists, also a link to a file that does not exist yet.
fn resolved(path: &Path) -> PathBuf {
    if let Ok(real) = path.canonicalize() {
        return real;
    }
    if let Ok(end) = std::fs::read_link(path) {
        let folder = path.parent().unwrap_or(Path::new("."));
        // A link to itself would lead nowhere for ever.
        return folder.canonicalize().unwrap_or_default().join(end);
    }
    let whole = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    match (whole.parent(), whole.file_name()) {
        (Some(parent), Some(name)) => resolved(parent).join(name),
        _ => whole,
    }
}

/// Whether two paths are one file, by its name or by a hard link.
fn same(one: &Path, other: &Path) -> bool {
    let id = |path: &Path| {
        let metadata = std::fs::metadata(path).ok()?;
        Some((metadata.dev(), metadata.ino()))
    };
    resolved(one) == resolved(other) || id(one).is_some_and(|id_of| Some(id_of) == id(other))
}

impl Found {
    /// Paths that do not exist yet pass: the first start makes them.
    fn look_at_folder(&mut self, folder: &Path) {
        let existing = folder.ancestors().find(|it| it.exists());
        let existing = existing.unwrap_or(Path::new("."));
        if !existing.is_dir() {
            self.problems.push(FileError::NoFolder(existing.to_owned()));
            return;
        }
        if let Err(error) = access(existing, Access::WRITE_OK | Access::EXEC_OK) {
            self.problems.push(FileError::Unwritable {
                path: existing.to_owned(),
                reason: error.into(),
            });
        }
        let mode = std::fs::metadata(folder).map_or(0, |it| it.mode() & 0o7777);
        if mode & 0o022 != 0 {
            self.warnings.push(format!(
                "others may write to the folder {} (mode {mode:o}), and so replace the database and its \
                 key; run chmod 700 on it",
                folder.display()
            ));
        }
    }

    fn look_at_database(&mut self, database: &Path) {
        if database.exists() {
            if let Err(error) = access(database, Access::READ_OK | Access::WRITE_OK) {
                self.problems.push(FileError::Unwritable {
                    path: database.to_owned(),
                    reason: error.into(),
                });
            }
            return;
        }
        let key = database.with_extension("key");
        if key.exists() {
            self.warnings.push(format!(
                "the key file {} is there and its database {} is not: a server without any account starts. \
                 Right for a first start; if there were accounts, stop it, and mount the volume of the \
                 database or put it back with `restore`",
                key.display(),
                database.display()
            ));
        }
    }

    fn look_at_socket(&mut self, socket: &Path) {
        if std::fs::symlink_metadata(socket).is_ok_and(|it| !it.file_type().is_socket()) {
            self.problems.push(FileError::NoSocket(socket.to_owned()));
        }
    }

    /// One key must not seal both the database and its backups.
    fn look_at_keys(&mut self, config: &Config, database: &Path) {
        let key = database.with_extension("key");
        if same(&key, &config.data_dir.join("backup.key")) {
            self.problems.push(FileError::OneKey(key));
        }
    }

    fn look_at_witnesses(&mut self, config: &Config, own: &[(PathBuf, &'static str)]) {
        for address in config.auditing.witnesses().unwrap_or_default() {
            let (path, appended) = match address {
                WitnessAddress::File(path) => (path, true),
                WitnessAddress::SyslogSocket(path) => (path, false),
                WitnessAddress::SyslogUdp(_) | WitnessAddress::Http(_) => continue,
            };
            if let Some((_, what)) = own.iter().find(|(file, _)| same(file, &path)) {
                let setting = "audit_witnesses";
                self.problems.push(FileError::Own {
                    setting,
                    path,
                    what,
                });
            } else if appended && !resolved(&path).parent().is_some_and(Path::is_dir) {
                // It may be on a disk that comes later.
                self.warnings.push(format!(
                    "the folder of the witness {} does not exist: no head is kept there until it does; \
                     make it, or correct audit_witnesses",
                    path.display()
                ));
            } else if appended && let Err(error) = check_witness_file(&path) {
                self.problems.push(error.into());
            }
        }
    }

    fn look_at_target(&mut self, config: &Config, own: &[(PathBuf, &'static str)]) {
        let Some(folder) = target_folder(config) else {
            return;
        };
        let data = resolved(&config.data_dir);
        let what = match own.iter().find(|(file, _)| same(file, &folder)) {
            Some((_, what)) => *what,
            None if resolved(&folder) == data => "the data folder",
            None if folder.is_file() => {
                self.problems.push(FileError::NoTarget(folder));
                return;
            }
            None => {
                if resolved(&folder).starts_with(&data) {
                    self.warnings.push(format!(
                        "backup_target {} lies in the data folder: what takes the one takes the other; \
                         choose a place on another disk",
                        folder.display()
                    ));
                }
                return;
            }
        };
        self.problems.push(FileError::Own {
            setting: "backup_target",
            path: folder,
            what,
        });
    }
}
