//! The hashes that the server stores with a batch, to make claimed prekeys without decoding keys.

use protocol::prekeys::{PrekeyLeaf, assemble_claimed};
use store::ClaimedLeaf;

/// The last-resort leaf, which every claim carries, and the hashes of all leaves.
///
/// Encoding: index (u32), length (u16) and bytes of the leaf, then 32 bytes for each hash.
pub(super) struct Tree;

impl Tree {
    /// Encodes what a batch's rows share.
    pub(super) fn encode(last_resort: &PrekeyLeaf, hashes: &[[u8; 32]]) -> Vec<u8> {
        let leaf = last_resort.encode();
        let mut bytes = Vec::with_capacity(6 + leaf.len() + hashes.len() * 32);
        bytes.extend(last_resort.index.to_be_bytes());
        bytes.extend(u16::try_from(leaf.len()).unwrap_or(u16::MAX).to_be_bytes());
        bytes.extend(leaf);
        bytes.extend(hashes.as_flattened());
        bytes
    }

    /// Makes the encoded `ClaimedPrekey` of a claimed row; `None` where the row does not fit.
    pub(super) fn claimed(row: &ClaimedLeaf) -> Option<Vec<u8>> {
        let (index, rest) = row.tree.split_first_chunk::<4>()?;
        let (length, rest) = rest.split_first_chunk::<2>()?;
        let (last_resort, rest) = rest.split_at_checked(u16::from_be_bytes(*length).into())?;
        let (hashes, remainder) = rest.as_chunks::<32>();
        if !remainder.is_empty() {
            return None;
        }
        let index = usize::try_from(u32::from_be_bytes(*index)).ok()?;
        let one_time = if row.last_resort {
            None
        } else {
            Some((usize::try_from(row.index).ok()?, row.leaf.as_slice()))
        };
        assemble_claimed(&row.head, hashes, (index, last_resort), one_time)
    }
}
