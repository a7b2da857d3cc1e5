//! A connection with errors that name the table and the row.

use std::ops::ControlFlow;

use rusqlite::blob::Blob;
use rusqlite::ffi::{
    SQLITE_IOERR_FSYNC, SQLITE_IOERR_SHMSIZE, SQLITE_IOERR_TRUNCATE, SQLITE_IOERR_WRITE,
};
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ErrorCode, Params, Row, ToSql, params_from_iter};

use crate::classes::Public;
use crate::engine::Answer;
use crate::engine::place::{Place, at, many};
use crate::engine::prekeys::Pieces;
use crate::engine::sql::{Columns, Hold, Line, Readable, Sql, Take, Unreadable, Value, Values};
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

impl ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match *self {
            Value::Null => ValueRef::Null,
            Value::Number(number) => ValueRef::Integer(number),
            Value::Bytes(bytes) => ValueRef::Blob(bytes),
            Value::Text(text) => ValueRef::Text(text.as_bytes()),
        }))
    }
}

fn bound<'a>(values: Values<'a>) -> impl Params + 'a {
    params_from_iter(values.iter().map(|value| value.value()))
}

impl Columns for Row<'_> {
    fn column(&self, index: usize) -> Readable<Value<'_>> {
        let unreadable = |reason: String| Unreadable(format!("column {index}: {reason}"));
        match self
            .get_ref(index)
            .map_err(|error| unreadable(error.to_string()))?
        {
            ValueRef::Null => Ok(Value::Null),
            ValueRef::Integer(number) => Ok(Value::Number(number)),
            ValueRef::Blob(bytes) => Ok(Value::Bytes(bytes)),
            ValueRef::Text(text) => match std::str::from_utf8(text) {
                Ok(text) => Ok(Value::Text(text)),
                Err(error) => Err(unreadable(error.to_string())),
            },
            ValueRef::Real(_) => Err(unreadable("no column holds a fraction".to_owned())),
        }
    }
}

/// A large value, read by incremental input.
struct Large<'c> {
    blob: Blob<'c>,
    table: &'static str,
    row: Vec<u8>,
}

impl Pieces for Large<'_> {
    fn len(&self) -> usize {
        self.blob.len()
    }

    fn read(&self, bytes: &mut [u8], offset: usize) -> Answer {
        self.blob
            .read_at_exact(bytes, offset)
            .map_err(|error| at(self.table, &self.row).fault(error))
    }
}

impl Sql for Db<'_> {
    const NO_INDEX: &'static str = "NOT INDEXED";

    fn execute(&self, place: Place<'_>, sql: &str, values: Values<'_>) -> Answer<u64> {
        self.connection
            .prepare_cached(sql)
            .and_then(|mut statement| statement.execute(bound(values)))
            .map(|changed| changed as u64)
            .map_err(|error| place.fault(error))
    }

    fn run(&self, place: Place<'_>, sql: &str, values: Values<'_>) -> Answer {
        self.execute(place, sql, values).map(drop)
    }

    fn query(&self, place: Place<'_>, sql: &str, values: Values<'_>, take: Take<'_>) -> Answer {
        let failed = |error| place.fault(error);
        let mut statement = self.connection.prepare_cached(sql).map_err(failed)?;
        let mut rows = statement.query(bound(values)).map_err(failed)?;
        while let Some(row) = rows.next().map_err(failed)? {
            match take(Line(row)) {
                Ok(ControlFlow::Continue(())) => {}
                Ok(ControlFlow::Break(())) => break,
                Err(reason) => return Err(place.damaged(reason)),
            }
        }
        Ok(())
    }

    /// The transaction is the only one that writes: it begins with the lock of the whole database.
    fn hold(&self, _: Hold) -> &'static str {
        ""
    }

    fn one_moment(&self) -> Answer {
        self.run(many("sqlite_schema"), "BEGIN", &[])
    }

    /// The transaction has it already.
    fn lock_log(&self) -> Answer {
        Ok(())
    }

    fn tables(&self) -> Answer<Vec<String>> {
        self.all(
            many("sqlite_schema"),
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%'
                 ESCAPE '\\' ORDER BY name",
            &[],
            |row| row.get(0),
        )
    }

    fn columns(&self, table: &str) -> Answer<Vec<String>> {
        let sql = "SELECT name FROM pragma_table_info(?1)";
        let place = many("sqlite_schema");
        self.all(place, sql, &[&Public(table)], |line| line.get(0))
    }

    fn size(&self) -> Answer<u64> {
        let sql = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size";
        self.number(many("sqlite_schema"), sql, &[])
    }

    fn pieces<'s>(
        &'s self,
        place: Place<'_>,
        (table, column): (&'static str, &'static str),
        number: i64,
    ) -> Answer<Box<dyn Pieces + 's>> {
        let blob = self
            .connection
            .blob_open("main", table, column, number, true)
            .map_err(|error| place.fault(error))?;
        let row = place.row.to_vec();
        Ok(Box::new(Large { blob, table, row }))
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
