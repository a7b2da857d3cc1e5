//! Opens a database; nothing is changed before the key is known to be right.

use std::fs::{DirBuilder, OpenOptions};
use std::io::Read;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::sync::Arc;

use keyring::{KeyOrigin, private_file};
use rusqlite::{Connection, ErrorCode};

use crate::audit::ChainError;
use crate::audit::chain;
use crate::config::{OpenError, OpenReport, StoreConfig};
use crate::engine::sqlite::connection::{APPLICATION_ID, claim_file, open_reader, open_writer};
use crate::engine::sqlite::db::{Db, is_full};
use crate::engine::sqlite::first_start::{self, Found};
use crate::engine::sqlite::migrations;
use crate::engine::sqlite::readers::Readers;
use crate::engine::sqlite::standing::Standing;
use crate::engine::sqlite::writer::{self, Writer};
use crate::fault::Fault;
use crate::keys::opening as keys;
use crate::keys::opening::HalfMoved;
use crate::keys::sources::Sources;
use crate::keys::state::KeyState;
use crate::repository::Repository;
use crate::repository::Threads;

/// Opens or makes a database and starts its threads.
pub(crate) fn open(config: &StoreConfig) -> Result<(Repository, OpenReport), OpenError> {
    let exists = is_there(config)?;
    if exists {
        close_to_others(config)?;
    } else {
        make_folder(config)?;
    }
    let mut sources = Sources::find(config, !exists)?;
    if exists {
        check_length(config)?;
    } else {
        make_file(config)?;
    }
    let mut connection = open_writer(config).map_err(|error| sqlite(config, error))?;
    let (sealer, migrated) = prepare(&mut connection, config, &mut sources)?;
    first_start::finish(&config.path).map_err(|error| io(config, error))?;
    // What a cut rotation left in it must not stay there.
    if !writer::truncate_log(&connection) {
        tracing::debug!("the write-ahead log is in use by another process");
    }
    let key_origin = sources.origin.clone();

    let readers = (0..config.readers.max(1))
        .map(|_| open_reader(config))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| sqlite(config, error))?;
    let tags = Arc::clone(&sealer.tags);
    let standing = Standing::of(&config.path);
    let (writer, writer_thread) = Writer::start(connection, tags, standing, config.checkpoint_kib)
        .map_err(|error| io(config, error))?;
    let (readers, reader_threads) = Readers::start(readers).map_err(|error| io(config, error))?;
    let threads = Threads {
        readers: reader_threads,
        writer: vec![writer_thread],
    };
    let backend = Repository::new(
        writer,
        readers,
        sealer,
        threads,
        KeyState::new(sources, config.ambient.clock()),
    )
    .map_err(OpenError::Damaged)?;
    let report = OpenReport {
        created: !exists,
        key_origin,
        migrated,
        schema: migrations::known(),
    };
    tell(config, &report);
    Ok((backend, report))
}

/// Checks that the key opens the database, and changes nothing; a database that is not there yet
/// is no error.
pub(crate) fn check_key(config: &StoreConfig) -> Result<(), OpenError> {
    if !is_there(config)? {
        return Ok(());
    }
    let mut sources = Sources::find(config, false)?;
    check_length(config)?;
    let connection = open_reader(config).map_err(|error| sqlite(config, error))?;
    if look(&connection, config)? {
        keys::open_keyring(&connection, config, &mut sources, HalfMoved::Leave)?;
    }
    Ok(())
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
    let mut file = keyring::regular_file::open(&config.path).map_err(|error| io(config, error))?;
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

fn prepare(
    connection: &mut Connection,
    config: &StoreConfig,
    sources: &mut Sources,
) -> Result<(crate::sealing::sealer::Sealer, usize), OpenError> {
    let ours = look(connection, config)?;
    // Before any migration: a wrong key changes nothing.
    let keyring = if ours {
        keys::open_keyring(connection, config, sources, HalfMoved::Finish)?
    } else {
        None
    };
    claim_file(connection, config.synchronous).map_err(|error| sqlite(config, error))?;
    let migrated = migrations::run(connection)?;
    let keyring = match keyring {
        Some(keyring) => keyring,
        None => keys::initialise(connection, config, sources, config.ambient.now())?,
    };
    chain::verify_newest(Db { connection }).map_err(|error| {
        OpenError::Damaged(match error {
            ChainError::Broken { id, reason } => Fault::damaged("audit_log", id, reason),
            ChainError::Fault(fault) => fault,
        })
    })?;
    let sealer = keys::sealer(connection, config, keyring, config.ambient.now())
        .map_err(OpenError::Damaged)?;
    Ok((sealer, migrated))
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
    keyring::regular_file::open_unfollowed(&mut options, &config.path)
        .map_err(|error| io(config, error))?;
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
    // One that stays open to others is refused when it is read.
    if let Ok(true) = private_file::close_to_others(config.key.key_file()) {
        tracing::warn!("others could read the key file; its mode is set to 0600");
    }
    if let Some(owner) = private_file::foreign_owner(config.key.key_file()) {
        tracing::warn!(
            owner,
            key_file = %config.key.key_file().display(),
            "the key file belongs to another user, who can read and replace the key: give it to the \
             server's user with chown"
        );
    }
    Ok(())
}

fn tell(config: &StoreConfig, report: &OpenReport) {
    if let Some(KeyOrigin::CreatedFile(path)) = &report.key_origin {
        tracing::warn!(
            key_file = %path.display(),
            "no DB_ENCRYPTION_KEY is set, so a key file was made: back it up apart from the \
             database, without it nothing in there can be read"
        );
    }
    tracing::info!(
        database = %config.path.display(),
        created = report.created,
        migrations = report.migrated,
        "the database is open"
    );
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
