//! A few threads that read, each with a connection of its own.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use rusqlite::Connection;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::engine::Read;
use crate::engine::sqlite::db::{Db, end_read};
use crate::fault::Fault;

/// Reads that may wait for a thread; further callers wait before they queue.
const QUEUE: usize = 1_024;

type Job = (Read, OwnedSemaphorePermit);

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

    /// Queues a read for one of the threads.
    pub(crate) async fn submit(&self, work: Read) -> Result<(), Fault> {
        let permit = Arc::clone(&self.room)
            .acquire_owned()
            .await
            .map_err(|_| Fault::Closed)?;
        self.sender
            .send(Some((work, permit)))
            .map_err(|_| Fault::Closed)
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
        let Ok(Some((work, _permit))) = next else {
            return;
        };
        if catch_unwind(AssertUnwindSafe(|| work(&Db { connection }))).is_err() {
            tracing::error!("a read ended by an internal error");
        }
        end_read(connection);
    }
}
