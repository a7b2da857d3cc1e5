//! The engine over PostgreSQL: one connection that writes, a pool of them that read, and replicas that
//! answer look-ups.
//!
//! Several instances share one database. A request that changes something holds the rows that it read, so that
//! what it decided stays true until it is committed; all take turns at the end of the audit log.

mod address;
mod connection;
mod db;
mod fault;
mod filling;
mod migrations;
mod open;
mod readers;
mod replicas;
mod roles;
mod server;
mod snapshot;
mod standing;
mod value;
mod writer;

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::thread::JoinHandle;

use async_trait::async_trait;
use tokio::runtime::Handle;

pub(crate) use open::{Opening, find};
pub(crate) use server::ServerToRead;

use crate::engine::postgres::connection::Way;
use crate::engine::postgres::open::Owned;
use crate::engine::postgres::readers::Readers;
use crate::engine::postgres::replicas::Replicas;
use crate::engine::postgres::writer::Writer;
use crate::engine::{Acting, Engine, Read, Request, Strip, join, on_a_thread};
use crate::fault::Fault;
use crate::snapshot::{OnCopied, Snapshot, SnapshotError};
use crate::statistics::ReplicaUse;

/// The newest schema that this program knows.
pub(crate) fn schema() -> u32 {
    migrations::known()
}

/// An open database.
pub(crate) struct Postgres {
    way: Way,
    writer: Writer,
    readers: Readers,
    replicas: Replicas,
    threads: Mutex<Vec<JoinHandle<()>>>,
    handle: Handle,
    /// Runs the connections; it comes last, since they end with it.
    _runtime: Owned,
}

#[async_trait]
impl Engine for Postgres {
    async fn read(&self, acting: Acting, work: Read) -> Result<(), Fault> {
        self.readers.submit(acting, work).await
    }

    async fn look_up(&self, work: Read) -> Result<(), Read> {
        self.replicas.submit(work).await
    }

    fn replicas(&self) -> ReplicaUse {
        self.replicas.in_use()
    }

    async fn write(
        &self,
        bytes: usize,
        acting: Acting,
        request: Box<dyn Request>,
    ) -> Result<(), Fault> {
        self.writer.submit(bytes, acting, request).await
    }

    /// Nothing: PostgreSQL overwrites nothing that is deleted, and frees its space by itself. Here only the keys
    /// that are gone make it unreadable.
    async fn forget(&self) {}

    async fn snapshot(
        &self,
        into: PathBuf,
        copied: OnCopied,
        strip: Strip,
    ) -> Result<Snapshot, SnapshotError> {
        let (way, runtime) = (self.way.clone(), self.handle.clone());
        on_a_thread("store-snapshot", move || {
            snapshot::take(&way, &runtime, &into, copied, strip)
        })
        .await?
    }

    fn is_shared(&self) -> bool {
        true
    }

    fn lacking(&self) -> usize {
        self.writer.lacking()
    }

    fn close(&self) -> Result<(), Fault> {
        self.readers.close();
        self.replicas.close();
        self.writer.close();
        join(&mut self.threads.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.readers.close();
        self.replicas.close();
        self.writer.close();
    }
}
