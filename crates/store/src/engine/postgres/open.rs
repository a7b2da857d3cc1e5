//! Opens a database of PostgreSQL.

use std::sync::Arc;
use std::sync::atomic::AtomicI64;

use ambient::Clock;
use deadpool_postgres::ClientWrapper;
use tokio::runtime::{Builder, Handle, Runtime};

use crate::config::{OpenError, StoreConfig};
use crate::engine::Changes;
use crate::engine::log::Chain;
use crate::engine::place::many;
use crate::engine::postgres::connection::Way;
use crate::engine::postgres::db::Pg;
use crate::engine::postgres::fault::fault;
use crate::engine::postgres::filling;
use crate::engine::postgres::readers::Readers;
use crate::engine::postgres::replicas::Replicas;
use crate::engine::postgres::{Postgres, migrations, roles, writer};
use crate::engine::sql::Sql;
use crate::fault::Fault;
use crate::postgres::PostgresConfig;

/// The oldest PostgreSQL that is tried, as it numbers itself.
const OLDEST: i64 = 140_000;

/// A database that serves nobody yet. Other starts wait until this one is done.
pub(crate) struct Opening {
    way: Way,
    config: PostgresConfig,
    clock: Arc<dyn Clock>,
    /// The role of jobs, where the server's own may not do everything.
    jobs: Option<String>,
    client: ClientWrapper,
    /// Holds the lock of starts.
    guard: ClientWrapper,
    handle: Handle,
    /// Runs the connections; it comes last, since they end with it.
    runtime: Owned,
    /// Whether it holds tables of this program, perhaps of an older schema.
    pub has_tables: bool,
}

/// A runtime that may be let go of anywhere.
pub(crate) struct Owned(Option<Runtime>);

impl Owned {
    pub(crate) fn new() -> std::io::Result<(Self, Handle)> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("store-postgres")
            .enable_all()
            .build()?;
        let handle = runtime.handle().clone();
        Ok((Self(Some(runtime)), handle))
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// Connects, waits for other starts, and looks at what is there.
///
/// It blocks, as everything here does: call it on a thread that belongs to no runtime.
pub(crate) fn find(config: &StoreConfig, postgres: &PostgresConfig) -> Result<Opening, OpenError> {
    let unreachable = |reason: String| OpenError::Io {
        database: config.path.clone(),
        reason,
    };
    let way = Way::to(postgres)?;
    let (runtime, handle) = Owned::new().map_err(|error| unreachable(error.to_string()))?;
    let (client, guard) = handle.block_on(async {
        let client = way.connect().await.map_err(unreachable)?;
        let guard = way.connect().await.map_err(unreachable)?;
        migrations::lock(&guard).await?;
        Ok::<_, OpenError>((client, guard))
    })?;
    let has_tables = look(&client, &handle, config)?;
    Ok(Opening {
        way,
        config: postgres.clone(),
        clock: config.ambient.clock(),
        jobs: None,
        client,
        guard,
        handle,
        runtime,
        has_tables,
    })
}

/// Whether the database holds our tables; an error when it holds something else, or cannot be used.
fn look(client: &ClientWrapper, runtime: &Handle, config: &StoreConfig) -> Result<bool, OpenError> {
    let refused = |reason: String| OpenError::Unfit {
        database: config.path.clone(),
        reason,
    };
    let pg = Pg::reading(client, runtime);
    let facts = "SELECT current_setting('server_version_num')::bigint,
             current_setting('server_encoding'), current_setting('fsync'),
             (SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user),
             coalesce(has_table_privilege(to_regclass('keks')::oid, 'SELECT'),
                 has_schema_privilege(current_schema()::text, 'CREATE'), false)";
    let facts = pg
        .one(many("pg_settings"), facts, &[], |line| {
            let facts: (i64, String, String) = (line.get(0)?, line.get(1)?, line.get(2)?);
            let (unguarded, may_begin): (bool, bool) = (line.get(3)?, line.get(4)?);
            Ok((facts, unguarded, may_begin))
        })
        .map_err(OpenError::Damaged)?;
    let Some(((version, encoding, fsync), unguarded, may_begin)) = facts else {
        return Err(refused("it does not answer".to_owned()));
    };
    if version < OLDEST {
        return Err(refused(
            "PostgreSQL is older than 14: use a newer one".to_owned(),
        ));
    }
    if encoding != "UTF8" {
        return Err(refused(format!(
            "its encoding is {encoding}: make one with CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0, and \
             name that in DATABASE_URL"
        )));
    }
    if fsync != "on" {
        tracing::warn!(
            "fsync is off in PostgreSQL: a crash of its machine may lose what was acknowledged"
        );
    }
    if unguarded {
        tracing::warn!(
            "the database's role is a superuser or bypasses row-level security: give the server a role \
             that does not"
        );
    }
    let tables = pg.tables().map_err(OpenError::Damaged)?;
    let history = pg.has_table("refinery_schema_history");
    if !tables.is_empty() && !history.map_err(OpenError::Damaged)? {
        return Err(refused(
            "it has tables that this program did not make: name an empty database in DATABASE_URL"
                .to_owned(),
        ));
    }
    if !may_begin {
        return Err(OpenError::NotGranted(
            "it may neither read the tables nor make them".to_owned(),
        ));
    }
    Ok(tables.iter().any(|table| table == "keks"))
}

impl Opening {
    /// The rows as they are.
    pub(crate) fn rows(&self) -> Pg<'_> {
        Pg::reading(&self.client, &self.handle)
    }

    /// The rows as they are at each look, also while [`Opening::rows`] are of one moment.
    pub(crate) fn as_it_is(&self) -> Pg<'_> {
        Pg::reading(&self.guard, &self.handle)
    }

    /// Brings the schema up to date; returns how many migrations ran.
    pub(crate) fn migrate(&mut self) -> Result<usize, OpenError> {
        let migrated = migrations::run(&mut self.client, &self.handle)?;
        self.jobs = roles::jobs(&self.client, &self.handle)?;
        Ok(migrated)
    }

    /// Lets a role serve: it may do what the server does, and nothing that only its owner may.
    pub(crate) fn grant(&mut self, role: &str) -> Result<(), OpenError> {
        roles::grant(&self.client, &self.handle, role)
    }

    /// Writes the rows of another database into this one, which has none, in one transaction.
    pub(crate) fn fill(
        &mut self,
        fill: impl FnOnce(&Pg<'_>) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        let pg = Pg::writing(&self.client, &self.handle, None);
        let filled = filling::fill(&pg, fill).and_then(|()| pg.settle().map_err(|it| it.fault));
        drop(pg);
        end(&self.client, &self.handle, filled)
    }

    /// Changes rows in one transaction.
    pub(crate) fn transact<T>(
        &mut self,
        work: impl FnOnce(&dyn Changes) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        transact(&self.client, &self.handle, work)
    }

    /// Starts what serves requests.
    pub(crate) fn start(self, chain: Arc<dyn Chain>) -> Result<Postgres, OpenError> {
        let pool = self.way.readers(self.config.readers)?;
        let handle = self.handle;
        let acknowledged = Arc::new(AtomicI64::default());
        let replicas = Replicas::start(
            &self.way,
            &self.config,
            Arc::clone(&acknowledged),
            self.clock,
            handle.clone(),
        )?;
        let (writer, thread) = writer::start(
            (self.way.clone(), self.client),
            self.jobs,
            handle.clone(),
            chain,
            acknowledged,
        )
        .map_err(|error| OpenError::Address(error.to_string()))?;
        handle.block_on(migrations::unlock(&self.guard));
        Ok(Postgres {
            way: self.way,
            writer,
            readers: Readers::new(pool, handle.clone()),
            replicas,
            handle,
            threads: vec![thread].into(),
            _runtime: self.runtime,
        })
    }
}

/// Changes rows in one transaction of a connection.
fn transact<T>(
    client: &ClientWrapper,
    runtime: &Handle,
    work: impl FnOnce(&dyn Changes) -> Result<T, Fault>,
) -> Result<T, Fault> {
    let pg = Pg::writing(client, runtime, None);
    let done = work(&pg).and_then(|done| {
        pg.settle().map_err(|failure| failure.fault)?;
        Ok(done)
    });
    drop(pg);
    end(client, runtime, done)
}

/// Commits what went well, and undoes the rest.
fn end<T>(client: &ClientWrapper, runtime: &Handle, done: Result<T, Fault>) -> Result<T, Fault> {
    let end = if done.is_ok() { "COMMIT" } else { "ROLLBACK" };
    let ended = runtime.block_on(client.batch_execute(end));
    let done = done?;
    ended.map_err(|error| fault(many("transaction"), &error))?;
    Ok(done)
}
