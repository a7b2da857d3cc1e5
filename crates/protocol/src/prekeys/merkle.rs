//! The Merkle tree over a batch: SHA3-256, leaf 0x00, node 0x01, an odd node promoted.
//!
//! Specification: `docs/protocol/messages.md#prekey-batches`.

use crate::codec::{DecodeError, Reader, Writer};
use crate::primitives::kdf::sha3_256;

/// Deepest path that a reader takes: trees of at most 256 leaves.
const MAX_DEPTH: usize = 8;

/// The sibling hashes from a leaf up to the root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MerklePath(Vec<[u8; 32]>);

/// Hash of an encoded leaf.
pub fn leaf_hash(encoded: &[u8]) -> [u8; 32] {
    sha3_256(&[&[0x00], encoded])
}

fn node_hash(left: &[u8; 32], right: &[u8; 32]) -> [u8; 32] {
    sha3_256(&[&[0x01], left, right])
}

/// The root over leaf hashes; of none it is all zeros, which no leaf can hash to.
pub fn root(leaves: &[[u8; 32]]) -> [u8; 32] {
    let mut level = leaves.to_vec();
    while level.len() > 1 {
        level = parents(&level);
    }
    level.first().copied().unwrap_or_default()
}

/// The path of the leaf at `index`, or `None` outside the tree.
pub fn path(leaves: &[[u8; 32]], index: usize) -> Option<MerklePath> {
    if index >= leaves.len() {
        return None;
    }
    let mut siblings = Vec::new();
    let mut level = leaves.to_vec();
    let mut at = index;
    while level.len() > 1 {
        siblings.extend(level.get(at ^ 1));
        level = parents(&level);
        at /= 2;
    }
    Some(MerklePath(siblings))
}

fn parents(level: &[[u8; 32]]) -> Vec<[u8; 32]> {
    level
        .chunks(2)
        .map(|pair| match pair {
            [left, right] => node_hash(left, right),
            [odd, ..] => *odd,
            [] => [0; 32],
        })
        .collect()
}

impl MerklePath {
    /// The root that this path gives for a leaf at `index` of `count`, or `None` when the
    /// path's length does not fit that position.
    pub fn root(&self, leaf: [u8; 32], index: u32, count: u32) -> Option<[u8; 32]> {
        if index >= count {
            return None;
        }
        let (mut at, mut width) = (index, count);
        let mut hash = leaf;
        let mut siblings = self.0.iter();
        while width > 1 {
            let promoted = at == width - 1 && at.is_multiple_of(2);
            if !promoted {
                let sibling = siblings.next()?;
                hash = if at.is_multiple_of(2) {
                    node_hash(&hash, sibling)
                } else {
                    node_hash(sibling, &hash)
                };
            }
            at /= 2;
            width = width.div_ceil(2);
        }
        siblings.next().is_none().then_some(hash)
    }

    pub(super) fn write(&self, writer: &mut Writer) {
        writer.u8(u8::try_from(self.0.len()).unwrap_or(u8::MAX));
        for sibling in &self.0 {
            writer.raw(sibling);
        }
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let depth = usize::from(reader.u8()?);
        if depth > MAX_DEPTH {
            return Err(DecodeError::TooLong);
        }
        (0..depth)
            .map(|_| reader.array().copied())
            .collect::<Result<_, _>>()
            .map(Self)
    }
}
