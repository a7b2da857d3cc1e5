//! Packing the leaves of a batch, and reading them piece by piece.

use crate::engine::Changes;
use crate::engine::place::at;
use crate::engine::prekeys::{PackedBatch, Pieces, StockRow};
use crate::fault::Fault;
use crate::prekeys::{Leaf, NewBatch, Stock};
use api::ids::UserId;

/// Bytes of a directory entry: prekey id and end of the leaf, both `u32`.
const ENTRY: usize = 8;

impl PackedBatch {
    pub(crate) fn new(mut batch: NewBatch) -> Self {
        let leaves = pack(&std::mem::take(&mut batch.one_time));
        Self { batch, leaves }
    }

    fn count(&self) -> u32 {
        self.leaves
            .first_chunk()
            .map_or(0, |count| u32::from_be_bytes(*count))
    }

    /// Estimates the bytes that the writer writes.
    pub(crate) fn weight(&self) -> usize {
        let batch = &self.batch;
        self.leaves.len()
            + batch.head.len()
            + batch.tree.len()
            + batch.last_resort.bytes.len() * 2
            + batch.quantum_public_key.len()
    }

    pub(crate) fn stock(&self) -> Stock {
        Stock {
            one_time: self.count(),
            batch_number: self.batch.batch_number,
            last_resort_created_at: self.batch.created_at,
            expires_at: self.batch.expires_at,
        }
    }

    /// Replaces the batch by this one; returns the stored number if that is not below.
    pub(crate) fn publish(
        &self,
        rows: &dyn Changes,
        user: &UserId,
    ) -> Result<Result<(), u64>, Fault> {
        let batch = &self.batch;
        let stock = StockRow {
            batch_number: batch.batch_number,
            leaf_count: self.count(),
            next_leaf: 0,
            created_at: batch.created_at,
            expires_at: batch.expires_at,
        };
        rows.publish_batch(user, self, &stock)
    }
}

fn pack(leaves: &[Leaf]) -> Vec<u8> {
    let bytes: usize = leaves.iter().map(|leaf| leaf.bytes.len()).sum();
    let mut out = Vec::with_capacity(4 + leaves.len() * ENTRY + bytes);
    out.extend_from_slice(&(leaves.len() as u32).to_be_bytes());
    let mut end = 0_u32;
    for leaf in leaves {
        end += leaf.bytes.len() as u32;
        out.extend_from_slice(&leaf.prekey_id.to_be_bytes());
        out.extend_from_slice(&end.to_be_bytes());
    }
    for leaf in leaves {
        out.extend_from_slice(&leaf.bytes);
    }
    out
}

/// The packed leaves of one batch, read piece by piece.
pub(crate) struct LeafReader<'a> {
    leaves: &'a dyn Pieces,
    user: &'a UserId,
    count: usize,
}

impl<'a> LeafReader<'a> {
    /// Reads how many leaves there are.
    pub(crate) fn open(leaves: &'a dyn Pieces, user: &'a UserId) -> Result<Self, Fault> {
        let mut reader = Self {
            leaves,
            user,
            count: 0,
        };
        reader.count = reader.number(0)? as usize;
        Ok(reader)
    }

    /// The prekey id of a leaf.
    pub(crate) fn prekey_id(&self, leaf: usize) -> Result<u32, Fault> {
        self.number(4 + leaf * ENTRY)
    }

    /// The bytes of a leaf.
    pub(crate) fn leaf(&self, leaf: usize) -> Result<Vec<u8>, Fault> {
        let end_of = |leaf: usize| self.number(4 + leaf * ENTRY + 4);
        let start = if leaf == 0 { 0 } else { end_of(leaf - 1)? };
        let len = end_of(leaf)?.checked_sub(start);
        let first = 4 + self.count * ENTRY + start as usize;
        // A length is believed only as far as the stored value reaches.
        let len = len
            .map(|len| len as usize)
            .filter(|len| first + len <= self.leaves.len());
        let mut bytes = vec![0; len.ok_or_else(|| self.damaged())?];
        self.read(&mut bytes, first)?;
        Ok(bytes)
    }

    fn number(&self, offset: usize) -> Result<u32, Fault> {
        let mut bytes = [0; 4];
        self.read(&mut bytes, offset)?;
        Ok(u32::from_be_bytes(bytes))
    }

    fn read(&self, bytes: &mut [u8], offset: usize) -> Result<(), Fault> {
        if offset + bytes.len() > self.leaves.len() {
            return Err(self.damaged());
        }
        self.leaves.read(bytes, offset)
    }

    fn damaged(&self) -> Fault {
        at("prekey_batches", self.user.as_bytes()).damaged("its leaves are cut short")
    }
}
