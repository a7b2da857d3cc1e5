//! The public half of an account.
//!
//! Specification: `docs/protocol/accounts.md#identity`.

use rand_core::CryptoRng;
use subtle::ConstantTimeEq;

use super::{AccountSecrets, Fingerprint};
use crate::codec::{DecodeError, Reader, Writer};
use crate::labels;
use crate::primitives::agreement::AgreementPublic;
use crate::primitives::signature::{SIGNATURE_LEN, Signature, VERIFY_KEY_LEN, VerifyKey};
use crate::suite::ObjectType;

/// Public keys of an account whose mutual signatures were checked.
///
/// Encoding: header, identity key (32), Ed25519 key (32), ML-DSA-87 key (2592), both
/// signatures over all three (4691).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountKeys {
    identity: AgreementPublic,
    verify: VerifyKey,
    signature: Signature,
    fingerprint: Fingerprint,
}

/// Why an account's public keys are refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdentityError {
    /// The bytes are not public keys.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// The keys do not sign each other.
    #[error("the account's keys do not sign each other; do not use them")]
    BadSignature,
    /// Other keys than the pinned ones.
    #[error("these are not the keys that were pinned for this contact; compare safety numbers")]
    SwappedKey,
}

impl AccountKeys {
    /// Length of the encoding in bytes.
    pub const ENCODED_LEN: usize = 3 + 32 + VERIFY_KEY_LEN + SIGNATURE_LEN;

    pub(super) fn sign(rng: &mut (impl CryptoRng + ?Sized), secrets: &AccountSecrets) -> Self {
        let identity = secrets.identity.public();
        let verify = secrets.signing.verify_key();
        let message = signed_fields(&identity, &verify).into_bytes();
        let signature = secrets.signing.sign(rng, labels::ACCOUNT_KEYS, &message);
        let fingerprint = Fingerprint::of(&identity, &verify);
        Self {
            identity,
            verify,
            signature,
            fingerprint,
        }
    }

    /// Encodes keys and signatures.
    pub fn encode(&self) -> Vec<u8> {
        let mut writer = signed_fields(&self.identity, &self.verify);
        self.signature.write(&mut writer);
        writer.into_bytes()
    }

    /// Decodes and checks that both verify keys sign all three public keys.
    pub fn decode(bytes: &[u8]) -> Result<Self, IdentityError> {
        let mut reader = Reader::new(bytes);
        reader.header(ObjectType::AccountKeys)?;
        let identity = AgreementPublic::from_bytes(reader.array()?)?;
        let verify = VerifyKey::read(&mut reader)?;
        let signature = Signature::read(&mut reader)?;
        reader.finish()?;
        let message = signed_fields(&identity, &verify).into_bytes();
        verify
            .verify(labels::ACCOUNT_KEYS, &message, &signature)
            .map_err(|_| IdentityError::BadSignature)?;
        let fingerprint = Fingerprint::of(&identity, &verify);
        Ok(Self {
            identity,
            verify,
            signature,
            fingerprint,
        })
    }

    /// Refuses keys other than the pinned ones.
    pub fn expect(&self, pinned: &Fingerprint) -> Result<(), IdentityError> {
        if bool::from(self.fingerprint.as_bytes().ct_eq(pinned.as_bytes())) {
            Ok(())
        } else {
            Err(IdentityError::SwappedKey)
        }
    }

    /// X25519 identity key.
    pub fn identity(&self) -> &AgreementPublic {
        &self.identity
    }

    /// Both verify keys.
    pub fn verify(&self) -> &VerifyKey {
        &self.verify
    }

    /// What contacts pin.
    pub fn fingerprint(&self) -> &Fingerprint {
        &self.fingerprint
    }
}

fn signed_fields(identity: &AgreementPublic, verify: &VerifyKey) -> Writer {
    let mut writer = Writer::object(ObjectType::AccountKeys, AccountKeys::ENCODED_LEN);
    writer.raw(identity.as_bytes());
    verify.write(&mut writer);
    writer
}
