//! The signed head of a prekey batch.
//!
//! Specification: `docs/protocol/messages.md#prekey-batches`.

use rand_core::CryptoRng;

use super::{CLOCK_TOLERANCE_SECS, PrekeyError};
use crate::codec::{DecodeError, Reader, Writer};
use crate::identity::{AccountKeys, AccountSecrets, Fingerprint};
use crate::ids::UserId;
use crate::labels;
use crate::primitives::signature::{SIGNATURE_LEN, Signature};
use crate::suite::ObjectType;

/// The signed head of a batch: fingerprint, user id, batch number, leaf count, created, expiry and Merkle
/// root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchHead {
    /// Fingerprint of the signing identity.
    pub fingerprint: Fingerprint,
    /// Whose batch it is.
    pub user_id: UserId,
    /// Rises with every batch of the account.
    pub batch_number: u32,
    /// Leaves in the tree.
    pub leaf_count: u32,
    /// Unix seconds at which it was made.
    pub created_at: u64,
    /// Unix seconds after which it is refused.
    pub expires_at: u64,
    /// Merkle root over all leaves.
    pub root: [u8; 32],
    signature: Signature,
}

impl BatchHead {
    /// Length of the encoding in bytes.
    pub const ENCODED_LEN: usize = 3 + 64 + 16 + 4 + 4 + 8 + 8 + 32 + SIGNATURE_LEN;

    #[allow(clippy::too_many_arguments)]
    pub(super) fn sign(
        rng: &mut (impl CryptoRng + ?Sized),
        secrets: &AccountSecrets,
        fingerprint: Fingerprint,
        user_id: UserId,
        batch_number: u32,
        leaf_count: u32,
        (created_at, expires_at): (u64, u64),
        root: [u8; 32],
    ) -> Self {
        let fields = signed_fields(
            &fingerprint,
            &user_id,
            batch_number,
            leaf_count,
            (created_at, expires_at),
            &root,
        );
        let signature =
            secrets
                .signing
                .sign(rng, labels::PREKEY_BATCH, fields.into_bytes().as_slice());
        Self {
            fingerprint,
            user_id,
            batch_number,
            leaf_count,
            created_at,
            expires_at,
            root,
            signature,
        }
    }

    /// Encodes head and signature.
    pub fn encode(&self) -> Vec<u8> {
        let mut writer = self.signed();
        self.signature.write(&mut writer);
        writer.into_bytes()
    }

    /// Decodes a head; nothing is verified yet.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        let head = Self::read(&mut reader)?;
        reader.finish()?;
        Ok(head)
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        reader.header(ObjectType::BatchHead)?;
        Ok(Self {
            fingerprint: Fingerprint::from_bytes(*reader.array()?),
            user_id: UserId::from_bytes(*reader.array()?),
            batch_number: reader.u32()?,
            leaf_count: reader.u32()?,
            created_at: reader.u64()?,
            expires_at: reader.u64()?,
            root: *reader.array()?,
            signature: Signature::read(reader)?,
        })
    }

    /// Verifies owner, identity, times, batch number and signature.
    pub fn verify(
        &self,
        keys: &AccountKeys,
        user_id: &UserId,
        now: u64,
        highest_seen: u32,
    ) -> Result<(), PrekeyError> {
        if self.user_id != *user_id {
            return Err(PrekeyError::WrongUser);
        }
        if self.fingerprint != *keys.fingerprint() {
            return Err(PrekeyError::WrongIdentity);
        }
        keys.verify()
            .verify(
                labels::PREKEY_BATCH,
                &self.signed().into_bytes(),
                &self.signature,
            )
            .map_err(|_| PrekeyError::BadSignature)?;
        if self.batch_number < highest_seen {
            return Err(PrekeyError::StaleBatch {
                seen: highest_seen,
                got: self.batch_number,
            });
        }
        if now >= self.expires_at {
            return Err(PrekeyError::Expired);
        }
        if self.created_at > now.saturating_add(CLOCK_TOLERANCE_SECS) {
            return Err(PrekeyError::FromTheFuture);
        }
        Ok(())
    }

    fn signed(&self) -> Writer {
        signed_fields(
            &self.fingerprint,
            &self.user_id,
            self.batch_number,
            self.leaf_count,
            (self.created_at, self.expires_at),
            &self.root,
        )
    }
}

fn signed_fields(
    fingerprint: &Fingerprint,
    user_id: &UserId,
    batch_number: u32,
    leaf_count: u32,
    (created_at, expires_at): (u64, u64),
    root: &[u8; 32],
) -> Writer {
    let mut writer = Writer::object(ObjectType::BatchHead, BatchHead::ENCODED_LEN);
    writer
        .raw(fingerprint.as_bytes())
        .raw(user_id.as_bytes())
        .u32(batch_number)
        .u32(leaf_count)
        .u64(created_at)
        .u64(expires_at)
        .raw(root);
    writer
}
