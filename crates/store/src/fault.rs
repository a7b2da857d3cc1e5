//! Errors of any operation of the store.

/// A failure of the store, not of the caller.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Fault {
    /// A row does not open or does not read as it was written: wrong key, flipped bit, swapped
    /// row or a truncated file.
    #[error(
        "damaged row {row} in table {table}: {reason}; restore the database from a backup, \
         and do not start it with another key"
    )]
    Damaged {
        /// Table of the row.
        table: &'static str,
        /// Row id, in hexadecimal or decimal.
        row: String,
        /// What is wrong with it.
        reason: String,
    },
    /// No space is left where the database is, or none that its quota or file size limit allows.
    #[error(
        "no space is left for the database: free some, or raise the quota or the limit for the \
         size of files that it met, then try again"
    )]
    Full,
    /// The database refused or could not be read or written; nothing of the operation was kept.
    #[error("the database is not available ({0}); nothing was kept, try again")]
    Unavailable(String),
    /// The key provider is unavailable. Values may be sound; the next call asks it again.
    #[error("{0}; nothing was changed, try again when the key provider answers")]
    Keys(String),
    /// The store was closed; nothing is accepted any more.
    #[error("the store is closed: the server is shutting down")]
    Closed,
    /// Sealing failed before anything was written.
    #[error("sealing failed: {0}")]
    Sealing(String),
}

impl Fault {
    pub(crate) fn damaged(
        table: &'static str,
        row: impl std::fmt::Display,
        reason: impl std::fmt::Display,
    ) -> Self {
        Self::Damaged {
            table,
            row: row.to_string(),
            reason: reason.to_string(),
        }
    }

    /// Returns whether the same call may succeed later without a repair.
    pub fn is_temporary(&self) -> bool {
        matches!(self, Self::Full | Self::Unavailable(_) | Self::Keys(_))
    }
}
