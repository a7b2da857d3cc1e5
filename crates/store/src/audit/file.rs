//! The audit log of a database file, read without any key and without changing the file.

use std::path::Path;

use ::audit::{Verdict, Verifier};
use keyring::KeySource;
use rusqlite::{Connection, OpenFlags};

use crate::audit::chain;
use crate::audit::heads::AUDIT_KEY;
use crate::config::{OpenError, StoreConfig};
use crate::engine::sqlite::connection::{APPLICATION_ID, open_reader};
use crate::engine::sqlite::db::{Db, many};
use crate::engine::sqlite::first_start::{self, Found};
use crate::fault::Fault;
use crate::sealing::bound_setting::AUDIT_SIGNED;
use crate::sealing::classes::Public;

/// A database file, open for reading; a server may have it open as well.
pub struct AuditFile {
    connection: Connection,
}

impl AuditFile {
    /// Opens a file of this program's.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
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
        let config = StoreConfig::new(path, KeySource::beside(None, path));
        let connection = open_reader(&config)
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

    /// The key that the file itself names for its heads, as text. It is a claim.
    pub fn named_key(&self) -> Result<Option<String>, Fault> {
        let sql = "SELECT value FROM settings WHERE name = ?1";
        self.db()
            .one(many("settings"), sql, [AUDIT_KEY], |row| row.get(0))
    }

    /// Verifies the whole log as it is at one moment, in constant memory.
    pub fn verify(&self, mut verifier: Verifier) -> Result<Verdict, Fault> {
        let place = many("audit_log");
        self.db().execute(place, "BEGIN", [])?;
        for door in chain::doors(self.db())? {
            verifier.door(door);
        }
        let mut take = |item: crate::AuditItem| item.verify(&mut verifier);
        chain::read(self.db(), 0, None, &mut take)?;
        let sql = "SELECT CAST(value AS INTEGER) FROM settings WHERE name = ?1";
        let signed: Option<u64> =
            self.db()
                .one(many("settings"), sql, [Public(AUDIT_SIGNED)], |row| {
                    row.get(0)
                })?;
        verifier.signed_through(signed.unwrap_or_default());
        self.db().execute(place, "COMMIT", [])?;
        Ok(verifier.finish())
    }

    fn db(&self) -> Db<'_> {
        Db {
            connection: &self.connection,
        }
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
