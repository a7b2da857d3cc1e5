//! A database that is read beside the instances that serve from it.

use deadpool_postgres::ClientWrapper;
use tokio::runtime::Handle;

use crate::config::OpenError;
use crate::engine::Rows;
use crate::engine::postgres::connection::Way;
use crate::engine::postgres::db::Pg;
use crate::engine::postgres::open::Owned;
use crate::engine::sql::Sql;
use crate::fault::Fault;
use crate::postgres::PostgresConfig;

/// A database of PostgreSQL, open for reading; no start waits for it, and it waits for none.
pub(crate) struct ServerToRead {
    client: ClientWrapper,
    handle: Handle,
    /// Runs the connection; it comes last, since that ends with it.
    _runtime: Owned,
}

impl ServerToRead {
    /// Connects to a database of this program.
    ///
    /// It blocks, as everything here does: call it on a thread that belongs to no runtime.
    pub(crate) fn open(postgres: &PostgresConfig) -> Result<Self, OpenError> {
        let failed = |reason: String| OpenError::Io {
            database: postgres.shown(),
            reason,
        };
        let way = Way::to(postgres)?;
        let (runtime, handle) = Owned::new().map_err(|error| failed(error.to_string()))?;
        let client = handle.block_on(way.connect_to_read()).map_err(failed)?;
        let there = Pg::reading(&client, &handle).has_table("audit_heads");
        if !there.map_err(OpenError::Damaged)? {
            return Err(OpenError::Missing(postgres.shown()));
        }
        Ok(Self {
            client,
            handle,
            _runtime: runtime,
        })
    }

    /// Reads rows of one moment, if the closure asks for that.
    pub(crate) fn read<T>(
        &self,
        work: impl FnOnce(&dyn Rows) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let pg = Pg::reading(&self.client, &self.handle);
        let done = work(&pg)?;
        pg.end_read().map_err(|failure| failure.fault)?;
        Ok(done)
    }
}
