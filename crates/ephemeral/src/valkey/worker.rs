//! The thread on which connections live, whoever asks.

use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::settings::ConnectError;

/// A thread with a runtime; it ends when this is dropped.
pub(super) struct Worker {
    handle: Handle,
    _stop: oneshot::Sender<()>,
}

impl Worker {
    /// Starts the thread.
    pub(super) fn start() -> Result<Self, ConnectError> {
        let failed = |error: &dyn std::fmt::Display| ConnectError::Thread(error.to_string());
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| failed(&error))?;
        let handle = runtime.handle().clone();
        let (stop, stopped) = oneshot::channel::<()>();
        let run = move || {
            // It ends when the sender is dropped.
            let _ = runtime.block_on(stopped);
        };
        std::thread::Builder::new()
            .name("valkey".to_owned())
            .spawn(run)
            .map_err(|error| failed(&error))?;
        Ok(Self {
            handle,
            _stop: stop,
        })
    }

    /// Does work on the thread; of two that are spawned one after the other, the first begins first.
    pub(super) fn spawn<F>(&self, work: F) -> JoinHandle<F::Output>
    where
        F: Future<Output: Send + 'static> + Send + 'static,
    {
        self.handle.spawn(work)
    }

    /// Names the runtime, for whoever spawns later.
    pub(super) fn handle(&self) -> Handle {
        self.handle.clone()
    }
}
