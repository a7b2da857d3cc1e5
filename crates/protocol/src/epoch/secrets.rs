//! What both sides derive from the key agreements.
//!
//! Specification: `docs/protocol/messages.md#epochs`.

use super::chain::ChainKey;
use super::handshake::HINT_LEN;
use super::transcript::TranscriptHash;
use super::{EpochError, SenderClaim};
use crate::identity::Fingerprint;
use crate::ids::UserId;
use crate::labels;
use crate::primitives::agreement::SharedSecret;
use crate::primitives::kem::KemShared;
use crate::primitives::{aead, kdf};
use crate::secret::secret;

secret! {
    /// Key of the hint, 32 bytes, used once.
    struct HintKey(32)
}

/// DH3, DH4 if there is one, and SS: the secrets that the recipient has before it knows the sender.
pub(super) struct Anonymous {
    pub dh3: SharedSecret,
    pub dh4: Option<SharedSecret>,
    pub ss: KemShared,
}

const NONE: &[u8] = &[];

impl Anonymous {
    fn dh4(&self) -> &[u8] {
        self.dh4.as_ref().map_or(NONE, |dh| dh.expose())
    }

    fn hint_key(&self, before_hint: &[u8]) -> HintKey {
        let mut key = HintKey::zeroed();
        kdf::derive(
            &[self.dh3.expose(), self.dh4(), self.ss.expose()],
            &[labels::HINT, &kdf::sha3_512(&[before_hint])],
            key.expose_mut(),
        );
        key
    }

    /// Appends the hint to a handshake that ends before it.
    pub(super) fn seal_hint(
        &self,
        handshake: &mut Vec<u8>,
        user_id: &UserId,
        fingerprint: &Fingerprint,
    ) {
        let key = self.hint_key(handshake);
        let start = handshake.len();
        handshake.extend_from_slice(user_id.as_bytes());
        handshake.extend_from_slice(fingerprint.as_bytes());
        aead::seal(key.expose(), &[0; 12], &[], handshake, start);
    }

    /// Opens the hint: a claim until a slot's tag verifies.
    pub(super) fn open_hint(
        &self,
        before_hint: &[u8],
        hint: &[u8; HINT_LEN],
    ) -> Result<SenderClaim, EpochError> {
        let key = self.hint_key(before_hint);
        let mut buffer = *hint;
        let plain = aead::open(key.expose(), &[0; 12], &[], &mut buffer)
            .map_err(|_| EpochError::BadHint)?;
        match plain.split_first_chunk::<16>() {
            Some((user_id, rest)) => Ok(SenderClaim {
                user_id: UserId::from_bytes(*user_id),
                fingerprint: Fingerprint::from_bytes(
                    *rest.first_chunk().ok_or(EpochError::BadHint)?,
                ),
            }),
            None => Err(EpochError::BadHint),
        }
    }

    /// chain_0: the first half of the epoch secret. HKDF gives the same first 32 bytes
    /// whether 32 or 64 are asked for, so the other half is never made.
    pub(super) fn chain(
        &self,
        dh1: &SharedSecret,
        dh2: &SharedSecret,
        transcript: &TranscriptHash,
    ) -> ChainKey {
        let mut chain = ChainKey::zeroed();
        kdf::derive(
            &[
                &[0xff; 32],
                dh1.expose(),
                dh2.expose(),
                self.dh3.expose(),
                self.dh4(),
                self.ss.expose(),
            ],
            &[labels::EPOCH, &transcript.0],
            chain.expose_mut(),
        );
        chain
    }
}
