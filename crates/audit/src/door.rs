//! The only way to remove old records from the log.

use serde::{Deserialize, Serialize};
use sha3::{Digest, Sha3_512};

use crate::encoding::hex_array;

/// The action of the record that vouches for a door.
pub const RETENTION: &str = "audit.retention";

const PURPOSE: &[u8] = b"secure-messaging/1 audit retention";

/// Permits to delete the records up to one of them, and keeps the hash of that one.
///
/// A record named [`RETENTION`] stands in the chain for each door, and its event id is the door's
/// [commitment](Door::commitment): whoever makes a door of their own must also get a record and a
/// signed head for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Door {
    /// The newest record that may be deleted.
    pub through_id: u64,
    /// Its hash, from which the chain continues.
    #[serde(with = "hex_array")]
    pub hash: [u8; 64],
    /// Every record up to it is older than this, unix seconds.
    pub cutoff: u64,
    /// Unix seconds at which the door was opened.
    pub timestamp: u64,
}

impl Door {
    /// The event id of the record that vouches for this door.
    pub fn commitment(&self) -> [u8; 16] {
        let mut hasher = Sha3_512::new();
        hasher.update(PURPOSE);
        hasher.update(self.through_id.to_be_bytes());
        hasher.update(self.hash);
        hasher.update(self.cutoff.to_be_bytes());
        hasher.update(self.timestamp.to_be_bytes());
        let hash: [u8; 64] = hasher.finalize().into();
        let mut id = [0; 16];
        id.copy_from_slice(&hash[..16]);
        id
    }
}
