//! Connections and their settings.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use crate::config::{StoreConfig, Synchronous};

/// "SMSG": marks a database as this program's.
pub(crate) const APPLICATION_ID: i32 = 0x534d_5347;

/// Bytes of a page in a new database.
///
/// Twice SQLite's default. A registration of 200 KB takes a third less of the writer's time with pages of this
/// size; a single small commit, which waits for the disk anyway, takes a tenth more.
pub(crate) const PAGE_SIZE: u32 = 8_192;
/// How long to wait for another process that writes, such as a subcommand.
pub(crate) const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// Prepared statements that each connection keeps; more than there are.
const STATEMENTS: usize = 128;

/// Opens the connection that writes; the file exists already, with its mode.
pub(crate) fn open_writer(config: &StoreConfig) -> rusqlite::Result<Connection> {
    let (path, vfs) = (&config.path, config.vfs.as_deref());
    let connection = open(path, vfs, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    connection.execute_batch(
        "PRAGMA wal_autocheckpoint = 0;
         PRAGMA journal_size_limit = 67108864;",
    )?;
    Ok(connection)
}

/// Opens a database in memory, which no other connection sees.
pub(crate) fn open_in_memory(_: &StoreConfig) -> rusqlite::Result<Connection> {
    open(
        Path::new(":memory:"),
        None,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_MEMORY,
    )
}

/// Marks a new database, or one of this program.
pub(crate) fn claim(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "page_size", PAGE_SIZE)?;
    connection.pragma_update(None, "application_id", APPLICATION_ID)
}

/// Sets the settings that the file keeps. Call this only for a new file or one of this program.
pub(crate) fn claim_file(
    connection: &Connection,
    synchronous: Synchronous,
) -> rusqlite::Result<()> {
    claim(connection)?;
    let mode: String = connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
    if mode != "wal" {
        tracing::warn!(mode, "this file system does not take a write-ahead log");
    }
    // FULL syncs the log at every commit: what is acknowledged is on the disk.
    connection.pragma_update(None, "synchronous", synchronous.as_str())
}

/// Opens a connection that only reads.
pub(crate) fn open_reader(path: &Path, vfs: Option<&str>) -> rusqlite::Result<Connection> {
    let connection = open(path, vfs, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    connection.execute_batch("PRAGMA query_only = ON")?;
    Ok(connection)
}

fn open(path: &Path, vfs: Option<&str>, access: OpenFlags) -> rusqlite::Result<Connection> {
    let flags = access | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_EXRESCODE;
    let connection = match vfs {
        Some(vfs) => Connection::open_with_flags_and_vfs(path, flags, vfs)?,
        None => Connection::open_with_flags(path, flags)?,
    };
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.execute_batch(
        "PRAGMA secure_delete = ON;
         PRAGMA temp_store = MEMORY;
         PRAGMA foreign_keys = ON;
         PRAGMA trusted_schema = OFF;
         PRAGMA cell_size_check = ON;
         PRAGMA mmap_size = 0;",
    )?;
    Ok(connection)
}
