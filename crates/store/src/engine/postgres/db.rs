//! A connection that runs statements, and what is under way on it.
//!
//! A statement that answers nothing is sent and not waited for: its answer is looked at before the commit, or
//! when a later statement fails. PostgreSQL refuses every statement behind one that failed, so the first
//! failure is the one that counts.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::Future;
use std::ops::ControlFlow;
use std::pin::{Pin, pin};
use std::task::Poll;

use deadpool_postgres::ClientWrapper;
use futures_util::TryStreamExt;
use tokio::runtime::Handle;
use tokio_postgres::{Error, Row};

use crate::classes::Public;
use crate::engine::place::{Place, at, many};
use crate::engine::postgres::fault::{fault, follows_another, is_contention};
use crate::engine::prekeys::Pieces;
use crate::engine::sql::{Hold, Line, Sql, Take, Taken, Value, Values};
use crate::engine::{Acting, Answer};
use crate::fault::Fault;

/// Statements that are sent before the oldest answer is waited for.
const AHEAD: usize = 512;

/// Why a transaction is lost.
#[derive(Clone)]
pub(crate) struct Failure {
    pub fault: Fault,
    /// Whether it met another transaction, and may well succeed when it is run again.
    pub contention: bool,
}

impl Failure {
    /// That of a statement about a row.
    pub(crate) fn of(place: Place<'_>, error: &Error) -> Self {
        Self {
            fault: fault(place, error),
            contention: is_contention(error),
        }
    }
}

/// A statement whose answer is still to come.
struct Sent<'c> {
    table: &'static str,
    row: Vec<u8>,
    answer: Pin<Box<dyn Future<Output = Result<u64, Error>> + 'c>>,
}

/// A connection in use by one thread.
pub(crate) struct Pg<'c> {
    client: &'c ClientWrapper,
    runtime: &'c Handle,
    /// Who does the jobs, where that is another role.
    jobs: Option<&'c str>,
    /// Whether what is read may be changed in the same transaction.
    writes: bool,
    /// Whether a transaction was begun.
    begun: Cell<bool>,
    acting: Cell<Acting>,
    changed: Cell<bool>,
    sent: RefCell<VecDeque<Sent<'c>>>,
    failure: RefCell<Option<Failure>>,
}

impl<'c> Pg<'c> {
    /// For reading; statements stand alone until something begins a transaction.
    pub(crate) fn reading(client: &'c ClientWrapper, runtime: &'c Handle) -> Self {
        Self {
            client,
            runtime,
            jobs: None,
            writes: false,
            begun: Cell::new(false),
            acting: Cell::new(Acting::Server),
            changed: Cell::new(false),
            sent: RefCell::default(),
            failure: RefCell::default(),
        }
    }

    /// For changing, in a transaction that begins here; `jobs` is the role of jobs.
    pub(crate) fn writing(
        client: &'c ClientWrapper,
        runtime: &'c Handle,
        jobs: Option<&'c str>,
    ) -> Self {
        let mut this = Self::reading(client, runtime);
        this.writes = true;
        this.jobs = jobs;
        this.begin("BEGIN");
        this
    }

    fn begin(&self, statement: &'static str) {
        self.begun.set(true);
        self.send_plain(statement);
    }

    /// From here on statements see what is seen by whom they act for.
    pub(crate) fn act(&self, acting: Acting) {
        let before = self.acting.replace(acting);
        if before == acting {
            return;
        }
        if !self.begun.get() {
            self.begin("BEGIN");
        }
        self.set_acting();
        if let Some(jobs) = self.jobs {
            let client = self.client;
            let role = match (before, acting) {
                (_, Acting::Job) => format!("SET LOCAL ROLE {}", quoted(jobs)),
                (Acting::Job, _) => "SET LOCAL ROLE NONE".to_owned(),
                _ => return,
            };
            self.send(many("role"), async move {
                client.batch_execute(&role).await.map(|()| 0)
            });
        }
    }

    fn set_acting(&self) {
        let name = match self.acting.get() {
            Acting::Server | Acting::Job => "server".to_owned(),
            Acting::Account(user) => hex::encode(user.as_bytes()),
        };
        // Within the transaction only: it is gone with it.
        let sql = "SELECT set_config('sm.account', $1, true)";
        let values: Vec<Taken> = vec![Taken::Text(name)];
        let client = self.client;
        self.send(many("sm.account"), async move {
            let statement = client.prepare_cached(sql).await?;
            client.execute_raw(&statement, values).await
        });
    }

    /// Sends a statement that has no values.
    pub(crate) fn send_plain(&self, statement: &'static str) {
        let client = self.client;
        self.send(many("transaction"), async move {
            client.batch_execute(statement).await.map(|()| 0)
        });
    }

    /// Sends a statement and does not wait for its answer.
    fn send(&self, place: Place<'_>, answer: impl Future<Output = Result<u64, Error>> + 'c) {
        let mut answer: Pin<Box<dyn Future<Output = Result<u64, Error>> + 'c>> = Box::pin(answer);
        let sent = self.runtime.block_on(std::future::poll_fn(|context| {
            Poll::Ready(answer.as_mut().poll(context))
        }));
        match sent {
            Poll::Ready(Ok(_)) => {}
            Poll::Ready(Err(error)) => drop(self.failed(place, &error)),
            Poll::Pending => self.sent.borrow_mut().push_back(Sent {
                table: place.table,
                row: place.row.to_vec(),
                answer,
            }),
        }
        while self.sent.borrow().len() > AHEAD {
            self.look_at_oldest();
        }
    }

    /// Waits for the oldest answer.
    fn look_at_oldest(&self) {
        let oldest = self.sent.borrow_mut().pop_front();
        if let Some(Sent { table, row, answer }) = oldest
            && let Err(error) = self.runtime.block_on(answer)
        {
            self.note(at(table, &row), &error);
        }
    }

    /// Waits for every answer; the first failure is the transaction's.
    pub(crate) fn settle(&self) -> Result<(), Failure> {
        while !self.sent.borrow().is_empty() {
            self.look_at_oldest();
        }
        self.failure.borrow().clone().map_or(Ok(()), Err)
    }

    /// Notes a failure, unless there was one before.
    fn note(&self, place: Place<'_>, error: &Error) -> Fault {
        let mut failure = self.failure.borrow_mut();
        let first = failure.get_or_insert_with(|| Failure::of(place, error));
        first.fault.clone()
    }

    /// The fault of a statement that failed: that of an earlier one which made it fail, where there is one.
    fn failed(&self, place: Place<'_>, error: &Error) -> Fault {
        if self.client.is_closed() || follows_another(error) {
            // Answers of before tell more.
            if let Err(first) = self.settle() {
                return first.fault;
            }
        }
        self.note(place, error)
    }

    fn wait<T>(
        &self,
        place: Place<'_>,
        answer: impl Future<Output = Result<T, Error>>,
    ) -> Answer<T> {
        self.runtime
            .block_on(answer)
            .map_err(|error| self.failed(place, &error))
    }

    /// Whether something may have been changed since this was last asked.
    pub(crate) fn take_changed(&self) -> bool {
        self.changed.replace(false)
    }

    /// Why the transaction is lost, if it is known to be.
    pub(crate) fn failure(&self) -> Option<Failure> {
        self.failure.borrow().clone()
    }

    /// Ends what a read began, so that the connection is as it was.
    pub(crate) fn end_read(&self) -> Result<(), Failure> {
        if self.begun.get() {
            self.send_plain("ROLLBACK");
        }
        self.settle()
    }
}

/// A name as it stands in a statement.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// The statement with values named as PostgreSQL does.
fn named(sql: &str) -> String {
    sql.replace('?', "$")
}

fn taken(values: Values<'_>) -> Vec<Value<'_>> {
    values.iter().map(|value| value.value()).collect()
}

/// A large value, read by pieces.
struct Large<'s, 'c> {
    pg: &'s Pg<'c>,
    sql: String,
    number: i64,
    len: usize,
    table: &'static str,
    row: Vec<u8>,
}

impl Pieces for Large<'_, '_> {
    fn len(&self) -> usize {
        self.len
    }

    fn read(&self, bytes: &mut [u8], offset: usize) -> Answer {
        let place = at(self.table, &self.row);
        let values: Values<'_> = &[&self.number, &(offset + 1), &bytes.len()];
        let read = self
            .pg
            .one(place, &self.sql, values, |line| line.get::<Vec<u8>>(0))?;
        let read = read.unwrap_or_default();
        if read.len() != bytes.len() {
            return Err(place.damaged("a large value is shorter than it was"));
        }
        bytes.copy_from_slice(&read);
        Ok(())
    }
}

impl Sql for Pg<'_> {
    /// The planner goes along the rows by itself where that is cheaper.
    const NO_INDEX: &'static str = "";

    fn execute(&self, place: Place<'_>, sql: &str, values: Values<'_>) -> Answer<u64> {
        let sql = named(sql);
        let changed = self.wait(place, async {
            let statement = self.client.prepare_cached(&sql).await?;
            self.client.execute_raw(&statement, taken(values)).await
        })?;
        if changed > 0 {
            self.changed.set(true);
        }
        Ok(changed)
    }

    fn run(&self, place: Place<'_>, sql: &str, values: Values<'_>) -> Answer {
        if let Some(failure) = self.failure() {
            return Err(failure.fault);
        }
        let sql = named(sql);
        let values: Vec<Taken> = values.iter().map(|value| value.value().into()).collect();
        self.changed.set(true);
        let client = self.client;
        // What is not prepared yet is waited for: whatever is sent next must not come before it.
        let statement = self.wait(place, client.prepare_cached(&sql))?;
        self.send(place, async move {
            client.execute_raw(&statement, values).await
        });
        Ok(())
    }

    fn query(&self, place: Place<'_>, sql: &str, values: Values<'_>, take: Take<'_>) -> Answer {
        let sql = named(sql);
        let mut unreadable = None;
        let mut any = false;
        self.wait(place, async {
            let statement = self.client.prepare_cached(&sql).await?;
            let mut rows = pin!(self.client.query_raw(&statement, taken(values)).await?);
            let mut more = true;
            // What nobody takes is read all the same, so that a failure behind it shows.
            while let Some(row) = rows.try_next().await? {
                any = true;
                if more {
                    let row: &Row = &row;
                    match take(Line(row)) {
                        Ok(ControlFlow::Continue(())) => {}
                        Ok(ControlFlow::Break(())) => more = false,
                        Err(reason) => {
                            more = false;
                            unreadable = Some(reason);
                        }
                    }
                }
            }
            Ok(())
        })?;
        if any && !sql.starts_with("SELECT") {
            self.changed.set(true);
        }
        unreadable.map_or(Ok(()), |reason| Err(place.damaged(reason)))
    }

    fn hold(&self, hold: Hold) -> &'static str {
        match (self.writes, hold) {
            (false, _) => "",
            (true, Hold::Shared) => " FOR SHARE",
            (true, Hold::Alone) => " FOR NO KEY UPDATE",
        }
    }

    fn one_moment(&self) -> Answer {
        if self.begun.get() {
            self.send_plain("COMMIT");
        }
        self.begin("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY");
        if self.acting.get() != Acting::Server {
            self.set_acting();
        }
        Ok(())
    }

    fn lock_log(&self) -> Answer {
        let sql = "SELECT only_row FROM audit_turn FOR UPDATE";
        let locked = self.one(many("audit_turn"), sql, &[], |_| Ok(()))?;
        locked.ok_or_else(|| many("audit_turn").damaged("the row is gone"))
    }

    fn tables(&self) -> Answer<Vec<String>> {
        // Of data: what the engine keeps for itself is none.
        let sql = "SELECT tablename::text FROM pg_tables WHERE schemaname = current_schema()
                 AND tablename NOT IN ('audit_turn', 'refinery_schema_history')
             ORDER BY tablename";
        self.all(many("pg_tables"), sql, &[], |line| line.get(0))
    }

    fn columns(&self, table: &str) -> Answer<Vec<String>> {
        let sql = "SELECT column_name::text FROM information_schema.columns
             WHERE table_schema = current_schema() AND table_name::text = ?1";
        let place = many("columns");
        self.all(place, sql, &[&Public(table)], |line| line.get(0))
    }

    fn has_table(&self, table: &str) -> Answer<bool> {
        let sql = "SELECT to_regclass(?1::text) IS NOT NULL";
        let found = self.one(many("pg_class"), sql, &[&Public(table)], |line| line.get(0))?;
        Ok(found.unwrap_or_default())
    }

    fn size(&self) -> Answer<u64> {
        let sql = "SELECT pg_database_size(current_database())";
        self.number(many("pg_database"), sql, &[])
    }

    fn pieces<'s>(
        &'s self,
        place: Place<'_>,
        (table, column): (&'static str, &'static str),
        number: i64,
    ) -> Answer<Box<dyn Pieces + 's>> {
        let sql = format!("SELECT length({column}) FROM {table} WHERE number = ?1");
        let len = self.number(place, &sql, &[&number])?;
        Ok(Box::new(Large {
            pg: self,
            sql: format!("SELECT substr({column}, ?2, ?3) FROM {table} WHERE number = ?1"),
            number,
            len: usize::try_from(len).map_err(|error| place.damaged(error))?,
            table,
            row: place.row.to_vec(),
        }))
    }
}
