//! Rows of `audit_log`, `audit_heads` and `audit_retention`.

use std::sync::Arc;

use crate::classes::Sealed;
use crate::engine::Answer;
use api::ids::UserId;

pub(crate) use ::audit::{Door, Head, Record, SignedHead};

/// The end of the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainHead {
    /// Id of the newest record; 0 when there is none.
    pub id: u64,
    /// Its hash; zeros when there is none.
    pub hash: [u8; 64],
}

/// Which records to show; newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// Of this user only.
    pub user_id: Option<UserId>,
    /// With this action only.
    pub action: Option<String>,
    /// From this time on, unix seconds, inclusive.
    pub from: Option<u64>,
    /// Up to this time, unix seconds, inclusive.
    pub to: Option<u64>,
}

/// An event with sealed details that has no place in the chain yet.
pub(crate) struct SealedEvent {
    pub event_id: [u8; 16],
    pub user_id: Option<UserId>,
    pub action: &'static str,
    pub timestamp: u64,
    pub details: Sealed,
}

/// Events of one request, in their order.
pub(crate) type Events = Vec<Arc<SealedEvent>>;

/// An event in its place of the chain.
pub(crate) struct LinkedEvent {
    pub event: Arc<SealedEvent>,
    pub id: u64,
    pub previous: [u8; 64],
    pub hash: [u8; 64],
    pub tag: Vec<u8>,
}

/// Gives events their places: the one thing that an engine asks of what is above it.
///
/// The engine calls it between locking the chain's head and inserting the records, as late in its
/// transaction as it can.
pub(crate) trait Chain: Send + Sync {
    /// Places after `tip`; it is moved to the last of them.
    fn link(&self, tip: &mut ChainHead, events: Events) -> Vec<LinkedEvent>;
}

/// A record as it stands, or why it cannot be read, and its tag.
pub(crate) struct LoggedRecord {
    pub id: u64,
    pub record: Answer<Record>,
    pub tag: Option<Vec<u8>>,
}

/// Hash and tag of a record.
pub(crate) type RecordMark = ([u8; 64], Option<Vec<u8>>);

/// Reads the log.
pub(crate) trait LogRows {
    /// Makes everything that this read reads from here on be of one moment.
    fn hold_still(&self) -> Answer;

    /// The end of the chain; zeros before the first record.
    fn chain_tip(&self) -> Answer<ChainHead>;

    /// Records after a number, in their order.
    fn records_after(&self, after: u64, limit: u32) -> Answer<Vec<LoggedRecord>>;

    fn record_mark(&self, id: u64) -> Answer<Option<RecordMark>>;

    /// Matching records below a number, newest first.
    fn find_records(
        &self,
        filter: &AuditFilter,
        before: Option<u64>,
        limit: usize,
    ) -> Answer<Vec<LoggedRecord>>;

    fn count_records(&self, filter: &AuditFilter) -> Answer<u64>;

    /// The number of the first record that was written at this time or later.
    fn first_record_since(&self, time: u64) -> Answer<Option<u64>>;

    /// The number of the last record that was written at this time or earlier.
    fn last_record_until(&self, time: u64) -> Answer<Option<u64>>;

    /// The newest record below a number.
    fn record_before(&self, id: u64) -> Answer<Option<ChainHead>>;

    /// Whether a head signs a record with this action and event id.
    fn is_signed(&self, action: &str, event_id: &[u8; 16]) -> Answer<bool>;

    /// Heads of the records from one number on, through another one, in their order.
    ///
    /// One that cannot be read comes with what can be, and its signature will not hold.
    fn heads(&self, from: u64, through: Option<u64>, take: &mut dyn FnMut(SignedHead)) -> Answer;

    fn newest_head(&self) -> Answer<Option<SignedHead>>;

    /// Every door, oldest first.
    fn doors(&self) -> Answer<Vec<Door>>;
}

/// Changes the log.
pub(crate) trait LogChanges {
    /// Locks the end of the chain until the transaction ends; returns it.
    fn lock_chain(&self) -> Answer<ChainHead>;

    fn append_records(&self, records: &[LinkedEvent]) -> Answer;

    fn insert_head(&self, head: &SignedHead) -> Answer;

    fn insert_door(&self, door: &Door) -> Answer;

    /// Deletes records through a number, oldest first, at most so many.
    fn delete_records(&self, through: u64, limit: u32) -> Answer<u64>;

    /// Deletes heads of records through a number, oldest first, at most so many.
    fn delete_heads(&self, through: u64, limit: u32) -> Answer<u64>;
}
