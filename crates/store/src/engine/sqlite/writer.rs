//! The one thread that writes, committing in groups.
//!
//! A batch is what queued while the last commit was under way: no timer, so that a lone request
//! never waits for company. Each request runs in a savepoint of its own; one that fails is rolled
//! back alone. Nobody is answered before the commit, not even those who were refused, since what
//! refused them may have been a neighbour's write. A failed commit fails all.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::config::StoreConfig;
use crate::engine::Read;
use crate::engine::log::{Chain, ChainHead, Events, LogChanges};
use crate::engine::place::many;
use crate::engine::queue::{self, Lacking, Queue, Queued, Writes, largest};
use crate::engine::sql::Sql;
use crate::engine::sqlite::connection::BUSY_TIMEOUT;
use crate::engine::sqlite::db::{Db, end_read, no_room};
use crate::engine::sqlite::standing::Standing;
use crate::fault::Fault;

/// How long everybody waits for readers of the log, when it is to be cut off.
const PATIENCE: Duration = Duration::from_millis(10);

/// Where requests come in.
pub(crate) type Writer = Queue<Ask>;

/// What else is asked of the thread that writes.
pub(crate) enum Ask {
    /// To cut off the log; the answer is whether it was.
    Truncate(oneshot::Sender<bool>),
    /// To read, where no other connection sees the database.
    Read(Read),
}

/// What the thread works with.
struct Work {
    connection: Connection,
    chain: Arc<dyn Chain>,
    standing: Standing,
    checkpoint_kib: usize,
    /// How much was written since the log was last copied.
    unchecked_kib: usize,
    #[cfg(feature = "testing")]
    twice: bool,
    lacking: Lacking,
}

/// Starts the thread; it ends when closed or when every handle is gone.
///
/// The log is copied into the database when about `config.checkpoint_kib` were written since.
pub(crate) fn start(
    connection: Connection,
    chain: Arc<dyn Chain>,
    standing: Standing,
    config: &StoreConfig,
) -> std::io::Result<(Writer, JoinHandle<()>)> {
    let (queue, waiting) = queue::queue();
    let work = Work {
        connection,
        chain,
        standing,
        checkpoint_kib: config.checkpoint_kib,
        unchecked_kib: 0,
        #[cfg(feature = "testing")]
        twice: config.twice,
        lacking: queue.lacking.clone(),
    };
    let thread = std::thread::Builder::new()
        .name("store-writer".to_owned())
        .spawn(move || queue::run(waiting, work))?;
    Ok((queue, thread))
}

impl Queue<Ask> {
    /// Copies the log into the database and cuts it off; `false` when somebody is reading it.
    pub(crate) async fn truncate_log(&self) -> Result<bool, Fault> {
        let (reply, answer) = oneshot::channel();
        self.ask(Ask::Truncate(reply))?;
        answer.await.map_err(|_| Fault::Closed)
    }
}

impl Writes<Ask> for Work {
    /// Runs a batch in one transaction and answers everybody in it.
    fn commit(&mut self, batch: &mut Vec<Queued>) {
        self.unchecked_kib += batch.iter().map(|it| it.kib).sum::<usize>();
        let largest = largest(batch);
        let done = transact(self, batch);
        self.lacking.note(largest, &done);
        if done.is_err() {
            self.undo();
        }
        let failures = done.unwrap_or_else(|fault| vec![Some(fault); batch.len()]);
        for (queued, failure) in batch.drain(..).zip(failures) {
            queued.request.finish(failure);
        }
    }

    fn then(&mut self, asked: Option<Ask>) {
        let connection = &self.connection;
        match asked {
            Some(Ask::Truncate(reply)) => {
                // Whoever asked may have gone away.
                let _ = reply.send(truncate_log(connection));
            }
            Some(Ask::Read(work)) => {
                work(&Db { connection });
                end_read(connection);
            }
            None => {}
        }
        if self.unchecked_kib >= self.checkpoint_kib {
            checkpoint(&self.connection);
            self.unchecked_kib = 0;
        }
    }

    fn undo(&mut self) {
        if !self.connection.is_autocommit() {
            // SQLite rolls back by itself when this fails too: the connection is closed or dead.
            let _ = self.connection.execute_batch("ROLLBACK");
        }
    }
}

/// Commits a batch; returns the fault of each request whose records could not be appended.
fn transact(work: &Work, batch: &mut [Queued]) -> Result<Vec<Option<Fault>>, Fault> {
    let db = Db {
        connection: &work.connection,
    };
    let place = many("sqlite_schema");
    db.run(place, "BEGIN IMMEDIATE", &[])?;
    // The end of the chain, read once a batch: a subcommand in another process may append too.
    let mut tip = None;
    let mut failures = Vec::with_capacity(batch.len());
    for queued in batch {
        db.run(place, "SAVEPOINT request", &[])?;
        let mut moved = tip.clone();
        #[cfg(feature = "testing")]
        if work.twice {
            drop(queued.request.run(&db));
            db.run(place, "ROLLBACK TO request", &[])?;
        }
        let done = match queued.request.run(&db) {
            Some(events) => append(work, &mut moved, events).map(|()| true),
            None => Ok(false),
        };
        if db.connection.is_autocommit() {
            // A full disk or a failed write makes SQLite undo the whole transaction. What the request
            // was told is known to it alone.
            return Err(if no_room() {
                Fault::Full
            } else {
                Fault::Unavailable("the transaction was undone by SQLite".to_owned())
            });
        }
        if let Ok(true) = done {
            tip = moved;
        } else {
            db.run(place, "ROLLBACK TO request", &[])?;
        }
        db.run(place, "RELEASE request", &[])?;
        failures.push(done.err());
    }
    // What is acknowledged must be found again.
    work.standing.check()?;
    db.run(place, "COMMIT", &[])?;
    Ok(failures)
}

/// Appends the events of a request to the chain, within its savepoint.
fn append(work: &Work, tip: &mut Option<ChainHead>, events: Events) -> Result<(), Fault> {
    if events.is_empty() {
        return Ok(());
    }
    let db = Db {
        connection: &work.connection,
    };
    let mut end = match tip.take() {
        Some(end) => end,
        None => db.lock_chain()?,
    };
    db.append_records(&work.chain.link(&mut end, events))?;
    *tip = Some(end);
    Ok(())
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
