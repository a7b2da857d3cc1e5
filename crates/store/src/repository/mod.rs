//! The backend over SQLite.

mod administration;
pub(crate) mod chunk;
mod credentials;
mod identity;
pub(crate) mod invite_rows;
mod invites;
mod open;
mod prekey_rows;
mod prekeys;
pub(crate) mod public_key_rows;
mod registration;
mod safe_rows;
mod safes;
pub(crate) mod session_rows;
mod sessions;
mod settings;
pub(crate) mod snapshot;
mod statistics;
pub(crate) mod user_rows;
mod users;

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use chunk::ChunkSize;
pub(crate) use open::{check_key, open};

use crate::engine::sqlite::db::{Db, Place};
use crate::engine::sqlite::readers::Readers;
use crate::engine::sqlite::writer::{WriteTx, Writer};
use crate::fault::Fault;
use crate::keys::state::KeyState;
use crate::sealing::sealer::Sealer;
use crate::store::Backend;
use api::ids::UserId;

/// An open database: one thread that writes, a few that read.
pub(crate) struct Repository {
    pub(crate) writer: Writer,
    pub(crate) readers: Readers,
    pub(crate) sealer: Arc<Sealer>,
    /// How many expired sessions end at once.
    expired: ChunkSize,
    threads: Mutex<Threads>,
    /// Where keys come from, and the job that moves values between them.
    pub(crate) keys: KeyState,
}

/// Expired sessions in the first chunk; later ones adapt.
const FIRST_CHUNK: usize = 64;
const SMALLEST_CHUNK: usize = 8;

/// The owner of the decoy: no account, because ids are random.
pub(crate) const NOBODY: UserId = UserId::from_bytes([0; 16]);

/// The threads to wait for when closing.
struct Threads {
    readers: Vec<JoinHandle<()>>,
    writer: Vec<JoinHandle<()>>,
}

impl Repository {
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
    pub(crate) fn whole<T>(&self, place: Place<'_>, read: rusqlite::Result<T>) -> Result<T, Fault> {
        let read = read.map_err(|error| place.fault(error));
        self.sealer.tags.damages.noted(read)
    }

    /// Reads on a thread of the pool.
    pub(crate) async fn read<T, F>(&self, work: F) -> Result<T, Fault>
    where
        T: Send + 'static,
        F: FnOnce(Db<'_>) -> Result<T, Fault> + Send + 'static,
    {
        self.readers.submit(work).await
    }

    /// Writes on the writer's thread; `bytes` is about how much.
    pub(crate) async fn write<T, E, F>(&self, bytes: usize, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Fault> + Send + 'static,
        F: FnOnce(&mut WriteTx<'_>) -> Result<T, E> + Send + 'static,
    {
        self.writer.submit(bytes, work).await
    }
}

impl Backend for Repository {
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

impl Drop for Repository {
    fn drop(&mut self) {
        self.readers.close();
        self.writer.close();
    }
}
