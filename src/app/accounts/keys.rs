//! Checks public keys and prekey batches before they are stored.

use api::Code;
use protocol::identity::AccountKeys;
use protocol::prekeys::SignedBatch;
use store::{Leaf, NewBatch, PublicKeys, UserId};

use crate::app::Problem;

use super::tree::Tree;

/// Public keys that sign each other; only the check can make one.
pub struct CheckedKeys {
    keys: AccountKeys,
    encoded: Vec<u8>,
}

impl CheckedKeys {
    /// Decodes keys and checks their mutual signatures.
    pub fn check(encoded: Vec<u8>) -> Result<Self, Problem> {
        let keys = AccountKeys::decode(&encoded).map_err(|error| unusable(&error))?;
        Ok(Self { keys, encoded })
    }

    /// Returns the 64 bytes that contacts pin.
    pub fn fingerprint(&self) -> Vec<u8> {
        self.keys.fingerprint().as_bytes().to_vec()
    }

    /// Returns the row to store.
    pub fn row(&self, now: u64) -> PublicKeys {
        // The encoding is header (3), identity key (32), both verify keys, both signatures.
        const IDENTITY: std::ops::Range<usize> = 3..35;
        const VERIFY: std::ops::Range<usize> = 35..35 + 32 + 2592;
        let part =
            |range: std::ops::Range<usize>| self.encoded.get(range).unwrap_or_default().to_vec();
        PublicKeys {
            identity_key: part(IDENTITY),
            verify_key: part(VERIFY),
            account_keys: self.encoded.clone(),
            created_at: now,
        }
    }

    /// Checks a batch against these keys and makes the rows to store.
    pub fn batch(&self, encoded: &[u8], user: UserId, now: u64) -> Result<NewBatch, Problem> {
        let batch = SignedBatch::decode(encoded).map_err(|error| unusable(&error))?;
        let owner = protocol::ids::UserId::from_bytes(*user.as_bytes());
        batch
            .verify(&self.keys, &owner, now, 0)
            .map_err(|error| unusable(&error))?;
        if i64::try_from(batch.head.expires_at).is_err() {
            return Err(unusable(&"the batch ends after every date"));
        }
        let (last, one_time) = batch
            .leaves
            .split_last()
            .ok_or_else(|| unusable(&"the batch is empty"))?;
        let leaf = |leaf: &protocol::prekeys::PrekeyLeaf| Leaf {
            prekey_id: leaf.prekey_id,
            bytes: leaf.encode(),
        };
        Ok(NewBatch {
            batch_number: u64::from(batch.head.batch_number),
            head: batch.head.encode(),
            tree: Tree::encode(last, &batch.leaf_hashes()),
            one_time: one_time.iter().map(leaf).collect(),
            first_index: 0,
            last_resort: leaf(last),
            last_resort_index: last.index,
            signed_prekey: last.public.agreement.as_bytes().to_vec(),
            quantum_public_key: last.public.kem.as_bytes().to_vec(),
            created_at: batch.head.created_at,
            expires_at: batch.head.expires_at,
        })
    }
}

fn unusable(error: &dyn std::fmt::Display) -> Problem {
    Problem::new(Code::KeysUnusable, error.to_string())
}
