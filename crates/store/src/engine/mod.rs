//! The line between policy and databases.
//!
//! Above it stands everything that decides: what is sealed and tagged, how the audit chain is linked, who may
//! do what, when keys rotate and records go. Below it an engine knows rows: it reads and changes them, runs
//! requests in transactions and locks the end of the chain. No statement and no type of a database stands
//! above the line; no key, no hash and no rule stands below it.
//!
//! **Closures over typed row operations.** A request is a closure over [`Rows`] or [`Changes`] that the engine
//! runs on a thread of its own. It reads, decides and changes within one transaction, so that policy is
//! ordinary code, written once. The alternative, data that describes a request, would need a language for
//! decisions. Operations are as coarse as they can be without deciding, because an engine behind a network
//! pays for each that answers; one that answers nothing need not be waited for.
//!
//! **Refusals are no errors.** An operation that finds what it did not expect says so in its result, and the
//! closure refuses. A fault means that the transaction is lost.
//!
//! **A request may run again.** An engine without savepoints undoes the whole batch when one request fails
//! or refuses after a change, and runs the others again. So the closure of a write is [`FnMut`], and gives
//! away nothing that it owns.
//!
//! **The chain comes last.** A request does not append to the audit log. It hands over sealed events, and the
//! engine asks [`Chain`] for their places after it has locked the end of the chain. SQLite does so at the end
//! of each request, within its savepoint. An engine that several servers share does so once a batch, just
//! before the commit, so that the lock that they all wait for is held as shortly as possible.

pub(crate) mod invites;
pub(crate) mod keys;
pub(crate) mod leases;
pub(crate) mod log;
mod opening;
pub(crate) mod place;
mod postgres;
pub(crate) mod prekeys;
pub(crate) mod public_keys;
mod queue;
pub(crate) mod safes;
pub(crate) mod service_keys;
pub(crate) mod sessions;
pub(crate) mod settings;
mod sql;
mod sqlite;
pub(crate) mod users;

#[cfg(feature = "testing")]
pub(crate) use sqlite::testing;

use std::path::PathBuf;
use std::thread::JoinHandle;

use async_trait::async_trait;
use tokio::sync::oneshot;

use crate::engine::invites::{InviteChanges, InviteRows};
use crate::engine::keys::{KeyChanges, KeyRows};
use crate::engine::leases::LeaseChanges;
use crate::engine::log::{Events, LogChanges, LogRows};
use crate::engine::prekeys::{PrekeyChanges, PrekeyRows};
use crate::engine::public_keys::{PublicKeyChanges, PublicKeyRows};
use crate::engine::safes::{SafeChanges, SafeRows};
use crate::engine::service_keys::{ServiceKeyChanges, ServiceKeyRows};
use crate::engine::sessions::{SessionChanges, SessionRows};
use crate::engine::settings::{SettingChanges, SettingRows};
use crate::engine::users::{UserChanges, UserRows};
use crate::fault::Fault;
use crate::snapshot::{OnCopied, Snapshot, SnapshotError};
use crate::statistics::ReplicaUse;
use api::ids::UserId;

pub(crate) use opening::{Opening, Site};
pub(crate) use postgres::ServerToRead;
pub use sql::{Bindable, Plain, Value};
pub(crate) use sqlite::alone;
pub(crate) use sqlite::file::FileToRead;

/// What an operation comes to; a fault ends the transaction.
pub(crate) type Answer<T = ()> = Result<T, Fault>;

/// Reads rows.
pub(crate) trait Rows:
    UserRows
    + SessionRows
    + PublicKeyRows
    + SafeRows
    + PrekeyRows
    + InviteRows
    + SettingRows
    + LogRows
    + KeyRows
    + ServiceKeyRows
{
}

/// Reads and changes rows within a transaction.
pub(crate) trait Changes:
    Rows
    + UserChanges
    + SessionChanges
    + PublicKeyChanges
    + SafeChanges
    + PrekeyChanges
    + InviteChanges
    + SettingChanges
    + LogChanges
    + KeyChanges
    + LeaseChanges
    + ServiceKeyChanges
{
}

/// For whom a request sees and changes rows.
///
/// An engine with row-level security shows a request for an account no other account's safes and invites, and
/// keeps it from changing them, whatever its statements say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Acting {
    /// For the server: sign-in, administration, jobs.
    Server,
    /// For an account.
    Account(UserId),
    /// For a job of the server that moves keys or lets old records go.
    Job,
}

/// A read; it answers its caller by itself.
pub(crate) type Read = Box<dyn FnOnce(&dyn Rows) + Send>;

/// Changes that are made to a copy of the database.
pub(crate) type Strip = fn(&dyn Changes) -> Result<(), Fault>;

/// A write whose types have been forgotten.
pub(crate) trait Request: Send {
    /// Does the work. It returns the events to append, or `None` if its changes are to be undone.
    fn run(&mut self, rows: &dyn Changes) -> Option<Events>;

    /// Answers the caller after the commit, or with the fault that undid the request.
    fn finish(self: Box<Self>, failure: Option<Fault>);
}

/// Does what takes long on a thread of its own, since readers are for requests.
async fn on_a_thread<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Fault> {
    let (reply, answer) = oneshot::channel();
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(move || {
            // A caller that went away needs no answer.
            let _ = reply.send(work());
        })
        .map_err(|error| Fault::Unavailable(error.to_string()))?;
    answer.await.map_err(|_| Fault::Closed)
}

/// Waits for threads that are about to end.
fn join(threads: &mut Vec<JoinHandle<()>>) -> Result<(), Fault> {
    threads
        .drain(..)
        .try_for_each(JoinHandle::join)
        .map_err(|_| Fault::Unavailable("a thread of the store died".to_owned()))
}

/// An open database that serves requests.
#[async_trait]
pub(crate) trait Engine: Send + Sync {
    /// Queues a read.
    async fn read(&self, acting: Acting, work: Read) -> Result<(), Fault>;

    /// Queues a look-up at a replica; gives it back if no replica may answer.
    async fn look_up(&self, work: Read) -> Result<(), Read> {
        Err(work)
    }

    /// How many replicas there are, and how many answer look-ups.
    fn replicas(&self) -> ReplicaUse {
        ReplicaUse::default()
    }

    /// Queues a write of about `bytes`; it is answered when it is on stable storage.
    async fn write(
        &self,
        bytes: usize,
        acting: Acting,
        request: Box<dyn Request>,
    ) -> Result<(), Fault>;

    /// Removes deleted and replaced values from the files, as far as this engine can.
    async fn forget(&self);

    /// Writes a consistent copy into a file that does not exist yet, and changes the copy by `strip`.
    async fn snapshot(
        &self,
        into: PathBuf,
        copied: OnCopied,
        strip: Strip,
    ) -> Result<Snapshot, SnapshotError>;

    /// Whether other instances may have the same database open.
    fn is_shared(&self) -> bool;

    /// How much a request needed for which there was no room, in bytes, until one of as much is kept.
    fn lacking(&self) -> usize;

    /// Finishes what was accepted, refuses more and lets go of the files. It blocks.
    fn close(&self) -> Result<(), Fault>;
}
