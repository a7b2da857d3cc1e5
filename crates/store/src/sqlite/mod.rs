//! The backend over SQLite.

mod administration;
mod audit;
mod authorship;
mod binding;
pub(crate) mod bound_setting;
mod bound_user;
pub(crate) mod chain;
mod chunk;
mod codec;
mod columns;
pub(crate) mod connection;
mod credentials;
pub(crate) mod db;
pub(crate) mod first_start;
pub(crate) mod heads;
mod identity;
mod invite_rows;
mod invites;
mod kek_rows;
mod key_jobs;
mod key_state;
mod key_walk;
mod keys;
mod migrations;
mod open;
mod prekey_rows;
mod prekeys;
mod public_key_rows;
mod readers;
mod registration;
mod retention;
mod rotation;
mod safe_rows;
mod safes;
mod sealer;
mod session_rows;
mod sessions;
mod settings;
pub(crate) mod snapshot;
mod sources;
mod standing;
mod statistics;
mod tags;
mod user_rows;
mod users;
mod writer;

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

pub use binding::ROWS_BOUND;
#[cfg(feature = "testing")]
pub(crate) use binding::untag;
pub(crate) use open::{check_key, open};

use crate::fault::Fault;
use crate::sqlite::chunk::ChunkSize;
use crate::sqlite::db::{Db, Place};
use crate::sqlite::key_state::KeyState;
use crate::sqlite::readers::Readers;
use crate::sqlite::sealer::Sealer;
use crate::sqlite::writer::{WriteTx, Writer};
use crate::store::Backend;
use api::ids::UserId;

/// An open database: one thread that writes, a few that read.
pub(crate) struct SqliteBackend {
    writer: Writer,
    readers: Readers,
    sealer: Arc<Sealer>,
    /// How many expired sessions end at once.
    expired: ChunkSize,
    threads: Mutex<Threads>,
    /// Where keys come from, and the job that moves values between them.
    keys: KeyState,
}

/// Expired sessions in the first chunk; later ones adapt.
const FIRST_CHUNK: usize = 64;
const SMALLEST_CHUNK: usize = 8;

/// The owner of the decoy: no account, because ids are random.
const NOBODY: UserId = UserId::from_bytes([0; 16]);

/// The threads to wait for when closing.
struct Threads {
    readers: Vec<JoinHandle<()>>,
    writer: Vec<JoinHandle<()>>,
}

impl SqliteBackend {
    fn new(
        writer: Writer,
        readers: Readers,
        sealer: Sealer,
        threads: Threads,
        keys: KeyState,
    ) -> Result<Self, Fault> {
        let this = Self {
            writer,
            readers,
            sealer: Arc::new(sealer),
            expired: ChunkSize::new(FIRST_CHUNK, SMALLEST_CHUNK),
            threads: Mutex::new(threads),
            keys,
        };
        this.seal_decoy()?;
        Ok(this)
    }

    /// A row of a list as it was read, or its damage.
    fn whole<T>(&self, place: Place<'_>, read: rusqlite::Result<T>) -> Result<T, Fault> {
        let read = read.map_err(|error| place.fault(error));
        self.sealer.tags.damages.noted(read)
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
        let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        // Readers first, so that the writer's connection is the last and takes the log away.
        self.readers.close();
        let readers = join(&mut threads.readers);
        self.writer.close();
        readers.and(join(&mut threads.writer))
    }
}

fn join(threads: &mut Vec<JoinHandle<()>>) -> Result<(), Fault> {
    threads
        .drain(..)
        .try_for_each(|thread| thread.join())
        .map_err(|_| Fault::Unavailable("a thread of the store died".to_owned()))
}

impl Drop for SqliteBackend {
    fn drop(&mut self) {
        self.readers.close();
        self.writer.close();
    }
}
