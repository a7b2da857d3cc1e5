//! A few threads that read, each with a connection of its own.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use rusqlite::Connection;
use tokio::sync::{Semaphore, oneshot};

use crate::engine::sqlite::db::Db;
use crate::fault::Fault;

/// Reads that may wait for a thread; further callers wait before they queue.
const QUEUE: usize = 1_024;

type Job = Box<dyn FnOnce(Db<'_>) + Send>;

/// Handle of the readers.
pub(crate) struct Readers {
    sender: Sender<Option<Job>>,
    room: Arc<Semaphore>,
    threads: usize,
}

impl Readers {
    /// Starts a thread per connection; they end when closed or when every handle is gone.
    pub(crate) fn start(
        connections: Vec<Connection>,
    ) -> std::io::Result<(Self, Vec<JoinHandle<()>>)> {
        let (sender, receiver) = channel();
        let receiver = Arc::new(Mutex::new(receiver));
        let threads = connections.len();
        let handles = connections
            .into_iter()
            .map(|connection| {
                let receiver = Arc::clone(&receiver);
                std::thread::Builder::new()
                    .name("store-reader".to_owned())
                    .spawn(move || run(&connection, &receiver))
            })
            .collect::<Result<_, _>>()?;
        Ok((
            Self {
                sender,
                room: Arc::new(Semaphore::new(QUEUE)),
                threads,
            },
            handles,
        ))
    }

    /// Runs a read on one of the threads.
    pub(crate) async fn submit<T, F>(&self, work: F) -> Result<T, Fault>
    where
        T: Send + 'static,
        F: FnOnce(Db<'_>) -> Result<T, Fault> + Send + 'static,
    {
        let permit = Arc::clone(&self.room)
            .acquire_owned()
            .await
            .map_err(|_| Fault::Closed)?;
        let (reply, answer) = oneshot::channel();
        let job: Job = Box::new(move |db| {
            let _permit = permit;
            // A caller that went away needs no answer.
            let _ = reply.send(work(db));
        });
        self.sender.send(Some(job)).map_err(|_| Fault::Closed)?;
        answer.await.map_err(|_| Fault::Closed)?
    }

    /// Refuses more and lets the threads end after what is queued.
    pub(crate) fn close(&self) {
        self.room.close();
        for _ in 0..self.threads {
            // The threads may have ended already.
            let _ = self.sender.send(None);
        }
    }
}

fn run(connection: &Connection, receiver: &Mutex<Receiver<Option<Job>>>) {
    loop {
        let next = receiver
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .recv();
        let Ok(Some(job)) = next else { return };
        if catch_unwind(AssertUnwindSafe(|| job(Db { connection }))).is_err() {
            tracing::error!("a read ended by an internal error");
        }
    }
}
