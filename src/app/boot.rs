//! The boot id: a random id of this life of the ephemeral plane, signed by a key that outlives restarts.
//!
//! Specification: `docs/protocol.md#boot-id`.

use std::sync::{Arc, PoisonError, RwLock};

use api::ids::BootId;
use protocol::boot::BootSigningKey;

use ambient::{Ambient, LockedSecret};

/// A boot id, and the encoded `SignedBoot`.
struct Signed {
    id: BootId,
    bytes: Vec<u8>,
}

/// The present boot id, signed, and when this server started.
pub struct Boot {
    signing: LockedSecret,
    present: RwLock<Arc<Signed>>,
    started_at: u64,
}

impl Boot {
    /// Signs the id.
    pub fn new(key: &BootSigningKey, id: BootId, ambient: &Ambient) -> Self {
        Self {
            signing: LockedSecret::copy_of(&*key.to_bytes()),
            present: RwLock::new(Arc::new(sign(key, id, ambient))),
            started_at: ambient.now(),
        }
    }

    /// Signs the id of another life of the plane; returns whether it is another one.
    pub(crate) fn follow(&self, id: BootId, ambient: &Ambient) -> bool {
        if self.id() == id {
            return false;
        }
        let key = BootSigningKey::from_bytes(&self.signing.bytes());
        let signed = Arc::new(sign(&key, id, ambient));
        *self.present.write().unwrap_or_else(PoisonError::into_inner) = signed;
        true
    }

    fn present(&self) -> Arc<Signed> {
        Arc::clone(&self.present.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Returns the id.
    pub fn id(&self) -> BootId {
        self.present().id
    }

    /// Returns the id and the encoded `SignedBoot`.
    pub fn signed(&self) -> (BootId, Vec<u8>) {
        let present = self.present();
        (present.id, present.bytes.clone())
    }

    /// Returns unix seconds of the start.
    pub fn started_at(&self) -> u64 {
        self.started_at
    }
}

fn sign(key: &BootSigningKey, id: BootId, ambient: &Ambient) -> Signed {
    let signed = key.sign(&mut ambient.rng(), *id.as_bytes(), ambient.now());
    Signed {
        id,
        bytes: signed.encode(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn another_life_of_the_plane_is_signed_by_the_same_key() {
        let ambient = Ambient::system();
        let key = BootSigningKey::generate(&mut ambient.rng());
        let (one, other) = (BootId::from_bytes([1; 16]), BootId::from_bytes([2; 16]));
        let boot = Boot::new(&key, one, &ambient);
        assert!(!boot.follow(one, &ambient));
        assert!(boot.follow(other, &ambient));
        let (id, signed) = boot.signed();
        assert_eq!(id, other);
        let signed = protocol::boot::SignedBoot::decode(&signed).unwrap();
        let key = signed.server_key(None).unwrap();
        let verified = signed.verify(Some(key.fingerprint())).unwrap();
        assert_eq!(verified.boot_id, *other.as_bytes());
    }
}
