//! What proves the audit log: its chain read in order, its heads, its retention.

use ::audit::{Door, Record, SignedHead, Verifier};
use async_trait::async_trait;
use serde_json::Value;

use crate::audit::ChainHead;
use crate::damage::Damage;
use crate::fault::Fault;

/// What the keys show of a record.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Seen {
    /// The details, opened; `None` where nobody asked or they were erased with their account.
    pub details: Option<Value>,
    /// Why the details do not open although they should.
    pub damage: Option<Damage>,
    /// Whether this program did not write the record.
    pub foreign: bool,
}

/// A record that this program did not write, or that does not follow what it wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Foreign {
    /// Its number.
    pub id: u64,
    /// How that shows.
    pub reason: &'static str,
}

impl std::fmt::Display for Foreign {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "audit record {}: {}", self.id, self.reason)
    }
}

/// How far the log is this program's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Own {
    /// The newest record up to which it wrote every one.
    pub tip: ChainHead,
    /// The record after it, where that is not its own.
    pub foreign: Option<Foreign>,
}

/// What stands in the log next.
#[derive(Debug, Clone, PartialEq)]
pub enum AuditItem {
    /// A record, and what else was looked at where somebody asked for that.
    Record(Box<Record>, Seen),
    /// A record of this number that cannot be read.
    Unreadable(u64),
    /// A head, after the record that it signs.
    Head(SignedHead),
}

impl AuditItem {
    /// Hands it to a verifier.
    pub fn verify(self, verifier: &mut Verifier) {
        match self {
            Self::Record(record, seen) => {
                if seen.foreign {
                    verifier.foreign_record(record.id);
                }
                if seen.damage.is_some() {
                    verifier.damaged_details(record.id);
                }
                verifier.record(*record);
            }
            Self::Unreadable(id) => verifier.unreadable_record(Some(id)),
            Self::Head(head) => verifier.head(head),
        }
    }
}

/// A part of the log in its order.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditChunk {
    /// Records, each followed by the heads that sign it.
    pub items: Vec<AuditItem>,
    /// Pass as `after` for the next part; `None` when this is the end.
    pub next: Option<u64>,
}

/// Repository of the log's proof.
#[async_trait]
pub trait AuditProof: Send + Sync {
    /// The newest record.
    async fn audit_tip(&self) -> Result<ChainHead, Fault>;

    /// How far the log is this program's, from the record that the newest head signs, or from the
    /// beginning; it looks at no more than `most` records where that is given.
    async fn own_audit_tip(
        &self,
        signed: Option<ChainHead>,
        most: Option<u64>,
    ) -> Result<Own, Fault>;

    /// The part of the log after the record `after`, at most `limit` records (capped at 1,000).
    ///
    /// With `open`, the keys are used: details are opened, and whoever wrote each record is looked
    /// at. Details that do not open are named with their record, and the rest goes on.
    async fn audit_chunk(&self, after: u64, limit: u32, open: bool) -> Result<AuditChunk, Fault>;

    /// The records from the first that was written at `from` or later to the last that was written
    /// at `to` or earlier, in unix seconds; `None` where there is none.
    async fn audit_range(
        &self,
        from: Option<u64>,
        to: Option<u64>,
    ) -> Result<Option<(Record, u64)>, Fault>;

    /// The newest head.
    async fn newest_audit_head(&self) -> Result<Option<SignedHead>, Fault>;

    /// Appends a head; `false` where its number is taken or it signs no record of the log, so that
    /// it must be made anew.
    async fn append_audit_head(&self, head: SignedHead) -> Result<bool, Fault>;

    /// Every door, oldest first.
    async fn audit_doors(&self) -> Result<Vec<Door>, Fault>;

    /// Opens a door for records of before `cutoff`, unix seconds, and writes the record that vouches
    /// for it; `None` where no record is that old. The newest record always stays.
    async fn open_audit_door(&self, cutoff: u64, now: u64) -> Result<Option<Door>, Fault>;

    /// Deletes what may go through the newest door, at most `limit` rows; how many went.
    ///
    /// Nothing goes before a head signs the record that vouches for the door.
    async fn pass_audit_door(&self, limit: u32) -> Result<u64, Fault>;

    /// Keeps the key that heads are verified with, as text, where whoever has the file finds it.
    async fn publish_audit_key(&self, text: String) -> Result<(), Fault>;
}
