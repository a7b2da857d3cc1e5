//! Figures for the administrator.

use async_trait::async_trait;

use crate::damage::Damage;
use crate::fault::Fault;

/// Figures of the durable plane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct Statistics {
    /// Accounts.
    pub users: u64,
    /// Sessions that have not expired.
    pub active_sessions: u64,
    /// Unix seconds at which the next session expires, if there is one.
    pub next_session_expiry: Option<u64>,
    /// Audit records.
    pub audit_records: u64,
    /// Invites that can still be used.
    pub open_invites: u64,
    /// Bytes of the database file without its log.
    pub database_bytes: u64,
}

/// Replicas of the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ReplicaUse {
    /// How many there are.
    pub configured: u64,
    /// How many answer look-ups.
    pub in_use: u64,
}

/// Repository of figures.
#[async_trait]
pub trait StatisticsSource: Send + Sync {
    /// Figures as of `now`; a replica may answer.
    async fn statistics(&self, now: u64) -> Result<Statistics, Fault>;

    /// Whether the database answers a read, and takes a write of some kilobytes: the disk has room.
    async fn health(&self, now: u64) -> Result<(), Fault>;

    /// How many replicas there are, and how many answer look-ups.
    fn replicas(&self) -> ReplicaUse;

    /// Damaged rows that were met since this was asked last, each once since the start.
    fn take_damages(&self) -> Vec<Damage>;
}
