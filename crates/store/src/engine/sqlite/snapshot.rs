//! Copies of the database file.
//!
//! The copy is made by SQLite's backup interface inside one read transaction, so that writers go on
//! and the copy is of one moment. Pages keep their places, which `VACUUM` would not: an incremental
//! backup lives on pages that did not move. What is stripped is overwritten (`secure_delete`).

use std::fs::OpenOptions;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;
use std::time::Duration;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};

use crate::engine::log::LogRows;
use crate::engine::place::many;
use crate::engine::settings::SettingRows;
use crate::engine::sqlite::connection::{APPLICATION_ID, PAGE_SIZE};
use crate::engine::sqlite::db::Db;
use crate::engine::sqlite::migrations;
use crate::engine::sqlite::open::transact;
use crate::engine::{Changes, Strip};
use crate::fault::Fault;
use crate::snapshot::{OnCopied, Snapshot, SnapshotError};

/// Pages that are copied in one step.
const STEP: i32 = 512;
/// How long to wait for a lock of another connection, and how often.
const LOCKED: (Duration, u32) = (Duration::from_millis(10), 1_000);

/// Copies, strips and checks.
pub(crate) fn take(
    source: &Path,
    into: &Path,
    copied: OnCopied,
    strip: Strip,
) -> Result<Snapshot, SnapshotError> {
    make(into)?;
    copy(source, into, copied).map_err(|error| sort(error, into))?;
    leave_wal(into).map_err(|error| unwritten(into, &error))?;
    let copy = open_alone(into).map_err(|error| sort(error, into))?;
    finish(copy, into, strip)
}

/// Makes a new database with the rows that `fill` writes, strips and checks it.
///
/// What guards the tables against changes out of turn is not asked: the rows come out of a database that has
/// the same guards.
pub(crate) fn filled(
    into: &Path,
    strip: Strip,
    fill: impl FnOnce(&Db<'_>) -> Result<(), Fault>,
) -> Result<Snapshot, SnapshotError> {
    make(into)?;
    let mut copy = open_alone(into).map_err(|error| sort(error, into))?;
    let prepare = |copy: &Connection| {
        copy.pragma_update(None, "page_size", PAGE_SIZE)?;
        copy.pragma_update(None, "application_id", APPLICATION_ID)
    };
    prepare(&copy).map_err(|error| sort(error, into))?;
    migrations::run(&mut copy).map_err(|error| SnapshotError::File {
        path: into.to_owned(),
        reason: error.to_string(),
    })?;
    without_guards(&copy, fill).map_err(|fault| sort_fault(fault, into))?;
    finish(copy, into, strip)
}

/// Lets `fill` write rows in one transaction while nothing guards the tables against changes out of turn.
pub(crate) fn without_guards(
    connection: &Connection,
    fill: impl FnOnce(&Db<'_>) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let failed = |error| many("sqlite_schema").fault(error);
    let all = |statements: Vec<String>| {
        let statements = statements.join(";\n");
        connection.execute_batch(&statements).map_err(failed)
    };
    all(vec!["BEGIN IMMEDIATE".to_owned()])?;
    let filled = guards(connection).map_err(failed).and_then(|guards| {
        let dropped = guards
            .iter()
            .map(|(name, _)| format!("DROP TRIGGER {name}"));
        all(dropped.collect())?;
        all(vec!["DROP TABLE IF EXISTS joined_wraps".to_owned()])?;
        fill(&Db { connection })?;
        all(guards.into_iter().map(|(_, sql)| sql).collect())
    });
    let end = if filled.is_ok() { "COMMIT" } else { "ROLLBACK" };
    let ended = all(vec![end.to_owned()]);
    filled.and(ended)
}

/// Name and statement of every trigger.
fn guards(connection: &Connection) -> rusqlite::Result<Vec<(String, String)>> {
    connection
        .prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect()
}

/// Makes the file, which must not be there yet.
fn make(into: &Path) -> Result<(), SnapshotError> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(into)
        .map_err(|error| unwritten(into, &error))
        .map(drop)
}

fn unwritten(into: &Path, error: &std::io::Error) -> SnapshotError {
    SnapshotError::File {
        path: into.to_owned(),
        reason: error.to_string(),
    }
}

/// Strips and checks what was copied.
fn finish(copy: Connection, into: &Path, strip: Strip) -> Result<Snapshot, SnapshotError> {
    let db = Db { connection: &copy };
    strip(&db).map_err(|fault| sort_fault(fault, into))?;
    check(&copy).map_err(|error| sort(error, into))??;
    let number = |sql: &str| -> Result<u64, SnapshotError> {
        copy.query_row(sql, [], |row| row.get(0))
            .map_err(|error| sort(error, into))
    };
    let snapshot = Snapshot {
        page_size: number("PRAGMA page_size")? as u32,
        pages: number("PRAGMA page_count")?,
        schema: migrations::known(),
        audit: db.chain_tip()?,
        tables: db.table_counts()?,
    };
    copy.close().map_err(|(_, error)| sort(error, into))?;
    Ok(snapshot)
}

fn copy(source: &Path, into: &Path, mut copied: OnCopied) -> rusqlite::Result<()> {
    let only_read = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let from = Connection::open_with_flags(source, only_read)?;
    from.busy_timeout(Duration::from_secs(10))?;
    let mut to = open_alone(into)?;
    // From the first read on this connection sees one moment, whatever is written meanwhile.
    from.execute_batch("BEGIN")?;
    from.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
    {
        let backup = Backup::new(&from, &mut to)?;
        let mut waits = 0;
        loop {
            match backup.step(STEP)? {
                StepResult::Done => break,
                StepResult::More => waits = 0,
                _ if waits < LOCKED.1 => {
                    waits += 1;
                    std::thread::sleep(LOCKED.0);
                }
                _ => {
                    let busy = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY);
                    return Err(rusqlite::Error::SqliteFailure(busy, None));
                }
            }
            let progress = backup.progress();
            let total = progress.pagecount.max(0) as u64;
            copied(total - (progress.remaining.max(0) as u64).min(total), total);
        }
    }
    from.execute_batch("COMMIT")?;
    to.close().map_err(|(_, error)| error)
}

/// Opens a file that no other connection uses: without a journal and without syncs.
fn open_alone(path: &Path) -> rusqlite::Result<Connection> {
    let write = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, write)?;
    connection.execute_batch(
        "PRAGMA locking_mode = EXCLUSIVE;
         PRAGMA journal_mode = MEMORY;
         PRAGMA synchronous = OFF;
         PRAGMA secure_delete = ON;
         PRAGMA temp_store = MEMORY;
         PRAGMA foreign_keys = OFF;
         PRAGMA trusted_schema = OFF;",
    )?;
    Ok(connection)
}

/// Takes the mark of a write-ahead log out of the head (bytes 18 and 19): the copy has none, and
/// opening it must not make one.
fn leave_wal(path: &Path) -> std::io::Result<()> {
    OpenOptions::new()
        .write(true)
        .open(path)?
        .write_all_at(&[1, 1], 18)
}

/// Lets SQLite look at every page.
fn check(connection: &Connection) -> rusqlite::Result<Result<(), SnapshotError>> {
    let found: String = connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
    Ok(if found == "ok" {
        Ok(())
    } else {
        Err(SnapshotError::Damaged(found))
    })
}

fn sort(error: rusqlite::Error, into: &Path) -> SnapshotError {
    sort_fault(many("sqlite_schema").fault(error), into)
}

fn sort_fault(fault: Fault, into: &Path) -> SnapshotError {
    match fault {
        Fault::Full => SnapshotError::File {
            path: into.to_owned(),
            reason: "no space is left".to_owned(),
        },
        Fault::Damaged { reason, .. } => SnapshotError::Damaged(reason),
        other => other.into(),
    }
}

/// Changes a file that nobody else has open, in one transaction.
pub(crate) fn alone(
    database: &Path,
    work: impl FnOnce(&dyn Changes) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let failed = |error| many("sqlite_schema").fault(error);
    let mut connection = open_alone(database).map_err(failed)?;
    connection
        .pragma_update(None, "synchronous", "FULL")
        .map_err(failed)?;
    transact(&mut connection, work)?;
    connection.close().map_err(|(_, error)| failed(error))
}
