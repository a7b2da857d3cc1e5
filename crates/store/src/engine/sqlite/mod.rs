//! The engine over SQLite: one thread that writes, a few that read. A database in memory has one thread for both.

mod connection;
mod db;
pub(crate) mod file;
mod first_start;
mod migrations;
mod open;
mod readers;
mod snapshot;
mod standing;
#[cfg(feature = "testing")]
pub(crate) mod testing;
mod writer;

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use async_trait::async_trait;

pub(crate) use open::{Opening, Site, schema};
pub(crate) use snapshot::{alone, filled};

use crate::engine::sqlite::readers::Readers;
use crate::engine::sqlite::writer::{Ask, Writer};
use crate::engine::{Acting, Engine, Read, Request, Strip, join, on_a_thread};
use crate::fault::Fault;
use crate::snapshot::{OnCopied, Snapshot, SnapshotError};

/// How often cutting the log off is tried while somebody reads.
const TRUNCATIONS: u32 = 50;

/// An open database.
pub(crate) struct Sqlite {
    /// The file; `None` if the database is in memory.
    path: Option<PathBuf>,
    writer: Writer,
    /// `None` if the one connection that writes also reads.
    readers: Option<Readers>,
    threads: Mutex<Threads>,
}

/// The threads to wait for when closing.
struct Threads {
    readers: Vec<JoinHandle<()>>,
    writer: Vec<JoinHandle<()>>,
}

#[async_trait]
impl Engine for Sqlite {
    async fn read(&self, _: Acting, work: Read) -> Result<(), Fault> {
        match &self.readers {
            Some(readers) => readers.submit(work).await,
            None => self.writer.ask(Ask::Read(work)),
        }
    }

    /// One file has no rows that an account may not see: statements name whose they are.
    async fn write(
        &self,
        bytes: usize,
        acting: Acting,
        request: Box<dyn Request>,
    ) -> Result<(), Fault> {
        self.writer.submit(bytes, acting, request).await
    }

    /// Truncates the write-ahead log, so that no old page is left in it.
    ///
    /// It needs a moment without readers. Without one, the next start does it.
    async fn forget(&self) {
        for _ in 0..TRUNCATIONS {
            match self.writer.truncate_log().await {
                Ok(true) => return,
                Ok(false) => tokio::time::sleep(Duration::from_millis(20)).await,
                Err(_) => return,
            }
        }
        tracing::warn!(
            "the write-ahead log was being read all the time: old pages leave it at the next start"
        );
    }

    async fn snapshot(
        &self,
        into: PathBuf,
        copied: OnCopied,
        strip: Strip,
    ) -> Result<Snapshot, SnapshotError> {
        let Some(source) = self.path.clone() else {
            let reason = "it is in memory, and no copy of it is made".to_owned();
            return Err(Fault::Unavailable(reason).into());
        };
        on_a_thread("store-snapshot", move || {
            snapshot::take(&source, &into, copied, strip)
        })
        .await?
    }

    fn is_shared(&self) -> bool {
        false
    }

    fn lacking(&self) -> usize {
        self.writer.lacking()
    }

    fn close(&self) -> Result<(), Fault> {
        let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        // Readers first, so that the writer's connection is the last and takes the log away.
        if let Some(readers) = &self.readers {
            readers.close();
        }
        let readers = join(&mut threads.readers);
        self.writer.close();
        readers.and(join(&mut threads.writer))
    }
}

impl Drop for Sqlite {
    fn drop(&mut self) {
        if let Some(readers) = &self.readers {
            readers.close();
        }
        self.writer.close();
    }
}
