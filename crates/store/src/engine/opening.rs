//! A database that serves nobody yet, of whichever engine.

use std::sync::Arc;

use crate::config::{OpenError, StoreConfig};
use crate::engine::log::Chain;
use crate::engine::sql::{Sql, copy};
use crate::engine::{Changes, Engine, Rows, postgres, sqlite};
use crate::fault::Fault;
use crate::moving::MoveError;

/// The place of a database.
pub(crate) enum Site<'a> {
    File(sqlite::Site<'a>),
    Server(Box<postgres::Opening>),
}

/// A database that serves nobody yet: one connection, used by one thread.
pub(crate) enum Opening<'a> {
    File(sqlite::Opening<'a>),
    Server(Box<postgres::Opening>),
}

impl<'a> Site<'a> {
    /// Looks at what the configuration names; an error if a file was emptied or a server is not reached.
    pub(crate) fn find(config: &'a StoreConfig) -> Result<Self, OpenError> {
        match &config.postgres {
            None => sqlite::Site::find(config).map(Self::File),
            Some(server) => {
                let found = postgres::find(config, server)?;
                Ok(Self::Server(Box::new(found)))
            }
        }
    }

    /// Whether there is no database yet.
    pub(crate) fn is_new(&self) -> bool {
        match self {
            Self::File(site) => site.is_new,
            Self::Server(server) => !server.has_tables,
        }
    }

    /// Restricts an existing file to its owner, or makes the folder of a new one.
    pub(crate) fn prepare(&self) -> Result<(), OpenError> {
        match self {
            Self::File(site) => site.prepare(),
            Self::Server(_) => Ok(()),
        }
    }

    /// Connects; changes nothing.
    pub(crate) fn open(self) -> Result<Opening<'a>, OpenError> {
        match self {
            Self::File(site) => site.open().map(Opening::File),
            Self::Server(server) => Ok(Opening::Server(server)),
        }
    }

    /// Connects to what is there already, to read it.
    pub(crate) fn open_to_read(self) -> Result<Opening<'a>, OpenError> {
        match self {
            Self::File(site) => site.open_to_read().map(Opening::File),
            Self::Server(server) => Ok(Opening::Server(server)),
        }
    }
}

impl Opening<'_> {
    /// Whether it holds tables of this program, perhaps of an older schema.
    pub(crate) fn has_tables(&self) -> bool {
        match self {
            Self::File(file) => file.has_tables,
            Self::Server(server) => server.has_tables,
        }
    }

    /// The rows as they are.
    pub(crate) fn rows(&self) -> Box<dyn Rows + '_> {
        match self {
            Self::File(file) => Box::new(file.rows()),
            Self::Server(server) => Box::new(server.rows()),
        }
    }

    /// Brings the schema up to date; returns how many migrations ran.
    pub(crate) fn migrate(&mut self) -> Result<usize, OpenError> {
        match self {
            Self::File(file) => file.migrate(),
            Self::Server(server) => server.migrate(),
        }
    }

    /// The newest schema of its kind that this program knows.
    pub(crate) fn schema(&self) -> u32 {
        match self {
            Self::File(_) => sqlite::schema(),
            Self::Server(_) => postgres::schema(),
        }
    }

    /// Changes rows in one transaction.
    pub(crate) fn transact<T>(
        &mut self,
        work: impl FnOnce(&dyn Changes) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        match self {
            Self::File(file) => file.transact(work),
            Self::Server(server) => server.transact(work),
        }
    }

    /// Lets a role of the server serve; a file has none.
    pub(crate) fn grant(&mut self, role: &str) -> Result<(), OpenError> {
        match self {
            Self::File(_) => Err(OpenError::NoRoles),
            Self::Server(server) => server.grant(role),
        }
    }

    /// Writes every row of another database into this one, which has the tables and no rows.
    ///
    /// `copied` is told how many were, of how many. `compare` sees what arrived, and what stands in the other
    /// database by then; where it refuses, nothing is kept.
    pub(crate) fn fill_from(
        &mut self,
        from: &Opening<'_>,
        copied: impl FnMut(u64, u64),
        compare: impl FnOnce(&dyn Rows, &dyn Rows) -> Result<(), MoveError>,
    ) -> Result<(), MoveError> {
        let mut refused = None;
        let checked = |arrived: &dyn Rows, sent: &dyn Rows| {
            compare(arrived, sent).map_err(|reason| {
                refused = Some(reason);
                Fault::Unavailable("it was not kept".to_owned())
            })
        };
        let filled = match (from, self) {
            (Opening::File(from), Opening::Server(to)) => {
                let from = from.rows();
                to.fill(|to| {
                    copy(&from, to, copied)?;
                    checked(to, &from)
                })
            }
            (Opening::Server(from), Opening::File(to)) => {
                let rows = from.rows();
                rows.one_moment()?;
                let filled = to.fill(|to| {
                    copy(&rows, to, copied)?;
                    checked(to, &from.as_it_is())
                });
                // Nothing was changed by reading.
                let _ = rows.end_read();
                filled
            }
            _ => return Err(MoveError::SameKind),
        };
        match refused {
            Some(reason) => Err(reason),
            None => Ok(filled?),
        }
    }

    /// Starts what serves requests.
    pub(crate) fn start(self, chain: Arc<dyn Chain>) -> Result<Arc<dyn Engine>, OpenError> {
        Ok(match self {
            Self::File(file) => Arc::new(file.start(chain)?),
            Self::Server(server) => Arc::new(server.start(chain)?),
        })
    }
}
