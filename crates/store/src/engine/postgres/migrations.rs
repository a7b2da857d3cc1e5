//! Migrations: numbered, forward only.

use deadpool_postgres::ClientWrapper;
use tokio::runtime::Handle;

use crate::config::OpenError;
use crate::engine::postgres::fault::{described, is_denied};

#[allow(clippy::unwrap_used, missing_docs)]
mod embedded {
    refinery::embed_migrations!("migrations/postgres");
}

/// Keeps two starts from migrating at once; "SMSG" and the number of this use.
const LOCK: &str = "SELECT pg_advisory_xact_lock(x'534d534700000001'::bigint)";
/// How long a start waits for another one that migrates.
const WAIT: &str = "SET LOCAL lock_timeout = '60s'";

/// Newest schema that this program knows.
pub(crate) fn known() -> u32 {
    embedded::migrations::runner()
        .get_migrations()
        .iter()
        .map(|migration| migration.version() as u32)
        .max()
        .unwrap_or_default()
}

/// Holds back every other start until the connection ends or [`unlock`] is called.
pub(crate) async fn lock(client: &ClientWrapper) -> Result<(), OpenError> {
    let statements =
        format!("BEGIN; SET LOCAL idle_in_transaction_session_timeout = 0; {WAIT}; {LOCK}");
    client.batch_execute(&statements).await.map_err(|error| {
        OpenError::Migration(format!(
            "another start has held the database for a minute: {}",
            described(&error)
        ))
    })
}

/// Lets the next start go on.
pub(crate) async fn unlock(client: &ClientWrapper) {
    // Where this fails the connection is gone, and with it the lock.
    let _ = client.batch_execute("COMMIT").await;
}

/// The newest migration that ran; `None` in an empty database.
pub(crate) fn applied(client: &ClientWrapper, runtime: &Handle) -> Result<Option<u32>, OpenError> {
    let failed = |error| refused(&error);
    runtime.block_on(async {
        let table = "SELECT to_regclass('refinery_schema_history') IS NOT NULL";
        let there: bool = client.query_one(table, &[]).await.map_err(failed)?.get(0);
        if !there {
            return Ok(None);
        }
        let newest = "SELECT max(version)::bigint FROM refinery_schema_history";
        let newest: Option<i64> = client.query_one(newest, &[]).await.map_err(failed)?.get(0);
        Ok(newest.map(|version| version as u32))
    })
}

/// Brings the schema up to date; answers how many migrations ran.
pub(crate) fn run(client: &mut ClientWrapper, runtime: &Handle) -> Result<usize, OpenError> {
    let known = known();
    if let Some(found) = applied(client, runtime)? {
        if found > known {
            return Err(OpenError::Newer { found, known });
        }
        if found == known {
            return Ok(0);
        }
    }
    let report = runtime
        .block_on(
            embedded::migrations::runner()
                .set_abort_divergent(true)
                .set_abort_missing(true)
                .set_grouped(true)
                .run_async(&mut **client),
        )
        .map_err(|error| cause(&error))?;
    Ok(report.applied_migrations().len())
}

/// PostgreSQL's own words: refinery's contain the whole statement.
fn cause(error: &refinery::Error) -> OpenError {
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        if let Some(error) = inner.downcast_ref::<tokio_postgres::Error>() {
            return refused(error);
        }
        cause = inner.source();
    }
    OpenError::Migration(error.to_string())
}

fn refused(error: &tokio_postgres::Error) -> OpenError {
    match is_denied(error) {
        true => OpenError::NotGranted(described(error)),
        false => OpenError::Migration(described(error)),
    }
}
