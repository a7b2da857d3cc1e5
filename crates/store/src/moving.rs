//! Moves a community from one database into another of the other kind.

use crate::config::{OpenError, StoreConfig};
use crate::engine::Rows;
use crate::engine::log::ChainHead;
use crate::fault::Fault;
use crate::repository;
use crate::store::apart;

/// What was moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    /// Rows of each table, by name.
    pub tables: Vec<(String, u64)>,
    /// The end of the audit log.
    pub audit: ChainHead,
}

/// Why nothing was moved; the database that was to be filled is as it was.
#[derive(Debug, thiserror::Error)]
pub enum MoveError {
    /// One of them cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// Both are of one kind.
    #[error(
        "both databases are of one kind: copy a file with `backup` and `restore`, and a database of \
         PostgreSQL with its own tools"
    )]
    SameKind,
    /// There is something where the rows were to go.
    #[error("{0} has a database already: name one that has none")]
    NotEmpty(String),
    /// Somebody wrote meanwhile.
    #[error("the database was changed while it was moved: stop every server, then move it again")]
    Changed,
    /// What arrived is not what was sent.
    #[error("table {table} has {found} rows and should have {expected}: report this")]
    Different {
        /// The table.
        table: String,
        /// Rows that were sent.
        expected: u64,
        /// Rows that arrived.
        found: u64,
    },
    /// The log that arrived does not end as the one that was sent.
    #[error("the audit log ends in another record than the one that was sent: report this")]
    Log,
    /// A database failed.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// Copies every row from one database into another, which must be new, and compares.
///
/// Both are sealed under one key afterwards: that of the first. `copied` is told how many rows were copied, of
/// how many. It blocks.
pub fn move_database(
    from: &StoreConfig,
    to: &StoreConfig,
    copied: impl FnMut(u64, u64) + Send,
) -> Result<Moved, MoveError> {
    apart(|| repository::move_rows(from, to, copied))
}

impl Moved {
    /// Whether every row that was sent is here.
    pub(crate) fn holds(&self, sent: &Self) -> Result<(), MoveError> {
        for (table, expected) in &sent.tables {
            // A table of one kind only is the engine's own.
            let found = self.tables.iter().find(|(name, _)| name == table);
            if let Some((_, found)) = found
                && found != expected
            {
                return Err(MoveError::Different {
                    table: table.clone(),
                    expected: *expected,
                    found: *found,
                });
            }
        }
        if self.audit != sent.audit {
            return Err(MoveError::Log);
        }
        Ok(())
    }
}

/// Rows of each table, and the end of the log.
pub(crate) fn taken(rows: &dyn Rows) -> Result<Moved, Fault> {
    Ok(Moved {
        tables: rows.table_counts()?,
        audit: rows.chain_tip()?,
    })
}
