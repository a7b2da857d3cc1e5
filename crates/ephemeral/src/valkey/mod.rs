//! The backend over Valkey or Redis: what several instances of the server share.
//!
//! # Nodes
//! Each node is an engine of its own, without replicas. An account belongs to one node, by rendezvous
//! hashing over the list of addresses, which is the same for every instance. A message lies whole at its
//! poster's node, so that each of its transitions is one function that runs there alone. A reader's
//! requests ask one node after the other until one holds the message; the token of a claim names the node.
//!
//! A node has an epoch, drawn when somebody first meets the empty node and compared by every function.
//! Under another epoch what lay there is gone: connections of its accounts are closed, so that their clients
//! come back and hear what became of their messages. The boot id is that of the life of the whole plane, which
//! ends when the last node with it begins anew; a node that begins anew alone is told it by the others.
//!
//! # Bytes
//! Bodies, slots and halves of resume wraps are plain strings that pass through no function. They are
//! overwritten where they lie, then freed. They travel over connections of their own, which end when a burst
//! is over, with their buffers on both sides; those that an engine keeps are overwritten by an `ECHO`. What an engine must be set to is
//! checked when it is first met, and each minute.
//!
//! # Waking
//! A function that changes a message tells the instances that hold sockets of the accounts concerned, in
//! the same step. The instance that called is told in its answer. After a lost subscription an instance
//! asks what waits for each of its sockets.
//!
//! # Ends
//! What an instance holds ends with its presence, which it renews. Small things end by the instances'
//! clock and, a minute later, by the engine's. Messages end by [`purge_due`](crate::MessageVault), which
//! any instance runs, so that their bytes are overwritten.

mod bodies;
mod check;
mod claims;
mod connections;
mod core;
mod drawn;
mod events;
mod fetch;
mod library;
mod limits;
mod link;
mod local;
mod node;
mod passed;
mod place;
mod post;
mod reading;
mod resume;
mod settings;
mod subscription;
mod upkeep;
mod vault;
mod wire;
mod worker;

use std::sync::Arc;

use ambient::Ambient;

pub use check::Unfit;
pub use settings::{ConnectError, Report, Settings};

use self::core::Core;
use self::worker::Worker;
use crate::{Answer, Config, Unreachable};

/// A plane in the memory of engines elsewhere.
pub struct Valkey {
    core: Arc<Core>,
    worker: Worker,
    /// Ends the test's engine after everything that uses it.
    #[cfg(test)]
    engine: Option<Arc<servers::Valkey>>,
}

impl Valkey {
    /// Connects to every node and checks it.
    ///
    /// # Errors
    /// [`ConnectError`] says what to change.
    pub async fn connect(
        settings: Settings,
        config: Config,
        ambient: Ambient,
    ) -> Result<Self, ConnectError> {
        let worker = Worker::start()?;
        let core = Arc::new(Core::new(settings, config, ambient)?);
        let started = Arc::clone(&core);
        let start = worker.spawn(async move { started.start().await });
        start.await.map_err(|_| ConnectError::Ended)??;
        Ok(Self {
            core,
            worker,
            #[cfg(test)]
            engine: None,
        })
    }

    /// Does work on the backend's own thread, which goes on although nobody waits for it any more.
    fn ask<T, F>(&self, work: impl FnOnce(Arc<Core>) -> F) -> Answer<'_, T>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Unreachable>> + Send + 'static,
    {
        let task = self.worker.spawn(work(Arc::clone(&self.core)));
        Answer::Later(Box::pin(
            async move { task.await.unwrap_or(Err(Unreachable)) },
        ))
    }
}

#[cfg(test)]
mod tests;
