//! Public prekeys: batches published by clients, leaves claimed by senders.

use async_trait::async_trait;

use crate::audit::AuditEvent;
use crate::fault::Fault;
use api::ids::UserId;

/// One leaf of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leaf {
    /// The client's number for the pair; a one-time id is handed out once ever.
    pub prekey_id: u32,
    /// The encoded leaf.
    pub bytes: Vec<u8>,
}

/// A signed batch to be published; it replaces the one before.
///
/// Leaves are in the order of the Merkle tree's one-time indices; the last-resort leaf stands
/// apart and its index is `last_resort_index`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewBatch {
    /// The number of the batch; must be above the stored one.
    pub batch_number: u64,
    /// The signed head.
    pub head: Vec<u8>,
    /// What the server needs to make Merkle paths (its own form, opaque here).
    pub tree: Vec<u8>,
    /// One-time leaves with their indices in the tree.
    pub one_time: Vec<Leaf>,
    /// Index in the tree of the first one-time leaf; the others follow.
    pub first_index: u32,
    /// The last-resort leaf.
    pub last_resort: Leaf,
    /// Its index in the tree.
    pub last_resort_index: u32,
    /// X25519 half of the last-resort pair, for `public_keys.signed_prekey`.
    pub signed_prekey: Vec<u8>,
    /// ML-KEM-1024 half of it, for `public_keys.quantum_public_key`.
    pub quantum_public_key: Vec<u8>,
    /// Unix seconds.
    pub created_at: u64,
    /// When it expires, unix seconds; from then on nothing is handed out.
    pub expires_at: u64,
}

/// What a claim may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    /// A one-time leaf, or the last-resort one when none is left.
    OneTime,
    /// The last-resort leaf: nothing is used up.
    LastResort,
}

/// A claimed leaf with the data for its proof.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimedLeaf {
    /// Number of the batch.
    pub batch_number: u64,
    /// The signed head.
    pub head: Vec<u8>,
    /// As it was published.
    pub tree: Vec<u8>,
    /// Index of the leaf in the tree.
    pub index: u32,
    /// The client's number for the pair.
    pub prekey_id: u32,
    /// The encoded leaf.
    pub leaf: Vec<u8>,
    /// Whether it is the last-resort one.
    pub last_resort: bool,
    /// One-time leaves left.
    pub stock: u32,
}

/// What is left of an account's prekeys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stock {
    /// One-time leaves left.
    pub one_time: u32,
    /// Number of the newest batch.
    pub batch_number: u64,
    /// Unix seconds at which the newest last-resort pair was made.
    pub last_resort_created_at: u64,
    /// Unix seconds.
    pub expires_at: u64,
}

/// Why a batch was not published.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// There is no such account.
    #[error("there is no such account")]
    NoSuchUser,
    /// The number is not above the stored one.
    #[error("the batch number {found} is not above the stored {stored}: count on from there")]
    StaleBatch {
        /// Number in the request.
        found: u64,
        /// Number in the store.
        stored: u64,
    },
    /// More than 1,000 one-time leaves.
    #[error("a batch holds at most {max} one-time leaves, not {found}", max = MAX_LEAVES)]
    TooManyLeaves {
        /// Number in the request.
        found: usize,
    },
    /// The store failed.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// Most one-time leaves in a batch.
pub const MAX_LEAVES: usize = 1_000;

/// Repository of prekeys.
#[async_trait]
pub trait Prekeys: Send + Sync {
    /// Publishes a batch in the place of the one before; answers with the stock.
    async fn publish_prekeys(
        &self,
        user: UserId,
        batch: NewBatch,
        audit: Vec<AuditEvent>,
    ) -> Result<Stock, PublishError>;

    /// Takes a leaf, durably and once; `None` when the account has no batch in force.
    async fn claim_prekey(
        &self,
        user: UserId,
        claim: Claim,
        now: u64,
    ) -> Result<Option<ClaimedLeaf>, Fault>;

    /// What is left; `None` when nothing was ever published.
    async fn prekey_stock(&self, user: UserId, now: u64) -> Result<Option<Stock>, Fault>;

    /// Forgets one chunk of what expired; answers how many rows went (0: nothing is left to do).
    async fn prune_prekeys(&self, now: u64) -> Result<u64, Fault>;
}
