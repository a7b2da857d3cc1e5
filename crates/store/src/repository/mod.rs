//! The repositories: each call is sealed, decided and recorded here, over whichever engine holds the rows.

mod administration;
mod chunk;
mod credentials;
mod identity;
mod invite_rows;
mod invites;
mod joined_wraps;
mod leases;
mod open;
mod prekey_rows;
mod prekeys;
pub(crate) mod public_key_rows;
mod registration;
mod safe_rows;
mod safes;
mod service_key_rows;
mod service_keys;
mod session_rows;
mod sessions;
mod settings;
mod snapshot;
mod statistics;
mod transaction;
pub(crate) mod user_rows;
mod users;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::timeout;

pub(crate) use chunk::ChunkSize;
#[cfg(feature = "testing")]
pub(crate) use joined_wraps::join;
#[cfg(feature = "testing")]
pub(crate) use open::with_its_keys;
pub(crate) use open::{check_key, grant, move_rows, open};
pub(crate) use snapshot::mark_restored;
pub(crate) use transaction::Tx;

use crate::audit::AuditEvent;
use crate::audit::log::weight;
use crate::engine::{Acting, Engine, Rows};
use crate::fault::Fault;
use crate::keys::state::KeyState;
use crate::repository::transaction::Work;
use crate::sealing::sealer::Sealer;
use crate::store::Backend;
use api::ids::UserId;

/// An open store: the rows, and what seals and opens them.
pub(crate) struct Repository {
    pub(crate) engine: Arc<dyn Engine>,
    pub(crate) sealer: Arc<Sealer>,
    /// How many expired sessions end at once.
    expired: ChunkSize,
    /// Where keys come from, and the job that moves values between them.
    pub(crate) keys: KeyState,
}

/// Expired sessions in the first chunk; later ones adapt.
const FIRST_CHUNK: usize = 64;
const SMALLEST_CHUNK: usize = 8;

/// How long a replica may take for a look-up.
const REPLICA_PATIENCE: Duration = Duration::from_secs(5);

/// The owner of the decoy: no account, because ids are random.
pub(crate) const NOBODY: UserId = UserId::from_bytes([0; 16]);

impl Repository {
    fn new(engine: Arc<dyn Engine>, sealer: Sealer, keys: KeyState) -> Result<Self, Fault> {
        let this = Self {
            engine,
            sealer: Arc::new(sealer),
            expired: ChunkSize::new(FIRST_CHUNK, SMALLEST_CHUNK),
            keys,
        };
        this.seal_decoy()?;
        Ok(this)
    }

    /// Runs a read on a thread of the engine.
    pub(crate) async fn read<T, F>(&self, work: F) -> Result<T, Fault>
    where
        T: Send + 'static,
        F: FnOnce(&dyn Rows) -> Result<T, Fault> + Send + 'static,
    {
        self.read_for(Acting::Server, work).await
    }

    /// Runs a read that sees what this account may see.
    pub(crate) async fn read_for<T, F>(&self, acting: Acting, work: F) -> Result<T, Fault>
    where
        T: Send + 'static,
        F: FnOnce(&dyn Rows) -> Result<T, Fault> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let work = Box::new(move |rows: &dyn Rows| {
            // A caller that went away needs no answer.
            let _ = reply.send(work(rows));
        });
        self.engine.read(acting, work).await?;
        answer.await.map_err(|_| Fault::Closed)?
    }

    /// Runs a read that may be some seconds old, at a replica if one can answer.
    ///
    /// Nothing may be decided by it: what was revoked at another instance may still be there. What was written
    /// here is there. What cannot be read at a replica is read again where it is written.
    pub(crate) async fn look_up<T, F>(&self, work: F) -> Result<T, Fault>
    where
        T: Send + 'static,
        F: Fn(&dyn Rows) -> Result<T, Fault> + Clone + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let there = work.clone();
        let read = Box::new(move |rows: &dyn Rows| {
            // A caller that went away needs no answer.
            let _ = reply.send(there(rows));
        });
        if self.engine.look_up(read).await.is_ok()
            && let Ok(Ok(Ok(found))) = timeout(REPLICA_PATIENCE, answer).await
        {
            return Ok(found);
        }
        self.read(work).await
    }

    /// Runs a write in a transaction of the engine and waits until it is committed; `bytes` is about how
    /// much it writes.
    ///
    /// The closure may run more than once: see [`crate::engine`].
    pub(crate) async fn write<T, E, F>(&self, bytes: usize, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Fault> + Send + 'static,
        F: FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    {
        self.write_for(Acting::Server, bytes, work).await
    }

    /// Runs a write that sees and changes what this account may.
    pub(crate) async fn write_for<T, E, F>(
        &self,
        acting: Acting,
        bytes: usize,
        work: F,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Fault> + Send + 'static,
        F: FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    {
        let (work, answer) = Work::new(Arc::clone(&self.sealer.tags), work);
        self.engine.write(bytes, acting, Box::new(work)).await?;
        answer.await.map_err(|_| Fault::Closed)?
    }
}

impl Repository {
    /// Writes, and appends the records of what was done.
    pub(crate) async fn record<T, E, F>(
        &self,
        acting: Acting,
        bytes: usize,
        audit: Vec<AuditEvent>,
        mut work: F,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Fault> + Send + 'static,
        F: FnMut(&Tx<'_>) -> Result<T, E> + Send + 'static,
    {
        let events = self.seal_events(audit).await?;
        self.write_for(acting, bytes + weight(&events), move |tx| {
            let done = work(tx)?;
            tx.append(&events);
            Ok(done)
        })
        .await
    }

    /// Writes, and appends the records if something was changed.
    pub(crate) async fn record_change<E, F>(
        &self,
        acting: Acting,
        bytes: usize,
        audit: Vec<AuditEvent>,
        mut work: F,
    ) -> Result<bool, E>
    where
        E: From<Fault> + Send + 'static,
        F: FnMut(&Tx<'_>) -> Result<bool, E> + Send + 'static,
    {
        let events = self.seal_events(audit).await?;
        self.write_for(acting, bytes + weight(&events), move |tx| {
            let changed = work(tx)?;
            if changed {
                tx.append(&events);
            }
            Ok(changed)
        })
        .await
    }
}

impl Backend for Repository {
    fn close(&self) -> Result<(), Fault> {
        self.engine.close()
    }
}
