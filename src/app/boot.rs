//! The boot id: a random id of this life of the ephemeral plane, signed by a key that outlives restarts.
//!
//! Specification: `docs/protocol.md#boot-id`.

use api::ids::BootId;
use protocol::boot::BootSigningKey;

use ambient::Ambient;

/// The boot id, signed, and when this server started.
pub struct Boot {
    id: BootId,
    signed: Vec<u8>,
    started_at: u64,
}

impl Boot {
    /// Signs the id.
    pub fn new(key: &BootSigningKey, id: BootId, ambient: &Ambient) -> Self {
        let started_at = ambient.now();
        let signed = key
            .sign(&mut ambient.rng(), *id.as_bytes(), started_at)
            .encode();
        Self {
            id,
            signed,
            started_at,
        }
    }

    /// Returns the id.
    pub fn id(&self) -> BootId {
        self.id
    }

    /// Returns the encoded `SignedBoot`.
    pub fn signed(&self) -> &[u8] {
        &self.signed
    }

    /// Returns unix seconds of the start.
    pub fn started_at(&self) -> u64 {
        self.started_at
    }
}
