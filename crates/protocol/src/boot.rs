//! The server's boot id: random, signed, new at every start.
//!
//! When it changes, senders learn that what waited in the server's memory has vanished.
//!
//! Specification: `docs/protocol.md#boot-id`.

use rand_core::CryptoRng;

use crate::codec::{DecodeError, Reader, Writer};
use crate::labels;
use crate::primitives::kdf::sha3_512;
use crate::primitives::signature::{
    Ed25519Seed, MlDsaSeed, Signature, SigningKey, VERIFY_KEY_LEN, VerifyKey,
};
use crate::suite::ObjectType;

/// The server's long-term boot signing key.
#[derive(Debug)]
pub struct BootSigningKey(SigningKey);

/// A boot id with the server's verify key and signatures.
///
/// Encoding: header, boot id (16), start time (8), verify key (2624), signature (4691).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedBoot {
    boot_id: [u8; 16],
    at: u64,
    verify: VerifyKey,
    signature: Signature,
}

/// Proof that a boot id was signed by the key of that fingerprint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VerifiedBoot {
    /// Random at every start of the server.
    pub boot_id: [u8; 16],
    /// Unix seconds of the start.
    pub at: u64,
    /// Fingerprint of the server's verify key, to be pinned.
    pub fingerprint: [u8; 64],
}

/// A server's verify key out of a boot id that it signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerKey {
    verify: VerifyKey,
    fingerprint: [u8; 64],
}

impl ServerKey {
    /// The fingerprint that clients pin.
    pub fn fingerprint(&self) -> &[u8; 64] {
        &self.fingerprint
    }

    pub(crate) fn verify_key(&self) -> &VerifyKey {
        &self.verify
    }
}

/// Why a boot id is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BootError {
    /// The bytes are not a signed boot id.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// The signature does not hold.
    #[error("the server's boot id is not signed by its key; do not trust it")]
    BadSignature,
    /// Signed by another key than the pinned one.
    #[error("the server signs with another key than before; ask its administrator why")]
    OtherServer,
}

impl BootSigningKey {
    /// Length of the stored form in bytes.
    pub const LEN: usize = 64;

    /// Makes a fresh key, once per installation.
    pub fn generate(rng: &mut (impl CryptoRng + ?Sized)) -> Self {
        Self(SigningKey::generate(rng))
    }

    /// The seeds to seal and keep.
    pub fn to_bytes(&self) -> zeroize::Zeroizing<[u8; 64]> {
        let mut bytes = zeroize::Zeroizing::new([0; 64]);
        let (ed25519, ml_dsa) = bytes.split_at_mut(32);
        ed25519.copy_from_slice(self.0.ed25519().expose());
        ml_dsa.copy_from_slice(self.0.ml_dsa().expose());
        bytes
    }

    /// Reads what [`BootSigningKey::to_bytes`] gave.
    pub fn from_bytes(bytes: &[u8; 64]) -> Self {
        let mut ed25519 = Ed25519Seed::zeroed();
        let mut ml_dsa = MlDsaSeed::zeroed();
        let (first, second) = bytes.split_at(32);
        ed25519.expose_mut().copy_from_slice(first);
        ml_dsa.expose_mut().copy_from_slice(second);
        Self(SigningKey::from_seeds(ed25519, ml_dsa))
    }

    /// The private halves and the fingerprint, for what else the server signs.
    pub(crate) fn signing(&self) -> (&SigningKey, [u8; 64]) {
        (&self.0, fingerprint(&self.0.verify_key()))
    }

    /// Signs a boot id.
    pub fn sign(
        &self,
        rng: &mut (impl CryptoRng + ?Sized),
        boot_id: [u8; 16],
        at: u64,
    ) -> SignedBoot {
        let verify = self.0.verify_key();
        let fields = fields(&boot_id, at, &verify).into_bytes();
        let signature = self.0.sign(rng, labels::BOOT, &fields);
        SignedBoot {
            boot_id,
            at,
            verify,
            signature,
        }
    }
}

impl SignedBoot {
    /// Encodes fields and signature.
    pub fn encode(&self) -> Vec<u8> {
        let mut writer = fields(&self.boot_id, self.at, &self.verify);
        self.signature.write(&mut writer);
        writer.into_bytes()
    }

    /// Decodes; nothing is verified yet.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        reader.header(ObjectType::SignedBoot)?;
        let boot = Self {
            boot_id: *reader.array()?,
            at: reader.u64()?,
            verify: VerifyKey::read(&mut reader)?,
            signature: Signature::read(&mut reader)?,
        };
        reader.finish()?;
        Ok(boot)
    }

    /// Verifies as [`SignedBoot::verify`] does and returns the server's key.
    pub fn server_key(&self, pinned: Option<&[u8; 64]>) -> Result<ServerKey, BootError> {
        let fingerprint = self.verify(pinned)?.fingerprint;
        let verify = self.verify.clone();
        Ok(ServerKey {
            verify,
            fingerprint,
        })
    }

    /// Verifies the signature and, where one was pinned, the server's key.
    pub fn verify(&self, pinned: Option<&[u8; 64]>) -> Result<VerifiedBoot, BootError> {
        let fields = fields(&self.boot_id, self.at, &self.verify).into_bytes();
        self.verify
            .verify(labels::BOOT, &fields, &self.signature)
            .map_err(|_| BootError::BadSignature)?;
        let fingerprint = fingerprint(&self.verify);
        if pinned.is_some_and(|pinned| *pinned != fingerprint) {
            return Err(BootError::OtherServer);
        }
        Ok(VerifiedBoot {
            boot_id: self.boot_id,
            at: self.at,
            fingerprint,
        })
    }
}

/// What clients pin of a server.
fn fingerprint(verify: &VerifyKey) -> [u8; 64] {
    let mut key = Writer::object(ObjectType::BootVerifyKey, VERIFY_KEY_LEN);
    verify.write(&mut key);
    sha3_512(&[labels::BOOT_FINGERPRINT, &key.into_bytes()])
}

fn fields(boot_id: &[u8; 16], at: u64, verify: &VerifyKey) -> Writer {
    let mut writer = Writer::default();
    writer.header(ObjectType::SignedBoot).raw(boot_id).u64(at);
    verify.write(&mut writer);
    writer
}
