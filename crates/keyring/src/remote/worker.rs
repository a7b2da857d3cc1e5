//! The thread that calls a service.

use std::future::Future;
use std::io;
use std::sync::mpsc::sync_channel;

use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;
use tokio::task::AbortHandle;

/// A thread with a runtime of its own; it ends when this is dropped.
pub(super) struct Worker {
    runtime: Handle,
    /// Ends the thread when it is dropped.
    _running: oneshot::Sender<()>,
}

impl Worker {
    /// Starts the thread.
    pub(super) fn start() -> io::Result<Self> {
        let (running, ended) = oneshot::channel::<()>();
        let (tell, told) = sync_channel(1);
        let work = move || match Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => {
                let _ = tell.send(Ok(runtime.handle().clone()));
                let _ = runtime.block_on(ended);
                // A name that is being looked up keeps nobody waiting.
                runtime.shutdown_background();
            }
            Err(error) => {
                let _ = tell.send(Err(error));
            }
        };
        std::thread::Builder::new()
            .name("key-service".to_owned())
            .spawn(work)?;
        let runtime = told
            .recv()
            .map_err(|_| io::Error::other("the thread ended at once"))??;
        Ok(Self {
            runtime,
            _running: running,
        })
    }

    /// Does work on the thread and waits for it; `None` if it broke off.
    pub(super) fn wait<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Option<T> {
        let (done, answer) = sync_channel(1);
        self.runtime.spawn(async move {
            let _ = done.send(work.await);
        });
        answer.recv().ok()
    }

    /// Does work on the thread beside everything else.
    pub(super) fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) -> AbortHandle {
        self.runtime.spawn(work).abort_handle()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::time::Duration;

    #[test]
    fn work_is_waited_for_from_any_thread_also_from_one_that_runs_futures() {
        let worker = Worker::start().unwrap();
        let work = || async {
            tokio::time::sleep(Duration::from_millis(1)).await;
            7
        };
        assert_eq!(worker.wait(work()), Some(7));
        let runtime = Builder::new_current_thread().build().unwrap();
        let seen = runtime.block_on(async { worker.wait(work()) });
        assert_eq!(seen, Some(7));
        // It may be dropped there as well.
        runtime.block_on(async { drop(worker) });
    }

    #[test]
    fn work_that_breaks_off_is_nothing() {
        let worker = Worker::start().unwrap();
        let broken: Option<()> = worker.wait(async { panic!("for the test") });
        assert_eq!(broken, None);
        assert_eq!(worker.wait(async { 7 }), Some(7));
    }

    #[test]
    fn what_runs_beside_ends_with_the_worker() {
        let worker = Worker::start().unwrap();
        let alive = Arc::new(());
        let theirs = Arc::clone(&alive);
        worker.spawn(async move {
            let _theirs = theirs;
            std::future::pending::<()>().await;
        });
        assert_eq!(worker.wait(async { 7 }), Some(7));
        assert_eq!(Arc::strong_count(&alive), 2);
        drop(worker);
        while Arc::strong_count(&alive) > 1 {
            std::thread::yield_now();
        }
    }
}
