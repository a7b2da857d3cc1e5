//! The audit log and what proves it, for administrators.

use serde::{Deserialize, Serialize};

use crate::ids::UserId;

/// Which records are wanted, in the address; an empty field is as good as none.
#[derive(Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct RecordsWanted {
    /// A handle, or an account's id.
    pub user: Option<String>,
    /// The name of an action.
    pub action: Option<String>,
    /// From this time on, unix seconds.
    pub from: Option<u64>,
    /// Up to this time, unix seconds.
    pub to: Option<u64>,
    /// Below this record.
    pub before: Option<u64>,
    /// How many, at most 200.
    pub limit: Option<u32>,
}

/// One record.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct AuditRecord {
    /// Place in the chain.
    pub id: u64,
    /// Whose; absent for the system's.
    pub user_id: Option<UserId>,
    /// Their handle, where the account exists.
    pub handle: Option<String>,
    /// What happened.
    pub action: String,
    /// Unix seconds.
    pub timestamp: u64,
    /// Request id, address, reason; null where the account was erased, and the key of this with it,
    /// or where they are damaged.
    #[cfg_attr(feature = "schema", schema(value_type = Option<Object>))]
    pub details: serde_json::Value,
    /// Why the details cannot be read although they should, where that is so.
    pub damage: Option<String>,
    /// Whether this server did not write the record.
    pub foreign: bool,
    /// SHA3-512 of the record and its predecessor's hash, in hexadecimal digits.
    pub hash: String,
}

/// A page of records.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct AuditPage {
    /// Newest first.
    pub records: Vec<AuditRecord>,
    /// The `before` of the next page, if there is one.
    pub next: Option<u64>,
}

/// The key that heads of the audit log are verified with.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct AuditKey {
    /// Always `secure-messaging/1 audit key`.
    pub format: String,
    /// What people compare, in hexadecimal digits.
    pub fingerprint: String,
    /// Ed25519 and ML-DSA-87 one after the other, in base64.
    pub verify_key: String,
}

/// The newest head.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct NewestHead {
    /// Counted from 1 without gaps.
    pub number: u64,
    /// The record that it signs.
    pub record_id: u64,
    /// That record's hash, in hexadecimal digits.
    pub hash: String,
    /// Unix seconds.
    pub timestamp: u64,
}

/// What proves the log.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct AuditProof {
    /// Fingerprint of the key that signs heads, in hexadecimal digits.
    pub key: String,
    /// The newest head.
    pub head: Option<NewestHead>,
    /// The newest record.
    pub newest_record: u64,
    /// Whoever is sent heads.
    pub witnesses: Vec<WitnessState>,
    /// Why an older copy of the database seems to have been put back, if one does.
    pub rolled_back: Option<String>,
    /// What in the log this server did not write, where there is something: no head is signed over
    /// it or after it.
    pub foreign: Option<String>,
    /// The verification that runs or ran last.
    pub verification: Verification,
}

/// How a witness is doing.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct WitnessState {
    /// Its address as it is configured.
    pub address: String,
    /// Heads that it has taken since the start.
    pub taken: u64,
    /// The newest record of which it has a head.
    pub newest_record: u64,
    /// When it took that, in unix seconds.
    pub taken_at: Option<u64>,
    /// Heads that wait for it.
    pub waiting: u64,
    /// Heads that made room for later ones before it took them.
    pub skipped: u64,
    /// Tries that failed since the start.
    pub failures: u64,
    /// Why the last try failed; absent when it did not.
    pub error: Option<String>,
}

/// A verification: what is under way and what the last one came to.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Verification {
    /// Whether one runs now.
    pub running: bool,
    /// Records that it has read.
    pub done: u64,
    /// Records that there were when it began.
    pub total: u64,
    /// What the last one came to.
    pub last: Option<Verified>,
}

/// What a verification came to.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Verified {
    /// Whether nothing was found.
    pub whole: bool,
    /// Unix seconds of its end.
    pub at: u64,
    /// Records that were read.
    pub records: u64,
    /// The first of them.
    pub from: u64,
    /// The last of them.
    pub to: u64,
    /// Heads whose signatures hold.
    pub heads: u64,
    /// The newest record that a verified head signs.
    pub vouched: u64,
    /// What was found, each in one sentence.
    pub findings: Vec<String>,
}

impl Verified {
    /// Returns whether a record was verified and a head vouches for it.
    pub fn covers(&self, record: u64) -> bool {
        self.whole && (self.from..=self.vouched).contains(&record)
    }
}
