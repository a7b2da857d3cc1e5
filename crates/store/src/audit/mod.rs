//! The audit log: events are appended, records are read.

pub(crate) mod authorship;
pub(crate) mod chain;
pub(crate) mod file;
pub(crate) mod heads;
pub(crate) mod log;
pub(crate) mod proof;
mod retention;

use std::fmt;

use async_trait::async_trait;

pub use crate::engine::log::{AuditFilter, ChainHead};

use crate::damage::Damage;
use crate::fault::Fault;
use crate::intent::{Declaration, Intent};
use api::ids::UserId;

/// Something that happened, to be appended to the chain.
#[derive(Clone, PartialEq)]
pub struct AuditEvent {
    /// The account; `None` for the system.
    pub user_id: Option<UserId>,
    /// A stable dotted name, for instance `session.created`.
    pub action: &'static str,
    /// Unix seconds.
    pub timestamp: u64,
    /// Sealed under the key of that user: request id, address, status, latency, reason.
    pub details: serde_json::Value,
}

impl fmt::Debug for AuditEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuditEvent")
            .field("user_id", &self.user_id)
            .field("action", &self.action)
            .field("timestamp", &self.timestamp)
            .field("details", &"[redacted]")
            .finish()
    }
}

/// A record of the chain, opened.
#[derive(Clone, PartialEq)]
pub struct AuditRecord {
    /// Place in the chain, counted from 1 without gaps.
    pub id: u64,
    /// The account; `None` for the system.
    pub user_id: Option<UserId>,
    /// The action.
    pub action: String,
    /// Unix seconds.
    pub timestamp: u64,
    /// The details; null if their key was destroyed with the account, or if they are damaged.
    pub details: serde_json::Value,
    /// Damage of the details or of the whole record.
    pub damage: Option<Damage>,
    /// Whether the record was not written by this program.
    pub foreign: bool,
    /// SHA3-512 over the record and its predecessor's hash.
    pub hash: [u8; 64],
}

impl AuditRecord {
    /// Makes a record of which only the number can be read.
    pub(crate) fn unreadable(id: u64, reason: String) -> Self {
        Self {
            id,
            user_id: None,
            action: String::new(),
            timestamp: 0,
            details: serde_json::Value::Null,
            damage: Some(Damage {
                table: "audit_log",
                row: id.to_string(),
                reason,
            }),
            foreign: true,
            hash: [0; 64],
        }
    }
}

impl fmt::Debug for AuditRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuditRecord")
            .field("id", &self.id)
            .field("user_id", &self.user_id)
            .field("action", &self.action)
            .field("timestamp", &self.timestamp)
            .field("details", &"[redacted]")
            .finish_non_exhaustive()
    }
}

/// One page of records.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditPage {
    /// Newest first.
    pub records: Vec<AuditRecord>,
    /// Pass as `before` for the next page; `None` when this is the last.
    pub next: Option<u64>,
}

/// Why a chain does not verify.
#[derive(Debug, thiserror::Error)]
pub enum ChainError {
    /// The first record that does not fit.
    #[error("the audit log is broken at record {id}: {reason}")]
    Broken {
        /// Id of the first bad record.
        id: u64,
        /// What is wrong with it.
        reason: String,
    },
    /// The store failed.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// Repository of audit records; nothing is ever changed or deleted through it.
#[async_trait]
pub trait AuditLog: Send + Sync {
    /// Appends events that belong to no other change.
    async fn append_audit(&self, events: Vec<AuditEvent>) -> Result<(), Fault>;

    /// Records an intent; returns the proof that it was committed, which the acts themselves need.
    async fn declare(&self, declaration: Declaration, now: u64) -> Result<Intent, Fault>;

    /// Returns matching records, newest first, below the id `before`, at most `limit` (capped at 500). A replica
    /// may answer.
    async fn query_audit(
        &self,
        filter: AuditFilter,
        before: Option<u64>,
        limit: u32,
    ) -> Result<AuditPage, Fault>;

    /// Counts matching records. A replica may answer.
    async fn count_audit(&self, filter: AuditFilter) -> Result<u64, Fault>;

    /// Recomputes every hash from the first record on.
    async fn verify_audit_chain(&self) -> Result<ChainHead, ChainError>;
}
