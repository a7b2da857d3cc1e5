//! Copies of the database as a file of SQLite: what backups, drills and moves read.

use std::path::Path;

use tokio::runtime::Handle;

use crate::engine::Strip;
use crate::engine::postgres::connection::Way;
use crate::engine::postgres::db::Pg;
use crate::engine::sql::{Sql, copy};
use crate::engine::sqlite;
use crate::fault::Fault;
use crate::snapshot::{OnCopied, Snapshot, SnapshotError};

/// Copies every row of one moment into a new file, strips the copy and checks it.
pub(crate) fn take(
    way: &Way,
    runtime: &Handle,
    into: &Path,
    mut copied: OnCopied,
    strip: Strip,
) -> Result<Snapshot, SnapshotError> {
    let client = runtime
        .block_on(way.connect())
        .map_err(Fault::Unavailable)?;
    let pg = Pg::reading(&client, runtime);
    pg.one_moment()?;
    let snapshot = sqlite::filled(into, strip, |file| copy(&pg, file, &mut copied));
    // A connection of its own: it ends here.
    let _ = pg.end_read();
    snapshot
}
