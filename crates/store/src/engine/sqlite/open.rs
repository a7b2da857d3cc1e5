//! Opens a database file.

use std::fs::{DirBuilder, OpenOptions};
use std::io::Read;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::sync::Arc;

use keyring::{private_file, regular_file};
use rusqlite::{Connection, ErrorCode, Transaction, TransactionBehavior};

use crate::config::{OpenError, StoreConfig};
use crate::engine::Changes;
use crate::engine::log::Chain;
use crate::engine::place::many;
use crate::engine::sqlite::connection::{
    APPLICATION_ID, claim, claim_file, open_in_memory, open_reader, open_writer,
};
use crate::engine::sqlite::db::{Db, is_full};
use crate::engine::sqlite::first_start::{self, Found};
use crate::engine::sqlite::readers::Readers;
use crate::engine::sqlite::snapshot::without_guards;
use crate::engine::sqlite::standing::Standing;
use crate::engine::sqlite::writer;
use crate::engine::sqlite::{Sqlite, Threads, migrations};
use crate::fault::Fault;

/// A database that serves nobody yet: one connection, used by one thread.
pub(crate) struct Opening<'a> {
    config: &'a StoreConfig,
    connection: Connection,
    /// Whether it holds tables of this program, perhaps of an older schema.
    pub has_tables: bool,
}

/// The place of a database file.
pub(crate) struct Site<'a> {
    config: &'a StoreConfig,
    /// Whether there is no database yet.
    pub is_new: bool,
}

impl<'a> Site<'a> {
    /// Looks at the path; an error if the database was emptied.
    pub(crate) fn find(config: &'a StoreConfig) -> Result<Self, OpenError> {
        let is_new = config.in_memory || !is_there(config)?;
        Ok(Self { config, is_new })
    }

    /// Restricts an existing database to its owner, or makes the folder of a new one.
    pub(crate) fn prepare(&self) -> Result<(), OpenError> {
        if self.config.in_memory {
            Ok(())
        } else if self.is_new {
            make_folder(self.config)
        } else {
            close_to_others(self.config)
        }
    }

    /// Connects to the file, which is made if there is none; changes nothing in it.
    pub(crate) fn open(self) -> Result<Opening<'a>, OpenError> {
        if self.config.in_memory {
            return self.connect(open_in_memory);
        }
        if self.is_new {
            make_file(self.config)?;
        } else {
            check_length(self.config)?;
        }
        self.connect(open_writer)
    }

    /// Connects to an existing file to read it.
    pub(crate) fn open_to_read(self) -> Result<Opening<'a>, OpenError> {
        check_length(self.config)?;
        self.connect(read_only)
    }

    fn connect(
        self,
        open: fn(&StoreConfig) -> rusqlite::Result<Connection>,
    ) -> Result<Opening<'a>, OpenError> {
        let config = self.config;
        let connection = open(config).map_err(|error| sqlite(config, error))?;
        let has_tables = look(&connection, config)?;
        Ok(Opening {
            config,
            connection,
            has_tables,
        })
    }
}

impl Opening<'_> {
    /// The rows as they are.
    pub(crate) fn rows(&self) -> Db<'_> {
        Db {
            connection: &self.connection,
        }
    }

    /// Brings the schema up to date; returns how many migrations ran.
    pub(crate) fn migrate(&mut self) -> Result<usize, OpenError> {
        let claimed = if self.config.in_memory {
            claim(&self.connection)
        } else {
            claim_file(&self.connection, self.config.synchronous)
        };
        claimed.map_err(|error| sqlite(self.config, error))?;
        migrations::run(&mut self.connection)
    }

    /// Changes rows in one transaction.
    pub(crate) fn transact<T>(
        &mut self,
        work: impl FnOnce(&dyn Changes) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        transact(&mut self.connection, work)
    }

    /// Writes the rows of another database into this one, which has none, in one transaction.
    pub(crate) fn fill(
        &mut self,
        fill: impl FnOnce(&Db<'_>) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        without_guards(&self.connection, fill)
    }

    /// Starts the threads that serve requests.
    pub(crate) fn start(self, chain: Arc<dyn Chain>) -> Result<Sqlite, OpenError> {
        let Self {
            config, connection, ..
        } = self;
        if config.in_memory {
            return in_memory(config, connection, chain);
        }
        first_start::finish(&config.path).map_err(|error| io(config, error))?;
        // What a cut rotation left in it must not stay there.
        if !writer::truncate_log(&connection) {
            tracing::debug!("the write-ahead log is in use by another process");
        }
        let readers = (0..config.readers.max(1))
            .map(|_| read_only(config))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| sqlite(config, error))?;
        let standing = Standing::of(&config.path);
        let (writer, writer_thread) = writer::start(connection, chain, standing, config)
            .map_err(|error| io(config, error))?;
        let (readers, reader_threads) =
            Readers::start(readers).map_err(|error| io(config, error))?;
        let threads = Threads {
            readers: reader_threads,
            writer: vec![writer_thread],
        };
        Ok(Sqlite {
            path: Some(config.path.clone()),
            writer,
            readers: Some(readers),
            threads: threads.into(),
        })
    }
}

/// Starts the one thread that serves a database in memory: no other connection sees it.
fn in_memory(
    config: &StoreConfig,
    connection: Connection,
    chain: Arc<dyn Chain>,
) -> Result<Sqlite, OpenError> {
    let (writer, thread) = writer::start(connection, chain, Standing::default(), config)
        .map_err(|error| io(config, error))?;
    let threads = Threads {
        readers: Vec::new(),
        writer: vec![thread],
    };
    Ok(Sqlite {
        path: None,
        writer,
        readers: None,
        threads: threads.into(),
    })
}

fn read_only(config: &StoreConfig) -> rusqlite::Result<Connection> {
    open_reader(&config.path, config.vfs.as_deref())
}

/// The newest schema that this program knows.
pub(crate) fn schema() -> u32 {
    migrations::known()
}

/// Changes rows in one transaction of a connection.
pub(crate) fn transact<T>(
    connection: &mut Connection,
    work: impl FnOnce(&dyn Changes) -> Result<T, Fault>,
) -> Result<T, Fault> {
    let failed = |error| many("sqlite_schema").fault(error);
    let transaction = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(failed)?;
    let done = work(&Db {
        connection: &transaction,
    })?;
    Transaction::commit(transaction).map_err(failed)?;
    Ok(done)
}

/// Returns whether there is a database to open; an error if it was emptied.
fn is_there(config: &StoreConfig) -> Result<bool, OpenError> {
    // Under two names it could be had twice, and its key would be looked for beside either.
    if let Ok(found) = std::fs::symlink_metadata(&config.path)
        && !found.is_file()
    {
        return Err(OpenError::NoFile(config.path.clone()));
    }
    match first_start::look(&config.path).map_err(|error| io(config, error))? {
        Found::Something => Ok(true),
        Found::Nothing => Ok(false),
        Found::Emptied => Err(OpenError::Emptied(config.path.clone())),
    }
}

/// Whether the file is as long as its own head says.
///
/// SQLite notices when pages are missing, but not when the last one is cut short. Only without a
/// log or a journal beside it: with one, a checkpoint or a first start that was cut explains the
/// difference, and is done again or undone.
fn check_length(config: &StoreConfig) -> Result<(), OpenError> {
    let explained = ["-wal", "-journal"].iter().any(|end| {
        let mut beside = config.path.clone().into_os_string();
        beside.push(end);
        std::fs::metadata(beside).is_ok_and(|metadata| metadata.len() > 0)
    });
    if explained {
        return Ok(());
    }
    let mut file = regular_file::open(&config.path).map_err(|error| io(config, error))?;
    let len = file.metadata().map_err(|error| io(config, error))?.len();
    let mut head = [0; 32];
    // A shorter file is no database, which opening it says.
    if file.read_exact(&mut head).is_err() {
        return Ok(());
    }
    let page_size = match u16::from_be_bytes([head[16], head[17]]) {
        1 => 65_536,
        size => u64::from(size),
    };
    let pages = u32::from_be_bytes([head[28], head[29], head[30], head[31]]);
    if len < u64::from(pages) * page_size && head.starts_with(b"SQLite format 3\0") {
        let reason = format!("the file is cut short: {len} bytes of {pages} pages of {page_size}");
        return Err(OpenError::Damaged(Fault::damaged(
            "sqlite_schema",
            1,
            reason,
        )));
    }
    Ok(())
}

/// Whether the file holds our tables; an error when it holds something else.
///
/// Also asked of an empty file: what a cut first start has committed may stand in its log.
fn look(connection: &Connection, config: &StoreConfig) -> Result<bool, OpenError> {
    let not_ours = |reason: &str| OpenError::NotOurs {
        database: config.path.clone(),
        reason: reason.to_owned(),
    };
    let (application, tables): (i32, u32) = connection
        .query_row(
            "SELECT (SELECT application_id FROM pragma_application_id), count(*)
             FROM sqlite_schema WHERE type = 'table'",
            [],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .map_err(|error| match error.sqlite_error_code() {
            Some(ErrorCode::NotADatabase) => not_ours("it is not an SQLite file"),
            _ => sqlite(config, error),
        })?;
    if tables > 0 && application != APPLICATION_ID {
        return Err(not_ours("its application id is another"));
    }
    let keks: u32 = connection
        .query_row(
            "SELECT count(*) FROM sqlite_schema WHERE name = 'keks'",
            [],
            |row| row.get(0),
        )
        .map_err(|error| sqlite(config, error))?;
    Ok(keks > 0)
}

fn make_folder(config: &StoreConfig) -> Result<(), OpenError> {
    let folder = config
        .path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    folder.map_or(Ok(()), |folder| {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .map_err(|error| io(config, error))
    })
}

/// SQLite gives the log and the index beside a database the database's own mode.
fn make_file(config: &StoreConfig) -> Result<(), OpenError> {
    first_start::begin(&config.path).map_err(|error| io(config, error))?;
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false).mode(0o600);
    regular_file::open_unfollowed(&mut options, &config.path).map_err(|error| io(config, error))?;
    close_to_others(config)
}

/// Restricts the database and its key file to their owner.
fn close_to_others(config: &StoreConfig) -> Result<(), OpenError> {
    if private_file::close_to_others(&config.path).map_err(|error| io(config, error))? {
        tracing::warn!("others could read the database file; its mode is set to 0600");
    }
    for end in ["-wal", "-shm", "-journal"] {
        let mut beside = config.path.clone().into_os_string();
        beside.push(end);
        if let Ok(true) = private_file::close_to_others(std::path::Path::new(&beside)) {
            tracing::warn!("others could read the database's {end} file; its mode is set to 0600");
        }
    }
    Ok(())
}

fn io(config: &StoreConfig, error: std::io::Error) -> OpenError {
    use std::io::ErrorKind as K;
    if let K::StorageFull | K::QuotaExceeded | K::FileTooLarge = error.kind() {
        return OpenError::Full;
    }
    OpenError::Io {
        database: config.path.clone(),
        reason: error.to_string(),
    }
}

fn sqlite(config: &StoreConfig, error: rusqlite::Error) -> OpenError {
    if is_full(&error) {
        return OpenError::Full;
    }
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => OpenError::NotOurs {
            database: config.path.clone(),
            reason: "it is not an SQLite file, or its first page is damaged".to_owned(),
        },
        Some(ErrorCode::DatabaseCorrupt) => OpenError::Damaged(Fault::damaged(
            "sqlite_schema",
            "1",
            format!("{error} (the file may be cut short)"),
        )),
        _ => OpenError::Io {
            database: config.path.clone(),
            reason: error.to_string(),
        },
    }
}
