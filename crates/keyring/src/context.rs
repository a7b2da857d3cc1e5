//! Where a sealed value belongs.

/// The place of a sealed value; part of its associated data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Context<'a> {
    /// Table.
    pub table: &'a str,
    /// Column.
    pub column: &'a str,
    /// Primary key of the row, in the bytes that the store chooses.
    pub row_id: &'a [u8],
    /// Layout of the plaintext in this column.
    pub schema_version: u16,
}

impl Context<'_> {
    /// Encodes purpose and place so that no two places have the same bytes.
    ///
    /// Every part is preceded by its length: `("ab", "c")` and `("a", "bc")` differ.
    pub(crate) fn associated_data(&self, purpose: &str, extra: &[u8]) -> Vec<u8> {
        let parts = [
            purpose.as_bytes(),
            extra,
            self.table.as_bytes(),
            self.column.as_bytes(),
            self.row_id,
            &self.schema_version.to_be_bytes(),
        ];
        let mut out = Vec::with_capacity(parts.iter().map(|p| p.len() + 8).sum());
        for part in parts {
            out.extend_from_slice(&(part.len() as u64).to_be_bytes());
            out.extend_from_slice(part);
        }
        out
    }
}
