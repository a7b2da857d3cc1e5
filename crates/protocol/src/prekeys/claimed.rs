//! Claimed prekeys: what a sender gets for a recipient without a live session.
//!
//! Specification: `docs/protocol/messages.md#prekey-batches`.

use super::{BatchHead, LeafKind, MerklePath, PrekeyError, PrekeyLeaf, merkle};
use crate::codec::{DecodeError, Reader, Writer};
use crate::envelope::Target;
use crate::epoch::{EpochPath, VerifiedTarget};
use crate::identity::AccountKeys;
use crate::ids::UserId;
use crate::suite::ObjectType;

/// A batch's head, its last-resort leaf (the signed prekey) and, where there is one left, a
/// one-time leaf, each with its Merkle path.
///
/// Encoding: header, head, last-resort leaf and path, 0 or 1, one-time leaf and path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimedPrekey {
    /// The signed head.
    pub head: BatchHead,
    /// The last-resort leaf.
    pub last_resort: PrekeyLeaf,
    /// Its path.
    pub last_resort_path: MerklePath,
    /// The one-time leaf and its path.
    pub one_time: Option<(PrekeyLeaf, MerklePath)>,
}

/// Encodes a [`ClaimedPrekey`] from stored parts, without decoding a single key.
///
/// `head` and the leaves are encodings as the batch had them, each leaf with its index;
/// `hashes` are all leaf hashes of the batch in order. `None` when an index is outside.
pub fn assemble_claimed(
    head: &[u8],
    hashes: &[[u8; 32]],
    last_resort: (usize, &[u8]),
    one_time: Option<(usize, &[u8])>,
) -> Option<Vec<u8>> {
    let last_path = merkle::path(hashes, last_resort.0)?;
    let one_time = match one_time {
        Some((index, leaf)) => Some((leaf, merkle::path(hashes, index)?)),
        None => None,
    };
    let one_time = one_time.as_ref().map(|(leaf, path)| (*leaf, path));
    Some(encoded(head, (last_resort.1, &last_path), one_time))
}

fn encoded(
    head: &[u8],
    last_resort: (&[u8], &MerklePath),
    one_time: Option<(&[u8], &MerklePath)>,
) -> Vec<u8> {
    let write = |(leaf, path): (&[u8], &MerklePath), writer: &mut Writer| {
        writer.raw(leaf);
        path.write(writer);
    };
    Writer::exact(0, &|writer| {
        writer.header(ObjectType::ClaimedPrekey).raw(head);
        write(last_resort, writer);
        writer.bool(one_time.is_some());
        if let Some(one_time) = one_time {
            write(one_time, writer);
        }
    })
}

impl ClaimedPrekey {
    /// Encodes all parts.
    pub fn encode(&self) -> Vec<u8> {
        let last_resort = self.last_resort.encode();
        let one_time = self.one_time.as_ref();
        let one_time = one_time.map(|(leaf, path)| (leaf.encode(), path));
        encoded(
            &self.head.encode(),
            (&last_resort, &self.last_resort_path),
            one_time.as_ref().map(|(leaf, path)| (&leaf[..], *path)),
        )
    }

    /// Decodes all parts; nothing is verified yet.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        reader.header(ObjectType::ClaimedPrekey)?;
        let head = BatchHead::read(&mut reader)?;
        let last_resort = PrekeyLeaf::decode(reader.take(PrekeyLeaf::ENCODED_LEN)?)?;
        let last_resort_path = MerklePath::read(&mut reader)?;
        let one_time = if reader.bool("one-time prekey")? {
            let leaf = PrekeyLeaf::decode(reader.take(PrekeyLeaf::ENCODED_LEN)?)?;
            Some((leaf, MerklePath::read(&mut reader)?))
        } else {
            None
        };
        reader.finish()?;
        Ok(Self {
            head,
            last_resort,
            last_resort_path,
            one_time,
        })
    }

    /// Verifies head, leaves and paths against keys that the caller compared with the pin.
    ///
    /// `highest_seen` is the highest batch number known of this contact; the caller keeps
    /// `head.batch_number` from here on.
    pub fn verify(
        &self,
        keys: &AccountKeys,
        user_id: &UserId,
        now: u64,
        highest_seen: u32,
    ) -> Result<VerifiedTarget, PrekeyError> {
        self.head.verify(keys, user_id, now, highest_seen)?;
        self.check_leaf(
            &self.last_resort,
            &self.last_resort_path,
            user_id,
            LeafKind::LastResort,
            now,
        )?;
        let (path, one_time, kem) = match &self.one_time {
            Some((leaf, merkle_path)) => {
                self.check_leaf(leaf, merkle_path, user_id, LeafKind::OneTime, now)?;
                (
                    EpochPath::OneTime,
                    Some((leaf.prekey_id, leaf.public.agreement)),
                    &leaf.public.kem,
                )
            }
            None => (EpochPath::LastResort, None, &self.last_resort.public.kem),
        };
        Ok(VerifiedTarget {
            keys: keys.clone(),
            target: Target::Account { account: *user_id },
            path,
            signed_id: self.last_resort.prekey_id,
            signed: self.last_resort.public.agreement,
            one_time,
            kem: kem.clone(),
            bucket: None,
        })
    }

    fn check_leaf(
        &self,
        leaf: &PrekeyLeaf,
        path: &MerklePath,
        user_id: &UserId,
        kind: LeafKind,
        now: u64,
    ) -> Result<(), PrekeyError> {
        leaf.check(user_id, kind, now)?;
        match path.root(leaf.hash(), leaf.index, self.head.leaf_count) {
            Some(root) if root == self.head.root => Ok(()),
            _ => Err(PrekeyError::NotInBatch),
        }
    }
}
