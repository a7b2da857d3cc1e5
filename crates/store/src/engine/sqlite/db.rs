//! A connection with errors that name the table and the row.

use rusqlite::ffi::{
    SQLITE_IOERR_FSYNC, SQLITE_IOERR_SHMSIZE, SQLITE_IOERR_TRUNCATE, SQLITE_IOERR_WRITE,
};
use rusqlite::{Connection, ErrorCode, OptionalExtension, Row};

use crate::engine::place::Place;
use crate::engine::sqlite::bind::BindableRow;
use crate::engine::{Answer, Changes, Rows};
use crate::fault::Fault;

impl Place<'_> {
    /// The fault of a statement about this row.
    pub(crate) fn fault(&self, error: rusqlite::Error) -> Fault {
        fault(error, self.table, || self.row_name())
    }
}

/// Classifies SQLite's errors by what can be done about them.
fn fault(error: rusqlite::Error, table: &'static str, row: impl FnOnce() -> String) -> Fault {
    use rusqlite::Error as E;
    if is_full(&error) {
        return Fault::Full;
    }
    match &error {
        E::SqliteFailure(code, _) => match code.code {
            ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => {
                Fault::damaged(table, row(), error)
            }
            _ => Fault::Unavailable(error.to_string()),
        },
        E::FromSqlConversionFailure(..)
        | E::IntegralValueOutOfRange(..)
        | E::InvalidColumnType(..)
        | E::Utf8Error(..) => Fault::damaged(table, row(), error),
        _ => Fault::Unavailable(error.to_string()),
    }
}

/// Failures of calls that make a file larger, or write one.
const WRITES: [i32; 4] = [
    SQLITE_IOERR_WRITE,
    SQLITE_IOERR_FSYNC,
    SQLITE_IOERR_TRUNCATE,
    SQLITE_IOERR_SHMSIZE,
];

/// Returns whether SQLite hit a full disk or a limit. Call it on the same thread, before another call fails.
pub(crate) fn is_full(error: &rusqlite::Error) -> bool {
    let rusqlite::Error::SqliteFailure(code, _) = error else {
        return false;
    };
    match code.code {
        ErrorCode::DiskFull => true,
        ErrorCode::SystemIoFailure => WRITES.contains(&code.extended_code) && no_room(),
        _ => false,
    }
}

/// Returns whether the last failed system call of this thread hit a full disk or a limit.
///
/// SQLite itself reports only a full disk, and only for writes to the database or its log. It reports a quota,
/// a file size limit and shared memory that cannot grow as general failures.
pub(crate) fn no_room() -> bool {
    use std::io::ErrorKind as K;
    let failed = std::io::Error::last_os_error().kind();
    matches!(failed, K::StorageFull | K::QuotaExceeded | K::FileTooLarge)
}

/// A borrowed connection; every statement is prepared once and kept.
#[derive(Clone, Copy)]
pub(crate) struct Db<'c> {
    pub connection: &'c Connection,
}

impl Rows for Db<'_> {}
impl Changes for Db<'_> {}

impl Db<'_> {
    /// Runs a statement; answers how many rows it changed.
    pub(crate) fn execute(
        &self,
        place: Place<'_>,
        sql: &str,
        params: impl BindableRow,
    ) -> Result<usize, Fault> {
        self.connection
            .prepare_cached(sql)
            .and_then(|mut statement| statement.execute(params))
            .map_err(|error| place.fault(error))
    }

    /// Runs a statement.
    pub(crate) fn run(&self, place: Place<'_>, sql: &str, params: impl BindableRow) -> Answer {
        self.execute(place, sql, params).map(drop)
    }

    /// Runs a statement that changes at most one row; whether it did.
    pub(crate) fn changed(
        &self,
        place: Place<'_>,
        sql: &str,
        params: impl BindableRow,
    ) -> Answer<bool> {
        Ok(self.execute(place, sql, params)? == 1)
    }

    /// Reads at most one row.
    pub(crate) fn one<T>(
        &self,
        place: Place<'_>,
        sql: &str,
        params: impl BindableRow,
        read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Option<T>, Fault> {
        self.connection
            .prepare_cached(sql)
            .and_then(|mut statement| statement.query_row(params, read).optional())
            .map_err(|error| place.fault(error))
    }

    /// Reads every row.
    pub(crate) fn all<T>(
        &self,
        place: Place<'_>,
        sql: &str,
        params: impl BindableRow,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, Fault> {
        self.connection
            .prepare_cached(sql)
            .and_then(|mut statement| statement.query_map(params, read)?.collect())
            .map_err(|error| place.fault(error))
    }

    /// Reads every row, with a fault in the place of one that cannot be read.
    pub(crate) fn each<T>(
        &self,
        place: Place<'_>,
        sql: &str,
        params: impl BindableRow,
        read: impl Fn(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<Result<T, Fault>>, Fault> {
        self.all(place, sql, params, |row| {
            Ok(read(row).map_err(|error| place.fault(error)))
        })
    }

    /// Reads one number.
    pub(crate) fn number(
        &self,
        place: Place<'_>,
        sql: &str,
        params: impl BindableRow,
    ) -> Result<u64, Fault> {
        Ok(self
            .one(place, sql, params, |row| row.get::<_, u64>(0))?
            .unwrap_or_default())
    }
}

/// Ends the transaction of a read that asked for everything to be of one moment.
pub(crate) fn end_read(connection: &Connection) {
    if !connection.is_autocommit()
        && let Err(error) = connection.execute_batch("COMMIT")
    {
        tracing::warn!(%error, "a read could not be ended");
    }
}
