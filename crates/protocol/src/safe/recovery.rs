//! The public half that the recovery key seeds.
//!
//! Specification: `docs/protocol/accounts.md#recovery-key`.

use super::proof_hash;
use crate::codec::{DecodeError, Reader, Writer};
use crate::prekeys::PairPublic;
use crate::recovery_key::RecoveryKey;
use crate::suite::ObjectType;

/// X25519 and ML-KEM-1024 public keys seeded by a recovery key.
///
/// It is kept in the key safe, so that the safe key can be replaced and wrapped again while the recovery key
/// is not present.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecoveryPublic(pub(crate) PairPublic);

/// What a client needs to wrap the safe key for recovery without the recovery key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecoveryAnchor {
    /// Where the safe key is wrapped to.
    pub public: RecoveryPublic,
    /// Hash of HKDF(recovery key, "sign-in"), which the server stores.
    pub proof_hash: [u8; 32],
}

impl RecoveryAnchor {
    /// The anchor of a recovery key.
    pub fn of(key: &RecoveryKey) -> Self {
        Self {
            public: key.public(),
            proof_hash: proof_hash(key.sign_in_proof().expose()),
        }
    }

    pub(super) fn write(&self, writer: &mut Writer) {
        writer.header(ObjectType::RecoveryPublic);
        self.public.0.write(writer);
        writer.raw(&self.proof_hash);
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        reader.header(ObjectType::RecoveryPublic)?;
        Ok(Self {
            public: RecoveryPublic(PairPublic::read(reader)?),
            proof_hash: *reader.array()?,
        })
    }

    pub(super) fn order(&self) -> (&[u8; 32], &[u8; 32]) {
        (&self.proof_hash, self.public.0.agreement.as_bytes())
    }
}
