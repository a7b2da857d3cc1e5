//! The proof of the audit log: its chain in order, its heads, its retention.

use ::audit::{Door, Record, SignedHead, Verifier};
use async_trait::async_trait;
use serde_json::Value;

use crate::audit::ChainHead;
use crate::damage::Damage;
use crate::fault::Fault;

/// What the keys of the database reveal about a record.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Seen {
    /// The opened details; `None` if they were not asked for, or their account was erased.
    pub details: Option<Value>,
    /// Damage of the details.
    pub damage: Option<Damage>,
    /// Whether the record was not written by this program.
    pub foreign: bool,
}

/// A record that was not written by this program, or does not follow those that were.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Foreign {
    /// Its number.
    pub id: u64,
    /// How this was found.
    pub reason: &'static str,
}

impl std::fmt::Display for Foreign {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "audit record {}: {}", self.id, self.reason)
    }
}

/// The part of the log that was written by this program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Own {
    /// The newest record up to which it wrote all.
    pub tip: ChainHead,
    /// The record after it, if there is one that it did not write.
    pub foreign: Option<Foreign>,
}

/// The next entry of the log.
#[derive(Debug, Clone, PartialEq)]
pub enum AuditItem {
    /// A record, and what its keys reveal, if that was asked for.
    Record(Box<Record>, Seen),
    /// A record of this number that cannot be read.
    Unreadable(u64),
    /// A head, after the record that it signs.
    Head(SignedHead),
}

impl AuditItem {
    /// Passes it to a verifier.
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

    /// Returns how much of the log this program wrote, from the record that the newest head signs or from the
    /// beginning; reads at most `most` records, if given.
    async fn own_audit_tip(
        &self,
        signed: Option<ChainHead>,
        most: Option<u64>,
    ) -> Result<Own, Fault>;

    /// The part of the log after the record `after`, at most `limit` records (capped at 1,000).
    ///
    /// With `open`, details are opened and the authorship of each record is checked. Damaged details are
    /// reported with their record, and the rest continues.
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

    /// Opens a door for records before `cutoff`, unix seconds, and writes the record that vouches for it;
    /// `None` if no record is that old. The newest record always stays.
    async fn open_audit_door(&self, cutoff: u64, now: u64) -> Result<Option<Door>, Fault>;

    /// Deletes what the newest door permits, at most `limit` rows; returns how many.
    ///
    /// Nothing is deleted before a head signs the record that vouches for the door.
    async fn pass_audit_door(&self, limit: u32) -> Result<u64, Fault>;

    /// Stores the verify key of the heads as text, in the clear.
    async fn publish_audit_key(&self, text: String) -> Result<(), Fault>;
}
