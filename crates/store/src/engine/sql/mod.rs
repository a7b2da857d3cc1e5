//! Statements that every engine runs: one text for each, and one reading of its rows.
//!
//! Engines differ in how a statement gets to its database ([`Sql`]), and in the few words that stand in that
//! trait. Values are named `?1`, `?2` and so on.

mod copy;
mod invites;
mod keys;
mod leases;
mod log;
mod prekeys;
mod public_keys;
mod safes;
mod service_keys;
mod sessions;
mod settings;
mod users;
mod value;

use std::ops::ControlFlow;

pub(crate) use copy::{copied_tables, copy};
pub use value::{Bindable, Plain, Value};
pub(crate) use value::{Columns, FromValue, Line, Readable, Taken, Unreadable, kind};

use crate::engine::place::{Place, many};
use crate::engine::prekeys::Pieces;
use crate::engine::{Answer, Changes, Rows};
use crate::fault::Fault;

/// Values of a statement, in the order of their names.
pub(crate) type Values<'a> = &'a [&'a dyn Bindable];

/// Takes the rows of an answer one by one, until it breaks.
pub(crate) type Take<'a> = &'a mut dyn FnMut(Line<'_>) -> Readable<ControlFlow<()>>;

/// How strongly a transaction holds a row that it read, because what it changes depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hold {
    /// Nobody else changes it.
    Shared,
    /// Nobody else changes or holds it.
    Alone,
}

/// A connection that runs statements.
pub(crate) trait Sql {
    /// Keeps a query from going along an index, where the database cannot decide that by itself.
    const NO_INDEX: &'static str;

    /// Runs a statement; answers how many rows it changed.
    fn execute(&self, place: Place<'_>, sql: &str, values: Values<'_>) -> Answer<u64>;

    /// Runs a statement whose answer nobody needs; a fault of it may show at a later call.
    fn run(&self, place: Place<'_>, sql: &str, values: Values<'_>) -> Answer;

    /// Runs a statement and hands over its rows.
    fn query(&self, place: Place<'_>, sql: &str, values: Values<'_>, take: Take<'_>) -> Answer;

    /// What ends a query whose rows are held until the transaction ends; nothing where it changes nothing, or
    /// where no other transaction can be under way.
    fn hold(&self, hold: Hold) -> &'static str;

    /// Makes everything that is read from here on be of one moment.
    fn one_moment(&self) -> Answer;

    /// Locks the end of the audit log until the transaction ends.
    fn lock_log(&self) -> Answer;

    /// Names of tables, in their order.
    fn tables(&self) -> Answer<Vec<String>>;

    /// Names of a table's columns.
    fn columns(&self, table: &str) -> Answer<Vec<String>>;

    /// Bytes that the database takes.
    fn size(&self) -> Answer<u64>;

    /// A large value, to be read piece by piece; the row is the one with this `number`.
    fn pieces<'s>(
        &'s self,
        place: Place<'_>,
        column: (&'static str, &'static str),
        number: i64,
    ) -> Answer<Box<dyn Pieces + 's>>;

    /// Runs a statement that changes at most one row; whether it did.
    fn changed(&self, place: Place<'_>, sql: &str, values: Values<'_>) -> Answer<bool> {
        Ok(self.execute(place, sql, values)? == 1)
    }

    /// Reads at most one row.
    fn one<T>(
        &self,
        place: Place<'_>,
        sql: &str,
        values: Values<'_>,
        read: impl Fn(Line<'_>) -> Readable<T>,
    ) -> Answer<Option<T>> {
        let mut found = None;
        self.query(place, sql, values, &mut |line| {
            found = Some(read(line)?);
            Ok(ControlFlow::Break(()))
        })?;
        Ok(found)
    }

    /// Reads every row.
    fn all<T>(
        &self,
        place: Place<'_>,
        sql: &str,
        values: Values<'_>,
        mut read: impl FnMut(Line<'_>) -> Readable<T>,
    ) -> Answer<Vec<T>> {
        let mut found = Vec::new();
        self.query(place, sql, values, &mut |line| {
            found.push(read(line)?);
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(found)
    }

    /// Reads every row, with a fault in the place of one that cannot be read.
    fn each<T>(
        &self,
        place: Place<'_>,
        sql: &str,
        values: Values<'_>,
        read: impl Fn(Line<'_>) -> Readable<T>,
    ) -> Answer<Vec<Answer<T>>> {
        self.all(place, sql, values, |line| {
            Ok(read(line).map_err(|reason| place.damaged(reason)))
        })
    }

    /// Reads one number; 0 where there is none.
    fn number(&self, place: Place<'_>, sql: &str, values: Values<'_>) -> Answer<u64> {
        let found = self.one(place, sql, values, |line| line.get::<Option<u64>>(0))?;
        Ok(found.flatten().unwrap_or_default())
    }

    /// Whether there is such a table.
    fn has_table(&self, table: &str) -> Answer<bool> {
        Ok(self.tables()?.iter().any(|found| found == table))
    }
}

impl<D: Sql> Rows for D {}
impl<D: Sql> Changes for D {}

/// Rows of each table, by name.
fn count_each(sql: &impl Sql) -> Result<Vec<(String, u64)>, Fault> {
    let count = |name: String| {
        let query = format!("SELECT count(*) FROM \"{}\"", name.replace('"', "\"\""));
        Ok((name, sql.number(many("tables"), &query, &[])?))
    };
    sql.tables()?.into_iter().map(count).collect()
}
