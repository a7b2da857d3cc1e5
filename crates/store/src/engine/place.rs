//! Names of rows in errors.

use crate::fault::Fault;

/// The table and the row that an operation is about.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    pub table: &'static str,
    pub row: &'a [u8],
}

impl Place<'_> {
    /// The fault of a row that is not as it was written.
    pub(crate) fn damaged(&self, reason: impl std::fmt::Display) -> Fault {
        Fault::damaged(self.table, self.row_name(), reason)
    }

    /// The row in hexadecimal.
    pub(crate) fn row_name(&self) -> String {
        if self.row.is_empty() {
            "(several)".to_owned()
        } else {
            hex::encode(self.row)
        }
    }
}

/// One row of a table by its key.
pub(crate) fn at<'a>(table: &'static str, row: &'a [u8]) -> Place<'a> {
    Place { table, row }
}

/// Many rows of a table.
pub(crate) fn many(table: &'static str) -> Place<'static> {
    Place { table, row: &[] }
}
