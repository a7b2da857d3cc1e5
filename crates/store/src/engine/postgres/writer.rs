//! The one thread of an instance that writes, committing in groups.
//!
//! A batch is what queued while the last commit was under way. It is one transaction without savepoints: what
//! people asked for first, then the lock that all instances wait for, the records, and the commit. When a
//! statement fails, or a request refuses after it has changed something, the batch is undone and its requests
//! run again, each in a transaction of its own. Nobody is answered before the commit.
//!
//! **A commit whose answer is lost.** PostgreSQL answers a commit of a transaction that failed as if nothing had
//! happened, and a connection may end before it answers at all. So the number of the transaction is asked for
//! before, and what became of it afterwards: on the same connection in the same journey, or on a new one.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use deadpool_postgres::ClientWrapper;
use futures_util::future::join;
use tokio::runtime::Handle;

use crate::engine::Acting;
use crate::engine::log::{Chain, Events, LogChanges};
use crate::engine::place::many;
use crate::engine::postgres::connection::Way;
use crate::engine::postgres::db::{Failure, Pg};
use crate::engine::postgres::fault::described;
use crate::engine::postgres::standing::Position;
use crate::engine::queue::{self, Lacking, Queue, Queued, Writes, largest};
use crate::engine::sql::Sql;
use crate::fault::Fault;

/// How often a request is run that meets another instance's transaction.
const ATTEMPTS: u32 = 5;
/// How often, and how long apart, it is asked what became of a commit.
const ASKED: (u32, Duration) = (50, Duration::from_millis(200));

/// Nothing else is asked of this writer.
pub(crate) enum Never {}

/// Where requests come in.
pub(crate) type Writer = Queue<Never>;

/// Starts the thread on a connection; it ends when closed or when every handle is gone.
pub(crate) fn start(
    (way, client): (Way, ClientWrapper),
    jobs: Option<String>,
    runtime: Handle,
    chain: Arc<dyn Chain>,
    acknowledged: Arc<AtomicI64>,
) -> std::io::Result<(Writer, JoinHandle<()>)> {
    let (queue, waiting) = queue::queue();
    let work = Work {
        client: Some(client),
        way,
        jobs,
        runtime,
        chain,
        acknowledged,
        lacking: queue.lacking.clone(),
    };
    let thread = std::thread::Builder::new()
        .name("store-writer".to_owned())
        .spawn(move || queue::run(waiting, work))?;
    Ok((queue, thread))
}

/// Why a batch was not committed; nothing of it was kept.
enum Undone {
    /// The connection ended, or there is none.
    Lost(Fault),
    /// A request failed, or refused after a change.
    Failed(Failure),
    /// A request refused after a change: its own answer stands.
    Refused,
}

struct Work {
    /// The connection; `None` after it was lost.
    client: Option<ClientWrapper>,
    way: Way,
    /// The role of jobs, where it is another.
    jobs: Option<String>,
    runtime: Handle,
    chain: Arc<dyn Chain>,
    /// Up to where the log holds what was committed here.
    acknowledged: Arc<AtomicI64>,
    lacking: Lacking,
}

impl Writes<Never> for Work {
    fn commit(&mut self, batch: &mut Vec<Queued>) {
        let mut client = self.client.take();
        let largest = largest(batch);
        match self.together(&mut client, batch) {
            Ok(()) => {
                self.lacking.note(largest, &Ok(()));
                for queued in batch.drain(..) {
                    queued.request.finish(None);
                }
            }
            Err(Undone::Lost(fault)) => {
                for queued in batch.drain(..) {
                    queued.request.finish(Some(fault.clone()));
                }
            }
            Err(Undone::Failed(_) | Undone::Refused) => self.one_by_one(&mut client, batch),
        }
        self.client = client;
    }

    fn then(&mut self, _: Option<Never>) {}

    /// A panic took the connection with it, and PostgreSQL undoes what was open on it.
    fn undo(&mut self) {
        self.client = None;
    }
}

impl Work {
    /// Runs a batch in one transaction; once more where only the connection was lost.
    fn together(
        &self,
        client: &mut Option<ClientWrapper>,
        batch: &mut [Queued],
    ) -> Result<(), Undone> {
        match self.transact(client, batch) {
            Err(Undone::Lost(_)) => self.transact(client, batch),
            done => done,
        }
    }

    /// Runs each request in a transaction of its own, and answers it.
    fn one_by_one(&self, client: &mut Option<ClientWrapper>, batch: &mut Vec<Queued>) {
        while let Some(next) = batch.first_mut() {
            let next = std::slice::from_mut(next);
            let mut attempt = 1;
            let done = loop {
                match self.together(client, next) {
                    Err(Undone::Failed(failure)) if failure.contention && attempt < ATTEMPTS => {
                        attempt += 1;
                    }
                    Err(Undone::Failed(failure)) => break Err(failure.fault),
                    Err(Undone::Lost(fault)) => break Err(fault),
                    Ok(()) | Err(Undone::Refused) => break Ok(()),
                }
            };
            let queued = batch.remove(0);
            self.lacking.note(queued.kib, &done);
            queued.request.finish(done.err());
        }
    }

    fn transact(
        &self,
        slot: &mut Option<ClientWrapper>,
        batch: &mut [Queued],
    ) -> Result<(), Undone> {
        let client = match slot.take().filter(|client| !client.is_closed()) {
            Some(client) => client,
            None => self.connect().map_err(Undone::Lost)?,
        };
        let pg = Pg::writing(&client, &self.runtime, self.jobs.as_deref());
        let done = self.fill(&pg, batch);
        let done = match done {
            Ok(number) => {
                drop(pg);
                self.commit(&client, number.as_deref())
            }
            Err(undone) => {
                pg.send_plain("ROLLBACK");
                // What failed was noted; whether the connection is of use shows below.
                let _ = pg.settle();
                drop(pg);
                Err(undone)
            }
        };
        if client.is_closed() {
            return match done {
                Err(Undone::Failed(failure)) => Err(Undone::Lost(failure.fault)),
                done => done,
            };
        }
        *slot = Some(client);
        done
    }

    fn connect(&self) -> Result<ClientWrapper, Fault> {
        self.runtime.block_on(self.way.connect()).map_err(|reason| {
            tracing::error!(%reason, "the database cannot be reached");
            Fault::Unavailable(reason)
        })
    }

    /// Does everything but the commit; answers the transaction's number, if it changed anything.
    fn fill(&self, pg: &Pg<'_>, batch: &mut [Queued]) -> Result<Option<String>, Undone> {
        let mut events = Events::new();
        let mut changed = false;
        for queued in batch.iter_mut() {
            pg.act(queued.acting);
            match queued.request.run(pg) {
                Some(more) => {
                    events.extend(more);
                    changed |= pg.take_changed();
                }
                None if pg.take_changed() => {
                    return Err(pg.settle().err().map_or(Undone::Refused, Undone::Failed));
                }
                None => {}
            }
            if let Some(failure) = pg.failure() {
                return Err(Undone::Failed(failure));
            }
        }
        if !changed && events.is_empty() {
            pg.settle().map_err(Undone::Failed)?;
            return Ok(None);
        }
        pg.act(Acting::Server);
        let number = self.append(pg, events);
        pg.settle().map_err(Undone::Failed)?;
        number.map(Some).map_err(|fault| {
            let contention = false;
            Undone::Failed(Failure { fault, contention })
        })
    }

    /// Appends the events to the chain, and asks for the transaction's number.
    fn append(&self, pg: &Pg<'_>, events: Events) -> Result<String, Fault> {
        if !events.is_empty() {
            let mut end = pg.lock_chain()?;
            pg.append_records(&self.chain.link(&mut end, events))?;
        }
        let place = many("transaction");
        let number = "SELECT pg_current_xact_id()::text";
        let number = pg.one(place, number, &[], |line| line.get(0))?;
        number.ok_or_else(|| Fault::Unavailable("a transaction has no number".to_owned()))
    }

    /// Commits, and makes sure of it.
    fn commit(&self, client: &ClientWrapper, number: Option<&str>) -> Result<(), Undone> {
        let Some(number) = number else {
            // Nothing was changed: whatever becomes of it is as good.
            let _ = self.runtime.block_on(client.batch_execute("ROLLBACK"));
            return Ok(());
        };
        let (ended, became) = self
            .runtime
            .block_on(join(client.batch_execute("COMMIT"), became(client, number)));
        match (ended, became) {
            (Ok(()), Ok(Became::Committed(end))) => {
                self.committed(end);
                Ok(())
            }
            (Err(error), _) if !client.is_closed() => {
                Err(Undone::Failed(Failure::of(many("transaction"), &error)))
            }
            _ => self.find_out(number),
        }
    }

    /// Keeps up to where the log must be replayed by whoever shall see what was committed.
    fn committed(&self, end: Position) {
        self.acknowledged.fetch_max(end, Ordering::SeqCst);
    }

    /// Asks on new connections what became of a transaction.
    fn find_out(&self, number: &str) -> Result<(), Undone> {
        let undone = |reason: &str| Undone::Lost(Fault::Unavailable(reason.to_owned()));
        for _ in 0..ASKED.0 {
            let answer = self.runtime.block_on(async {
                let client = self.way.connect().await.ok()?;
                became(&client, number).await.ok()
            });
            match answer {
                Some(Became::Committed(end)) => {
                    self.committed(end);
                    return Ok(());
                }
                Some(Became::Undone) => {
                    return Err(undone("the database undid the transaction"));
                }
                // It is still being decided, or the database is starting again.
                Some(Became::Open) | None => {
                    std::thread::sleep(ASKED.1);
                }
            }
        }
        tracing::error!(
            "what became of a commit cannot be found out: the database does not answer"
        );
        Err(undone(
            "the database stopped answering during a commit: look whether the change is there \
             before you make it again",
        ))
    }
}

/// What became of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Became {
    Open,
    /// The log holds it up to here.
    Committed(Position),
    Undone,
}

async fn became(client: &ClientWrapper, number: &str) -> Result<Became, String> {
    let sql = "SELECT pg_xact_status($1::text::xid8), (CASE WHEN pg_is_in_recovery() THEN '0/0'
             ELSE pg_current_wal_flush_lsn() END - '0/0'::pg_lsn)::bigint";
    let ask = async {
        let statement = client.prepare_cached(sql).await?;
        let row = client.query_one(&statement, &[&number]).await?;
        Ok((row.try_get::<_, Option<String>>(0)?, row.try_get(1)?))
    };
    let asked = ask.await;
    let (status, end) = asked.map_err(|error: tokio_postgres::Error| described(&error))?;
    match status.as_deref() {
        Some("committed") => Ok(Became::Committed(end)),
        Some("aborted") => Ok(Became::Undone),
        Some("in progress") => Ok(Became::Open),
        // So old that nothing is known of it any more, which a transaction of a moment ago is not.
        _ => Err("PostgreSQL does not know the transaction".to_owned()),
    }
}
