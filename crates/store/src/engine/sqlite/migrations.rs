//! Migrations: numbered, forward only.

use rusqlite::Connection;

use crate::config::OpenError;
use crate::engine::sqlite::db::is_full;

#[allow(clippy::unwrap_used, missing_docs)]
mod embedded {
    refinery::embed_migrations!("migrations/sqlite");
}

/// Newest schema that this program knows.
pub(crate) fn known() -> u32 {
    embedded::migrations::runner()
        .get_migrations()
        .iter()
        .map(|migration| migration.version() as u32)
        .max()
        .unwrap_or_default()
}

/// Brings the schema up to date; answers how many migrations ran.
///
/// The history is checked here before refinery reads it, because refinery expects well-formed text and a
/// damaged file may hold anything.
pub(crate) fn run(connection: &mut Connection) -> Result<usize, OpenError> {
    let applied = applied(connection)?;
    let runner = embedded::migrations::runner();
    let known = known();
    if let Some(&(found, ..)) = applied.last()
        && found > known
    {
        return Err(OpenError::Newer { found, known });
    }
    let migrations = runner.get_migrations();
    for (version, name, checksum, when) in &applied {
        let fits = migrations.iter().any(|migration| {
            migration.version() as u32 == *version
                && migration.name() == name
                && migration.checksum().to_string() == *checksum
        });
        if !fits || !looks_like_a_time(when) {
            return Err(OpenError::Migration(format!(
                "migration {version} in table refinery_schema_history is not the one that this \
                 program knows"
            )));
        }
    }
    if applied.len() == migrations.len() {
        return Ok(0);
    }
    if applied.is_empty() && has_tables(connection).map_err(failed)? {
        return Err(OpenError::Migration(
            "it has tables, and table refinery_schema_history does not say how they were made"
                .to_owned(),
        ));
    }
    let report = runner
        .set_abort_divergent(true)
        .set_abort_missing(true)
        // With the history in one transaction: a start that is killed in between would find tables
        // that nothing says were made, and never start again.
        .set_grouped(true)
        .run(connection)
        .map_err(|error| match met_full_disk(&error) {
            true => OpenError::Full,
            false => OpenError::Migration(reason(&error)),
        })?;
    Ok(report.applied_migrations().len())
}

/// Describes why a migration failed. SQLite's own message contains the whole statement.
fn reason(error: &refinery::Error) -> String {
    use refinery::error::Kind;
    let Kind::Connection(what, cause) = error.kind() else {
        return error.to_string();
    };
    match cause.downcast_ref::<rusqlite::Error>() {
        Some(rusqlite::Error::SqlInputError { msg, .. }) => format!("{what}: {msg}"),
        _ => format!("{what}: {cause}"),
    }
}

/// Whether SQLite found no room for what a migration writes.
fn met_full_disk(error: &refinery::Error) -> bool {
    use refinery::error::Kind;
    let Kind::Connection(_, cause) = error.kind() else {
        return false;
    };
    cause.downcast_ref::<rusqlite::Error>().is_some_and(is_full)
}

fn failed(error: rusqlite::Error) -> OpenError {
    if is_full(&error) {
        return OpenError::Full;
    }
    OpenError::Migration(match error {
        rusqlite::Error::SqlInputError { msg, .. } => msg,
        other => other.to_string(),
    })
}

/// Whether there is any table beside SQLite's own and the history.
fn has_tables(connection: &Connection) -> rusqlite::Result<bool> {
    connection.query_row(
        "SELECT count(*) > 0 FROM sqlite_schema
         WHERE type = 'table' AND name NOT LIKE 'sqlite~_%' ESCAPE '~'
             AND name != 'refinery_schema_history'",
        [],
        |row| row.get(0),
    )
}

type Applied = (u32, String, String, String);

fn applied(connection: &Connection) -> Result<Vec<Applied>, OpenError> {
    let exists: bool = connection
        .query_row(
            "SELECT count(*) FROM sqlite_schema WHERE name = 'refinery_schema_history'",
            [],
            |row| row.get(0),
        )
        .map_err(failed)?;
    if !exists {
        return Ok(Vec::new());
    }
    connection
        .prepare(
            "SELECT version, name, checksum, applied_on FROM refinery_schema_history
             ORDER BY version",
        )
        .and_then(|mut statement| {
            let row =
                |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?));
            statement.query_map([], row)?.collect()
        })
        .map_err(failed)
}

/// Returns whether this is [RFC 3339](https://www.rfc-editor.org/rfc/rfc3339#section-5.6); refinery panics on other text.
fn looks_like_a_time(text: &str) -> bool {
    let shape: String = text
        .chars()
        .map(|c| if c.is_ascii_digit() { '0' } else { c })
        .take("0000-00-00T00:00:00".len())
        .collect();
    shape == "0000-00-00T00:00:00"
}
