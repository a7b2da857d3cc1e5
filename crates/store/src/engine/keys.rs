//! Rows of `keks`, `key_jobs` and `audit_keys`, and walks over sealed columns.

use crate::classes::Sealed;
use crate::engine::Answer;
use api::bodies::KeyJob;

/// A key-encryption key.
pub(crate) struct KekRow {
    pub kek_id: [u8; 16],
    pub provider: String,
    pub version: u32,
    pub state: String,
    pub salt: Option<Vec<u8>>,
    pub iterations: Option<u32>,
    pub reference: Option<String>,
    pub wrapped: Option<Vec<u8>>,
    pub check: Sealed,
    pub handover: Option<Sealed>,
    pub created_at: u64,
    pub retired_at: Option<u64>,
}

/// A key job, where it continues, and the records that end it as JSON.
#[derive(Clone)]
pub(crate) struct JobRow {
    pub job: KeyJob,
    pub cursor: String,
    pub outcomes: Option<String>,
}

/// A value of a primary key.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum RowKey {
    Number(i64),
    Bytes(Vec<u8>),
    Text(String),
}

/// A sealed column and how to walk over it.
pub(crate) struct Walk {
    pub table: &'static str,
    pub column: &'static str,
    /// The column that orders the rows and names one: the primary key.
    pub key: &'static str,
    /// The columns that together name the row in the associated data.
    pub name: &'static [&'static str],
}

/// A row that a walk came by.
pub(crate) struct Walked {
    pub key: RowKey,
    /// `None` if it is under the key that was to be skipped.
    pub sealed: Option<Sealed>,
    /// The naming columns one after the other, numbers in eight bytes.
    pub name: Vec<u8>,
}

/// Reads keys and sealed columns.
pub(crate) trait KeyRows {
    /// Every key, the newest first; also in a database that was not migrated yet.
    fn keks(&self) -> Answer<Vec<KekRow>>;

    /// The running job, or else the last one.
    fn newest_key_job(&self) -> Answer<Option<JobRow>>;

    fn audit_key(&self, subject: &[u8; 16]) -> Answer<Option<Sealed>>;

    /// The next rows after a key; values under `skip` are left out.
    fn walk(
        &self,
        walk: &Walk,
        after: &RowKey,
        skip: Option<[u8; 16]>,
        limit: usize,
    ) -> Answer<Vec<Walked>>;

    /// Name and value of some row that is under this key-encryption key.
    fn any_under(&self, walk: &Walk, kek: &[u8; 16]) -> Answer<Option<(Vec<u8>, Sealed)>>;
}

/// Changes keys and sealed columns.
pub(crate) trait KeyChanges {
    /// Inserts the row of a new active key.
    fn insert_kek(&self, row: &KekRow) -> Answer;

    /// Makes the active key the retiring one and keeps it sealed under its successor; `false` if another
    /// key is active.
    fn begin_retiring(&self, kek: &[u8; 16], handed: Option<&Sealed>) -> Answer<bool>;

    /// From now on no value is written under the retiring key.
    fn close_retiring(&self, now: u64) -> Answer;

    /// Retires the retiring key; erases what it was derived with, and what was handed over.
    fn retire(&self, now: u64) -> Answer;

    /// Inserts a running job and returns its number; a second running one is refused.
    fn insert_key_job(&self, row: &JobRow) -> Answer<u64>;

    /// Moves a running job from one cursor to the next; `false` if it is not at the first.
    fn advance_key_job(&self, id: u64, from: &str, to: &str, done: u64) -> Answer<bool>;

    /// Ends a running job; `false` if it is not at this cursor.
    fn finish_key_job(&self, id: u64, from: &str, done: u64, now: u64) -> Answer<bool>;

    fn insert_audit_key(&self, subject: &[u8; 16], key: &Sealed, now: u64) -> Answer;

    /// Replaces a value if it is still the old one.
    fn swap_sealed(&self, walk: &Walk, key: &RowKey, old: &Sealed, new: &Sealed) -> Answer;
}
