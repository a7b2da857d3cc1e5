//! The thread on which connections live, whoever asks.

use std::io;

use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// A thread with a runtime; it ends when this is dropped.
pub(super) struct Worker {
    handle: Handle,
    _stop: oneshot::Sender<()>,
}

impl Worker {
    /// Starts the thread.
    pub(super) fn start() -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let (stop, stopped) = oneshot::channel::<()>();
        let run = move || {
            // It ends when the sender is dropped.
            let _ = runtime.block_on(stopped);
        };
        std::thread::Builder::new()
            .name("valkey".to_owned())
            .spawn(run)?;
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
