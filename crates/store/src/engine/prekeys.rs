//! Rows of `prekey_stock`, `prekey_batches` and `prekeys`.
//!
//! A full batch holds a hundred leaves of 1.6 KB. As a hundred rows, each would fill half a page, with
//! an index entry of its own, and publishing would spend most of its time inserting them. So
//! the public parts of a batch are one row, written once and never updated: a directory of ids and
//! ends, then the leaves one after the other, of which a claim reads one piece by piece.
//! What changes is small and stands apart: `prekey_stock` counts how far the batch is handed out,
//! and `prekeys` gets a row (user, prekey id, claimed at) for each pair that was. Its primary key
//! makes a pair go once, also where a later batch lists the same pair again.

use crate::engine::Answer;
use crate::prekeys::{ClaimedLeaf, NewBatch};
use api::ids::UserId;

/// How far the newest batch of an account is handed out.
pub(crate) struct StockRow {
    pub batch_number: u64,
    pub leaf_count: u32,
    pub next_leaf: u32,
    pub created_at: u64,
    pub expires_at: u64,
}

/// A batch with its leaves packed into one value.
pub(crate) struct PackedBatch {
    /// The batch without its one-time leaves.
    pub batch: NewBatch,
    pub leaves: Vec<u8>,
}

/// The public parts of a batch, with its leaves to be read piece by piece.
pub(crate) struct BatchRow<'a> {
    pub first_index: u32,
    pub head: Vec<u8>,
    pub tree: Vec<u8>,
    pub leaves: Box<dyn Pieces + 'a>,
}

/// A large value that is read piece by piece.
pub(crate) trait Pieces {
    fn len(&self) -> usize;

    /// Reads a piece, which must not reach beyond the end.
    fn read(&self, bytes: &mut [u8], offset: usize) -> Answer;
}

/// Reads prekeys.
pub(crate) trait PrekeyRows {
    fn stock(&self, user: &UserId) -> Answer<Option<StockRow>>;

    fn batch(&self, user: &UserId) -> Answer<Option<BatchRow<'_>>>;

    /// The last-resort leaf of a batch that has not expired.
    fn last_resort(&self, user: &UserId, now: u64) -> Answer<Option<ClaimedLeaf>>;
}

/// Changes prekeys.
pub(crate) trait PrekeyChanges {
    /// Replaces a batch by one with a higher number; returns the stored number if this one is not higher.
    fn publish_batch(
        &self,
        user: &UserId,
        batch: &PackedBatch,
        stock: &StockRow,
    ) -> Answer<Result<(), u64>>;

    /// Notes that a pair is handed out; `false` if it was before.
    fn claim_pair(&self, user: &UserId, prekey_id: u32, now: u64, expires_at: u64) -> Answer<bool>;

    fn set_next_leaf(&self, user: &UserId, next_leaf: u32) -> Answer;

    /// Deletes pairs and batches that have expired, at most so many; the stock stays and keeps the number.
    fn prune_prekeys(&self, now: u64, pairs: usize, batches: usize) -> Answer<u64>;

    /// Deletes every batch and both halves of every last-resort pair; the stock stays, used up.
    fn withdraw_all_prekeys(&self) -> Answer;
}
