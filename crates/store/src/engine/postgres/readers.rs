//! Reads, each on a connection of its own and a thread for blocking work.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use deadpool_postgres::{Object, Pool};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;

use crate::engine::postgres::connection::reason;
use crate::engine::postgres::db::Pg;
use crate::engine::{Acting, Read};
use crate::fault::Fault;

/// Reads that may wait for a connection; further callers wait before they queue.
const QUEUE: usize = 1_024;

/// The connections that read.
pub(crate) struct Readers {
    pool: Pool,
    runtime: Handle,
    room: Arc<Semaphore>,
}

impl Readers {
    pub(crate) fn new(pool: Pool, runtime: Handle) -> Self {
        let room = Arc::new(Semaphore::new(QUEUE));
        Self {
            pool,
            runtime,
            room,
        }
    }

    /// Runs a read when a connection is free.
    pub(crate) async fn submit(&self, acting: Acting, work: Read) -> Result<(), Fault> {
        let room = Arc::clone(&self.room);
        let permit = room.acquire_owned().await.map_err(|_| Fault::Closed)?;
        let pool = self.pool.clone();
        // Connections belong to the engine's runtime: whoever asks may end before they do.
        let client = self.runtime.spawn(async move { pool.get().await });
        let client = client
            .await
            .map_err(|_| Fault::Closed)?
            .map_err(|error| unavailable(&error))?;
        let runtime = self.runtime.clone();
        self.runtime.spawn_blocking(move || {
            let _permit = permit;
            run(client, &runtime, acting, work);
        });
        Ok(())
    }

    /// Refuses more; what is under way ends by itself.
    pub(crate) fn close(&self) {
        self.room.close();
        self.pool.close();
    }
}

fn unavailable(error: &deadpool_postgres::PoolError) -> Fault {
    match error {
        deadpool_postgres::PoolError::Closed => Fault::Closed,
        error => Fault::Unavailable(reason(error)),
    }
}

/// Runs a read on a connection, and leaves it as it was.
pub(crate) fn run(client: Object, runtime: &Handle, acting: Acting, work: Read) {
    let pg = Pg::reading(&client, runtime);
    pg.act(acting);
    if catch_unwind(AssertUnwindSafe(|| work(&pg))).is_err() {
        tracing::error!("a read ended by an internal error");
    }
    let ended = pg.end_read();
    drop(pg);
    if ended.is_err() {
        // Nobody else shall find it in the middle of something.
        drop(Object::take(client));
    }
}
