//! A database file that is read beside whoever else has it open.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use crate::config::OpenError;
use crate::engine::Rows;
use crate::engine::sqlite::connection::{APPLICATION_ID, open_reader};
use crate::engine::sqlite::db::{self, Db};
use crate::engine::sqlite::first_start::{self, Found};
use crate::fault::Fault;

/// A database file, open for reading.
pub(crate) struct FileToRead {
    connection: Connection,
}

impl FileToRead {
    /// Opens a file of this program whose schema has signed heads.
    pub(crate) fn open(path: &Path) -> Result<Self, OpenError> {
        let failed = |reason: String| OpenError::Io {
            database: path.to_owned(),
            reason,
        };
        let found = std::fs::metadata(path).map_err(|error| failed(error.to_string()))?;
        if !found.is_file() {
            return Err(failed("it is no regular file".to_owned()));
        }
        let found = first_start::look(path).map_err(|error| failed(error.to_string()))?;
        if found == Found::Emptied {
            return Err(OpenError::Emptied(path.to_owned()));
        }
        let connection = open_reader(path, None)
            .and_then(|connection| probe(&connection).map(|()| connection))
            .or_else(|error| unchanging(path).ok_or(error)?)
            .map_err(|error| failed(error.to_string()))?;
        let (application, heads): (i32, u32) = connection
            .query_row(
                "SELECT (SELECT application_id FROM pragma_application_id),
                     (SELECT count(*) FROM sqlite_schema WHERE name = 'audit_heads')",
                [],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .map_err(|error| failed(error.to_string()))?;
        if application != APPLICATION_ID {
            return Err(OpenError::NotOurs {
                database: path.to_owned(),
                reason: "its application id is another".to_owned(),
            });
        }
        if heads == 0 {
            return Err(OpenError::Migration(
                "the database has no signed heads yet: start the server once".to_owned(),
            ));
        }
        Ok(Self { connection })
    }

    /// Reads rows of one moment, if the closure asks for that.
    pub(crate) fn read<T>(
        &self,
        work: impl FnOnce(&dyn Rows) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let done = work(&Db {
            connection: &self.connection,
        });
        db::end_read(&self.connection);
        done
    }
}

/// Reads something, because opening alone does not touch the file.
fn probe(connection: &Connection) -> rusqlite::Result<()> {
    connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))
}

/// Opens a file in a folder that cannot be written to, where nobody else can have it open.
///
/// `None` where there is a log beside it, which would have to be read as well.
fn unchanging(path: &Path) -> Option<rusqlite::Result<Connection>> {
    let mut log = path.to_owned().into_os_string();
    log.push("-wal");
    if std::fs::metadata(log).is_ok_and(|metadata| metadata.len() > 0) {
        return None;
    }
    let escaped: String = path
        .to_str()?
        .bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect();
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
    let uri = format!("file:{escaped}?immutable=1");
    Some(Connection::open_with_flags(uri, flags))
}
