//! The backend over SQLite.

mod audit;
mod chain;
mod codec;
mod connection;
mod credentials;
mod db;
mod identity;
mod invites;
mod keys;
mod migrations;
mod open;
mod prekey_rows;
mod prekeys;
mod readers;
mod registration;
mod safe_rows;
mod safes;
mod sealer;
mod session_rows;
mod sessions;
mod settings;
mod statistics;
mod user_rows;
mod users;
mod writer;

use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

pub(crate) use open::open;

use crate::fault::Fault;
use crate::sqlite::db::Db;
use crate::sqlite::readers::Readers;
use crate::sqlite::sealer::Sealer;
use crate::sqlite::sessions::FIRST_CHUNK;
use crate::sqlite::writer::{WriteTx, Writer};
use crate::store::Backend;

/// An open database: one thread that writes, a few that read.
pub(crate) struct SqliteBackend {
    writer: Writer,
    readers: Readers,
    sealer: Arc<Sealer>,
    /// How many expired sessions go in one chunk; adapts to the machine.
    chunk: Arc<AtomicUsize>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl SqliteBackend {
    fn new(
        writer: Writer,
        readers: Readers,
        sealer: Sealer,
        threads: Mutex<Vec<JoinHandle<()>>>,
    ) -> Self {
        let chunk = Arc::new(AtomicUsize::new(FIRST_CHUNK));
        Self {
            writer,
            readers,
            sealer: Arc::new(sealer),
            chunk,
            threads,
        }
    }

    /// Reads on a thread of the pool.
    async fn read<T, F>(&self, work: F) -> Result<T, Fault>
    where
        T: Send + 'static,
        F: FnOnce(Db<'_>) -> Result<T, Fault> + Send + 'static,
    {
        self.readers.submit(work).await
    }

    /// Writes on the writer's thread; `bytes` is about how much.
    async fn write<T, E, F>(&self, bytes: usize, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Fault> + Send + 'static,
        F: FnOnce(&mut WriteTx<'_>) -> Result<T, E> + Send + 'static,
    {
        self.writer.submit(bytes, work).await
    }
}

impl Backend for SqliteBackend {
    fn close(&self) -> Result<(), Fault> {
        self.readers.close();
        self.writer.close();
        let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        // Readers first, so that the writer's connection is the last and takes the log away.
        for thread in threads.drain(..) {
            thread
                .join()
                .map_err(|_| Fault::Unavailable("a thread of the store died".to_owned()))?;
        }
        Ok(())
    }
}

impl Drop for SqliteBackend {
    fn drop(&mut self) {
        self.readers.close();
        self.writer.close();
    }
}
