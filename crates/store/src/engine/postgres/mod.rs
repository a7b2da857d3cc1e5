//! The engine over PostgreSQL: one connection that writes, a pool of them that read.
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
mod roles;
mod snapshot;
mod value;
mod writer;

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::thread::JoinHandle;

use async_trait::async_trait;
use tokio::runtime::Handle;
use tokio::sync::oneshot;

pub(crate) use open::{Opening, find};

use crate::engine::postgres::connection::Way;
use crate::engine::postgres::open::Owned;
use crate::engine::postgres::readers::Readers;
use crate::engine::postgres::writer::Writer;
use crate::engine::{Acting, Engine, Read, Request, Strip};
use crate::fault::Fault;
use crate::snapshot::{OnCopied, Snapshot, SnapshotError};

/// The newest schema that this program knows.
pub(crate) fn schema() -> u32 {
    migrations::known()
}

/// An open database.
pub(crate) struct Postgres {
    way: Way,
    writer: Writer,
    readers: Readers,
    thread: Mutex<Option<JoinHandle<()>>>,
    handle: Handle,
    /// Runs the connections; it comes last, since they end with it.
    _runtime: Owned,
}

#[async_trait]
impl Engine for Postgres {
    async fn read(&self, acting: Acting, work: Read) -> Result<(), Fault> {
        self.readers.submit(acting, work).await
    }

    async fn write(
        &self,
        bytes: usize,
        acting: Acting,
        request: Box<dyn Request>,
    ) -> Result<(), Fault> {
        self.writer.submit(bytes, acting, request).await
    }

    /// Frees the space of what was deleted. Its bytes stay in free pages and in the write-ahead log until they
    /// are written over: here only the keys that are gone make it unreadable.
    async fn forget(&self) {
        let way = self.way.clone();
        let vacuumed = self.handle.spawn(async move {
            let client = way.connect().await?;
            client
                .batch_execute("VACUUM")
                .await
                .map_err(|error| fault::described(&error))
        });
        match vacuumed.await {
            Ok(Ok(())) => {}
            Ok(Err(reason)) => tracing::warn!(%reason, "the database could not be vacuumed"),
            // The engine was closed meanwhile.
            Err(_) => {}
        }
    }

    async fn snapshot(
        &self,
        into: PathBuf,
        copied: OnCopied,
        strip: Strip,
    ) -> Result<Snapshot, SnapshotError> {
        let (way, runtime) = (self.way.clone(), self.handle.clone());
        let (reply, answer) = oneshot::channel();
        // A thread of its own: it takes long, and readers are for requests.
        std::thread::Builder::new()
            .name("store-snapshot".to_owned())
            .spawn(move || {
                // A caller that went away needs no answer.
                let _ = reply.send(snapshot::take(&way, &runtime, &into, copied, strip));
            })
            .map_err(|error| Fault::Unavailable(error.to_string()))?;
        answer.await.map_err(|_| Fault::Closed)?
    }

    fn is_shared(&self) -> bool {
        true
    }

    fn lacking(&self) -> usize {
        self.writer.lacking()
    }

    fn close(&self) -> Result<(), Fault> {
        self.readers.close();
        self.writer.close();
        let thread = self
            .thread
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        match thread.map(JoinHandle::join) {
            None | Some(Ok(())) => Ok(()),
            Some(Err(_)) => Err(Fault::Unavailable("a thread of the store died".to_owned())),
        }
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.readers.close();
        self.writer.close();
    }
}
