//! A record of the chain and its hash.

use serde::{Deserialize, Serialize};
use sha3::{Digest, Sha3_512};

use crate::encoding::{base64_bytes, hex_array, hex_option};

const PURPOSE: &[u8] = b"secure-messaging/1 audit record";

/// The previous hash of the first record.
pub const ZERO_HASH: [u8; 64] = [0; 64];

/// The fields that are hashed, borrowed.
#[derive(Debug, Clone, Copy)]
pub struct Fields<'a> {
    /// Place in the chain, counted from 1 without gaps.
    pub id: u64,
    /// Drawn at random for each event; of a retention record, see [`crate::Door::commitment`].
    pub event_id: &'a [u8; 16],
    /// The account; `None` for the system.
    pub user_id: Option<&'a [u8; 16]>,
    /// The action, a stable dotted name.
    pub action: &'a str,
    /// Unix seconds.
    pub timestamp: u64,
    /// The details, sealed.
    pub details: &'a [u8],
    /// Hash of the record before.
    pub previous: &'a [u8; 64],
}

impl Fields<'_> {
    /// SHA3-512 over the fields, each after its length, so that no two records read the same.
    pub fn hash(&self) -> [u8; 64] {
        let id = self.id.to_be_bytes();
        let timestamp = self.timestamp.to_be_bytes();
        let has_user = [u8::from(self.user_id.is_some())];
        let user = self.user_id.map(|user| &user[..]).unwrap_or_default();
        let fields = [
            PURPOSE,
            &id,
            self.event_id,
            &has_user,
            user,
            self.action.as_bytes(),
            &timestamp,
            self.details,
            self.previous,
        ];
        let mut hasher = Sha3_512::new();
        for field in fields {
            hasher.update((field.len() as u64).to_be_bytes());
            hasher.update(field);
        }
        hasher.finalize().into()
    }
}

/// A record as the database and an export have it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// Place in the chain, counted from 1 without gaps.
    pub id: u64,
    /// Drawn at random for each event.
    #[serde(with = "hex_array")]
    pub event_id: [u8; 16],
    /// The account; `None` for the system.
    #[serde(with = "hex_option")]
    pub user_id: Option<[u8; 16]>,
    /// The action.
    pub action: String,
    /// Unix seconds.
    pub timestamp: u64,
    /// The details, sealed.
    #[serde(with = "base64_bytes")]
    pub details: Vec<u8>,
    /// Hash of the record before.
    #[serde(with = "hex_array")]
    pub previous: [u8; 64],
    /// Hash of this record, as it was written down.
    #[serde(with = "hex_array")]
    pub hash: [u8; 64],
}

impl Record {
    /// Computes the hash of the content.
    pub fn computed_hash(&self) -> [u8; 64] {
        self.hash_at(self.id)
    }

    /// Returns whether the hash is that of the content.
    pub fn is_whole(&self) -> bool {
        self.computed_hash() == self.hash
    }

    /// Returns whether the hash would be right under another number.
    pub(crate) fn belongs_at(&self, id: u64) -> bool {
        self.hash_at(id) == self.hash
    }

    fn hash_at(&self, id: u64) -> [u8; 64] {
        Fields {
            id,
            event_id: &self.event_id,
            user_id: self.user_id.as_ref(),
            action: &self.action,
            timestamp: self.timestamp,
            details: &self.details,
            previous: &self.previous,
        }
        .hash()
    }
}
