//! Making, uploading and checking a whole batch of prekeys.
//!
//! Specification: `docs/protocol/messages.md#prekey-batches`.

use std::collections::BTreeSet;

use rand_core::CryptoRng;

use super::{
    BatchHead, ClaimedPrekey, LEAF_LIFE_SECS, LeafKind, PairSecrets, PrekeyError, PrekeyLeaf,
    merkle,
};
use crate::codec::{DecodeError, Reader, Writer};
use crate::identity::{AccountKeys, AccountSecrets};
use crate::ids::UserId;
use crate::suite::ObjectType;

/// One-time prekeys in a full batch.
pub const ONE_TIME_PER_BATCH: usize = 100;
/// One-time prekeys in the batch of a registration; a full batch takes its place later.
pub const ONE_TIME_AT_REGISTRATION: usize = 10;
/// Leaves in a full batch: the one-time prekeys and the last-resort one.
pub const BATCH_LEAVES: usize = ONE_TIME_PER_BATCH + 1;
/// Most leaves that a reader takes.
const MAX_LEAVES: usize = 129;

/// A fresh batch: private halves to commit to the prekey safe *before* the signed public
/// half is uploaded.
#[derive(Debug)]
pub struct PrekeyBatch {
    /// Private halves with their prekey ids, one-time ones first, the last-resort one last.
    pub secrets: Vec<(u32, LeafKind, PairSecrets)>,
    /// The public half to upload.
    pub signed: SignedBatch,
}

/// A batch's head and all its leaves, the last-resort leaf last.
///
/// Encoding: header, head, `u16` leaf count, leaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedBatch {
    /// The signed head.
    pub head: BatchHead,
    /// Leaves in the order of their index.
    pub leaves: Vec<PrekeyLeaf>,
}

/// Makes `one_time` one-time prekeys (at most 128; normally [`ONE_TIME_PER_BATCH`], for a new account
/// [`ONE_TIME_AT_REGISTRATION`]) and a
/// last-resort one.
///
/// Prekey ids are drawn at random, none of them in `taken`, so that two tabs that make
/// batches at the same time do not collide.
pub fn generate_batch(
    rng: &mut (impl CryptoRng + ?Sized),
    secrets: &AccountSecrets,
    user_id: UserId,
    batch_number: u32,
    one_time: usize,
    now: u64,
    taken: &BTreeSet<u32>,
) -> PrekeyBatch {
    let expires_at = now.saturating_add(LEAF_LIFE_SECS);
    let one_time = one_time.min(MAX_LEAVES - 1);
    let mut used = taken.clone();
    let mut private = Vec::with_capacity(one_time + 1);
    let mut leaves = Vec::with_capacity(one_time + 1);
    for index in 0..=one_time {
        let kind = if index == one_time {
            LeafKind::LastResort
        } else {
            LeafKind::OneTime
        };
        let prekey_id = loop {
            let id = rng.next_u32();
            if id != 0 && used.insert(id) {
                break id;
            }
        };
        let pair = PairSecrets::generate(rng);
        leaves.push(PrekeyLeaf {
            user_id,
            prekey_id,
            index: u32::try_from(index).unwrap_or(u32::MAX),
            kind,
            public: pair.public(),
            expires_at,
        });
        private.push((prekey_id, kind, pair));
    }
    let hashes: Vec<_> = leaves.iter().map(PrekeyLeaf::hash).collect();
    let head = BatchHead::sign(
        rng,
        secrets,
        secrets.fingerprint(),
        user_id,
        batch_number,
        u32::try_from(leaves.len()).unwrap_or(u32::MAX),
        (now, expires_at),
        merkle::root(&hashes),
    );
    PrekeyBatch {
        secrets: private,
        signed: SignedBatch { head, leaves },
    }
}

impl SignedBatch {
    /// Encodes head and leaves, about 173 KB for a full batch.
    pub fn encode(&self) -> Vec<u8> {
        let head = self.head.encode();
        Writer::exact(0, &|writer| {
            writer
                .header(ObjectType::PrekeyBatch)
                .raw(&head)
                .len16(self.leaves.len());
            for leaf in &self.leaves {
                leaf.write(writer);
            }
        })
    }

    /// Decodes a batch; nothing is verified yet.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        reader.header(ObjectType::PrekeyBatch)?;
        let head = BatchHead::read(&mut reader)?;
        let count = reader.count16(MAX_LEAVES, PrekeyLeaf::ENCODED_LEN)?;
        let leaves = (0..count)
            .map(|_| PrekeyLeaf::decode(reader.take(PrekeyLeaf::ENCODED_LEN)?))
            .collect::<Result<_, _>>()?;
        reader.finish()?;
        Ok(Self { head, leaves })
    }

    /// Verifies the head and every leaf, as the server does before it stores a batch.
    pub fn verify(
        &self,
        keys: &AccountKeys,
        user_id: &UserId,
        now: u64,
        highest_seen: u32,
    ) -> Result<(), PrekeyError> {
        self.head.verify(keys, user_id, now, highest_seen)?;
        let count = u32::try_from(self.leaves.len()).unwrap_or(u32::MAX);
        if self.leaves.is_empty() || self.head.leaf_count != count {
            return Err(PrekeyError::BadShape);
        }
        let mut ids = BTreeSet::new();
        for (position, leaf) in (0_u32..).zip(&self.leaves) {
            let kind = if position + 1 == count {
                LeafKind::LastResort
            } else {
                LeafKind::OneTime
            };
            leaf.check(user_id, kind, now)?;
            if leaf.index != position || !ids.insert(leaf.prekey_id) {
                return Err(PrekeyError::BadShape);
            }
        }
        if merkle::root(&self.leaf_hashes()) != self.head.root {
            return Err(PrekeyError::NotInBatch);
        }
        Ok(())
    }

    /// Hashes of all leaves, in order.
    pub fn leaf_hashes(&self) -> Vec<[u8; 32]> {
        self.leaves.iter().map(PrekeyLeaf::hash).collect()
    }

    /// The last-resort leaf.
    pub fn last_resort(&self) -> Option<&PrekeyLeaf> {
        self.leaves
            .last()
            .filter(|leaf| leaf.kind == LeafKind::LastResort)
    }

    /// What a sender is given: the last-resort leaf and, by its prekey id, a one-time leaf.
    pub fn claimed(&self, one_time: Option<u32>) -> Option<ClaimedPrekey> {
        let hashes = self.leaf_hashes();
        let with_path = |leaf: &PrekeyLeaf| {
            let path = merkle::path(&hashes, usize::try_from(leaf.index).ok()?)?;
            Some((leaf.clone(), path))
        };
        let one_time = match one_time {
            Some(id) => {
                let leaf = self
                    .leaves
                    .iter()
                    .find(|leaf| leaf.prekey_id == id && leaf.kind == LeafKind::OneTime)?;
                Some(with_path(leaf)?)
            }
            None => None,
        };
        let (last_resort, last_resort_path) = with_path(self.last_resort()?)?;
        Some(ClaimedPrekey {
            head: self.head.clone(),
            last_resort,
            last_resort_path,
            one_time,
        })
    }
}
