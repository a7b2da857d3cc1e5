//! The queue before a writer, and the loop behind it.
//!
//! **A panic is a fault of this program, and ends one batch.** What the engine was about to commit is undone, those
//! whose requests were in the batch are told that nobody knows what became of them, and the writer goes on: a
//! store that only reads would look alive. The closures of requests are caught on their own, and refuse.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::engine::{Acting, Request};
use crate::fault::Fault;

/// Most requests in one batch; bounds how long the first of them waits.
const MAX_BATCH: usize = 256;
/// KiB that may wait for the writer; further callers wait before they queue.
const QUEUE_KIB: usize = 32 * 1024;
/// What a request counts for in the queue at least, in KiB.
const MIN_KIB: usize = 4;

/// A queued request and about how much it writes, in KiB.
pub(crate) struct Queued {
    pub request: Box<dyn Request>,
    pub acting: Acting,
    pub kib: usize,
    _permit: OwnedSemaphorePermit,
}

enum Message<O> {
    Work(Queued),
    Other(O),
    Close,
}

/// The end at which requests come in; `O` is what else may be asked of the writer.
pub(crate) struct Queue<O> {
    sender: Sender<Message<O>>,
    room: Arc<Semaphore>,
    pub lacking: Lacking,
}

/// The writer's end.
pub(crate) struct Waiting<O> {
    receiver: Receiver<Message<O>>,
    open: bool,
}

/// Both ends of a queue.
pub(crate) fn queue<O>() -> (Queue<O>, Waiting<O>) {
    let (sender, receiver) = channel();
    let room = Arc::new(Semaphore::new(QUEUE_KIB));
    let lacking = Lacking::default();
    let queue = Queue {
        sender,
        room,
        lacking,
    };
    let open = true;
    (queue, Waiting { receiver, open })
}

impl<O> Queue<O> {
    /// How much a request needed for which there was no room, in bytes, until one of as much is kept.
    pub(crate) fn lacking(&self) -> usize {
        self.lacking.0.load(Ordering::Relaxed) * 1024
    }

    /// Queues a request that writes about `bytes`.
    pub(crate) async fn submit(
        &self,
        bytes: usize,
        acting: Acting,
        request: Box<dyn Request>,
    ) -> Result<(), Fault> {
        let kib = (bytes / 1024).clamp(MIN_KIB, QUEUE_KIB);
        let permit = Arc::clone(&self.room)
            .acquire_many_owned(kib as u32)
            .await
            .map_err(|_| Fault::Closed)?;
        self.send(Message::Work(Queued {
            request,
            acting,
            kib,
            _permit: permit,
        }))
    }

    /// Asks for something else, behind what is queued.
    pub(crate) fn ask(&self, other: O) -> Result<(), Fault> {
        self.send(Message::Other(other))
    }

    fn send(&self, message: Message<O>) -> Result<(), Fault> {
        self.sender.send(message).map_err(|_| Fault::Closed)
    }

    /// Refuses more and lets the writer end after what is queued.
    pub(crate) fn close(&self) {
        self.room.close();
        // The writer may have ended already.
        let _ = self.send(Message::Close);
    }
}

impl<O> Waiting<O> {
    /// Waits for the next batch, which is what has queued, and for what else was asked behind it; `None` when
    /// nothing more comes.
    pub(crate) fn next(&mut self) -> Option<(Vec<Queued>, Option<O>)> {
        if !self.open {
            return None;
        }
        let mut batch = Vec::new();
        let mut message = self.receiver.recv().ok();
        loop {
            match message {
                Some(Message::Work(work)) => batch.push(work),
                Some(Message::Other(other)) => return Some((batch, Some(other))),
                Some(Message::Close) | None => {
                    self.open = false;
                    return (!batch.is_empty()).then_some((batch, None));
                }
            }
            if batch.len() == MAX_BATCH {
                return Some((batch, None));
            }
            message = match self.receiver.try_recv() {
                Ok(next) => Some(next),
                Err(_) => return Some((batch, None)),
            };
        }
    }
}

/// What a writer does with its connection.
pub(crate) trait Writes<O> {
    /// Commits a batch and answers each request that it takes out of it.
    fn commit(&mut self, batch: &mut Vec<Queued>);

    /// Does what else was asked, and what is due after a commit.
    fn then(&mut self, other: Option<O>);

    /// Undoes what a panic left open.
    fn undo(&mut self);
}

/// Writes until nothing more comes.
pub(crate) fn run<O>(mut waiting: Waiting<O>, mut writes: impl Writes<O>) {
    while let Some((mut batch, other)) = waiting.next() {
        let done = catch_unwind(AssertUnwindSafe(|| {
            if !batch.is_empty() {
                writes.commit(&mut batch);
            }
            writes.then(other);
        }));
        if done.is_err() {
            tracing::error!(
                requests = batch.len(),
                "a write ended by an internal error; what it changed is undone"
            );
            if catch_unwind(AssertUnwindSafe(|| writes.undo())).is_err() {
                tracing::error!("nothing is written any more: restart the server");
                return;
            }
            for queued in batch {
                queued.request.finish(Some(unknown()));
            }
        }
    }
}

/// What those are told whose requests met a panic.
fn unknown() -> Fault {
    Fault::Unavailable(
        "an internal error ended the write: look whether the change is there before you make it again"
            .to_owned(),
    )
}

/// How much a request needed for which there was no room, in KiB; 0 when there is room.
#[derive(Clone, Default)]
pub(crate) struct Lacking(Arc<AtomicUsize>);

impl Lacking {
    /// Takes note of what became of a batch whose largest request wrote so much.
    pub(crate) fn note<T>(&self, largest_kib: usize, done: &Result<T, Fault>) {
        match done {
            Err(Fault::Full) => {
                self.0.fetch_max(largest_kib, Ordering::Relaxed);
            }
            Ok(_) if largest_kib >= self.0.load(Ordering::Relaxed) => {
                self.0.store(0, Ordering::Relaxed);
            }
            _ => {}
        }
    }
}

/// The largest request of a batch, in KiB.
pub(crate) fn largest(batch: &[Queued]) -> usize {
    batch.iter().map(|it| it.kib).max().unwrap_or_default()
}
