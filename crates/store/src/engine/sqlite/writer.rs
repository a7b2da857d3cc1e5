//! The one thread that writes, committing in groups.
//!
//! A batch is what queued while the last commit was under way: no timer, so that a lone request
//! never waits for company. Each request runs in a savepoint of its own; one that fails is rolled
//! back alone. Nobody is answered before the commit, not even those who were refused, since what
//! refused them may have been a neighbour's write. A failed commit fails all.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use crate::audit::chain::Tip;
use crate::engine::sqlite::connection::BUSY_TIMEOUT;
use crate::engine::sqlite::db::{Db, many, no_room};
use crate::engine::sqlite::standing::Standing;
use crate::fault::Fault;
use crate::sealing::tags::Tags;

/// Most requests in one batch; bounds how long the first of them waits.
const MAX_BATCH: usize = 256;
/// KiB that may wait for the writer; further callers wait before they queue.
const QUEUE_KIB: usize = 32 * 1024;
/// What a request counts for in the queue at least, in KiB.
const MIN_KIB: usize = 4;
/// How long everybody waits for readers of the log, when it is to be cut off.
const PATIENCE: Duration = Duration::from_millis(10);

/// The open transaction, as a request sees it.
pub(crate) struct WriteTx<'c> {
    pub db: Db<'c>,
    /// What makes and checks the tags of rows.
    pub tags: &'c Tags,
    /// End of the audit chain; read once per batch, when first needed.
    pub tip: Option<Tip>,
}

/// A request whose types have been forgotten.
trait Job: Send {
    /// Does the work; whether to keep it.
    fn run(&mut self, tx: &mut WriteTx<'_>) -> bool;
    /// Answers after the commit, or with the fault that undid the batch.
    fn finish(self: Box<Self>, failure: Option<Fault>);
}

struct Request<T, E, F> {
    work: Option<F>,
    result: Option<Result<T, E>>,
    reply: oneshot::Sender<Result<T, E>>,
    kib: usize,
    _permit: OwnedSemaphorePermit,
}

impl<T, E, F> Job for Request<T, E, F>
where
    T: Send,
    E: From<Fault> + Send,
    F: FnOnce(&mut WriteTx<'_>) -> Result<T, E> + Send,
{
    fn run(&mut self, tx: &mut WriteTx<'_>) -> bool {
        let Some(work) = self.work.take() else {
            return false;
        };
        self.result = catch_unwind(AssertUnwindSafe(|| work(tx))).ok();
        matches!(self.result, Some(Ok(_)))
    }

    fn finish(self: Box<Self>, failure: Option<Fault>) {
        let result = match (failure, self.result) {
            (Some(fault), _) => Err(fault.into()),
            (None, Some(result)) => result,
            (None, None) => Err(Fault::Unavailable("an internal error".to_owned()).into()),
        };
        // A caller that went away needs no answer.
        let _ = self.reply.send(result);
    }
}

enum Message {
    Work(Box<dyn Job>, usize),
    Truncate(oneshot::Sender<bool>),
    Close,
}

/// Handle of the writer.
pub(crate) struct Writer {
    sender: Sender<Message>,
    room: Arc<Semaphore>,
    lacking_kib: Arc<AtomicUsize>,
}

/// What the thread works with.
struct Work {
    connection: Connection,
    tags: Arc<Tags>,
    standing: Standing,
    checkpoint_kib: usize,
    /// How much a request needed for which there was no room, in KiB; 0 when there is room.
    lacking_kib: Arc<AtomicUsize>,
}

impl Writer {
    /// Starts the thread; it ends when closed or when every handle is gone.
    ///
    /// The log is copied into the database when about `checkpoint_kib` were written since.
    pub(crate) fn start(
        connection: Connection,
        tags: Arc<Tags>,
        standing: Standing,
        checkpoint_kib: usize,
    ) -> std::io::Result<(Self, JoinHandle<()>)> {
        let (sender, receiver) = channel();
        let lacking_kib = Arc::new(AtomicUsize::new(0));
        let work = Work {
            connection,
            tags,
            standing,
            checkpoint_kib,
            lacking_kib: Arc::clone(&lacking_kib),
        };
        let thread = std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || run(&work, &receiver))?;
        Ok((
            Self {
                sender,
                room: Arc::new(Semaphore::new(QUEUE_KIB)),
                lacking_kib,
            },
            thread,
        ))
    }

    /// How much a request needed for which there was no room, in bytes, until one of as much is kept.
    pub(crate) fn lacking(&self) -> usize {
        self.lacking_kib.load(Ordering::Relaxed) * 1024
    }

    /// Queues work of about `bytes` and waits until it is committed.
    pub(crate) async fn submit<T, E, F>(&self, bytes: usize, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Fault> + Send + 'static,
        F: FnOnce(&mut WriteTx<'_>) -> Result<T, E> + Send + 'static,
    {
        let kib = (bytes / 1024).clamp(MIN_KIB, QUEUE_KIB);
        let permit = Arc::clone(&self.room)
            .acquire_many_owned(kib as u32)
            .await
            .map_err(|_| Fault::Closed)?;
        let (reply, answer) = oneshot::channel();
        let request = Request {
            work: Some(work),
            result: None,
            reply,
            kib,
            _permit: permit,
        };
        let kib = request.kib;
        self.sender
            .send(Message::Work(Box::new(request), kib))
            .map_err(|_| Fault::Closed)?;
        answer.await.map_err(|_| Fault::Closed)?
    }

    /// Copies the log into the database and cuts it off; `false` when somebody is reading it.
    pub(crate) async fn truncate_log(&self) -> Result<bool, Fault> {
        let (reply, answer) = oneshot::channel();
        self.sender
            .send(Message::Truncate(reply))
            .map_err(|_| Fault::Closed)?;
        answer.await.map_err(|_| Fault::Closed)
    }

    /// Refuses more and lets the thread end after what is queued.
    pub(crate) fn close(&self) {
        self.room.close();
        // The thread may have ended already.
        let _ = self.sender.send(Message::Close);
    }
}

fn run(work: &Work, receiver: &Receiver<Message>) {
    let connection = &work.connection;
    let mut unchecked_kib = 0;
    let mut open = true;
    while open {
        let mut truncate = None;
        let mut batch = Vec::new();
        match receiver.recv() {
            Ok(Message::Work(first, kib)) => {
                batch.push((first, kib));
                unchecked_kib += kib;
            }
            Ok(Message::Truncate(reply)) => truncate = Some(reply),
            Ok(Message::Close) | Err(_) => return,
        }
        while truncate.is_none() && batch.len() < MAX_BATCH {
            match receiver.try_recv() {
                Ok(Message::Work(job, kib)) => {
                    batch.push((job, kib));
                    unchecked_kib += kib;
                }
                Ok(Message::Truncate(reply)) => truncate = Some(reply),
                Ok(Message::Close) => {
                    open = false;
                    break;
                }
                Err(_) => break,
            }
        }
        if !batch.is_empty() {
            commit(work, batch);
        }
        if let Some(reply) = truncate {
            // Whoever asked may have gone away.
            let _ = reply.send(truncate_log(connection));
        }
        if unchecked_kib >= work.checkpoint_kib {
            checkpoint(connection);
            unchecked_kib = 0;
        }
    }
}

/// Runs a batch in one transaction and answers everybody in it.
fn commit(work: &Work, batch: Vec<(Box<dyn Job>, usize)>) {
    let connection = &work.connection;
    let largest = batch.iter().map(|(_, kib)| *kib).max().unwrap_or_default();
    let mut batch: Vec<_> = batch.into_iter().map(|(job, _)| job).collect();
    let failure = transact(work, &mut batch).err();
    match &failure {
        Some(Fault::Full) => {
            work.lacking_kib.fetch_max(largest, Ordering::Relaxed);
        }
        None if largest >= work.lacking_kib.load(Ordering::Relaxed) => {
            work.lacking_kib.store(0, Ordering::Relaxed);
        }
        _ => {}
    }
    if failure.is_some() && !connection.is_autocommit() {
        // SQLite rolls back by itself when this fails too: the connection is closed or dead.
        let _ = connection.execute_batch("ROLLBACK");
    }
    for job in batch {
        job.finish(failure.as_ref().map(copy));
    }
}

fn transact(work: &Work, batch: &mut [Box<dyn Job>]) -> Result<(), Fault> {
    let db = Db {
        connection: &work.connection,
    };
    let tags = &work.tags;
    let place = many("sqlite_schema");
    db.execute(place, "BEGIN IMMEDIATE", [])?;
    let mut tx = WriteTx {
        db,
        tags,
        tip: None,
    };
    for job in batch {
        db.execute(place, "SAVEPOINT request", [])?;
        let tip = tx.tip.clone();
        let keep = job.run(&mut tx);
        if db.connection.is_autocommit() {
            // A full disk or a failed write makes SQLite undo the whole transaction. What the job
            // was told is known to it alone.
            return Err(if no_room() {
                Fault::Full
            } else {
                Fault::Unavailable("the transaction was undone by SQLite".to_owned())
            });
        }
        if !keep {
            tx.tip = tip;
            db.execute(place, "ROLLBACK TO request", [])?;
        }
        db.execute(place, "RELEASE request", [])?;
    }
    // What is acknowledged must be found again.
    work.standing.check()?;
    db.execute(place, "COMMIT", []).map(drop)
}

/// Copies the log into the database after everybody was answered.
fn checkpoint(connection: &Connection) {
    let done = connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
    if let Err(error) = done {
        tracing::warn!(%error, "the write-ahead log could not be copied into the database");
    }
}

/// Whether the log was copied whole and cut off; waits a little for those who read it.
pub(crate) fn truncate_log(connection: &Connection) -> bool {
    let patience = connection.busy_timeout(PATIENCE);
    let busy = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| {
        row.get::<_, i64>(0)
    });
    let restored = connection.busy_timeout(BUSY_TIMEOUT);
    patience.and(restored).is_ok() && matches!(busy, Ok(0))
}

fn copy(fault: &Fault) -> Fault {
    match fault {
        Fault::Damaged { table, row, reason } => Fault::damaged(table, row, reason),
        Fault::Full => Fault::Full,
        Fault::Unavailable(reason) => Fault::Unavailable(reason.clone()),
        Fault::Keys(reason) => Fault::Keys(reason.clone()),
        Fault::Closed => Fault::Closed,
        Fault::Sealing(reason) => Fault::Sealing(reason.clone()),
    }
}
