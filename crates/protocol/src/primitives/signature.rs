//! Ed25519 ([RFC 8032, 5.1]) and ML-DSA-87 ([FIPS 204]) together as one signature.
//!
//! Both sign `length of label ‖ label ‖ message`; ML-DSA takes the label as its context
//! string as well. A signature holds only if both do.
//!
//! [RFC 8032, 5.1]: https://www.rfc-editor.org/rfc/rfc8032#section-5.1
//! [FIPS 204]: https://doi.org/10.6028/NIST.FIPS.204

use ed25519_dalek::Signer;
use libcrux_ml_dsa::ml_dsa_87;
use rand_core::CryptoRng;
use zeroize::{Zeroize, Zeroizing};

use crate::codec::{DecodeError, Reader, Writer};
use crate::secret::secret;

/// Length of an ML-DSA-87 verification key in bytes.
pub const ML_DSA_PUBLIC_LEN: usize = 2592;
/// Length of an ML-DSA-87 signature in bytes.
pub const ML_DSA_SIGNATURE_LEN: usize = 4627;
/// Length of both signatures in bytes.
pub const SIGNATURE_LEN: usize = 64 + ML_DSA_SIGNATURE_LEN;
/// Length of both verify keys in bytes.
pub const VERIFY_KEY_LEN: usize = 32 + ML_DSA_PUBLIC_LEN;

secret! {
    /// An Ed25519 seed, 32 bytes.
    pub struct Ed25519Seed(32)
}

secret! {
    /// An ML-DSA-87 seed, 32 bytes.
    pub struct MlDsaSeed(32)
}

/// Both private halves of a verify key.
#[derive(Debug, PartialEq, Eq)]
pub struct SigningKey {
    ed25519: Ed25519Seed,
    ml_dsa: MlDsaSeed,
}

/// Both verify keys of an account.
#[derive(Clone, PartialEq, Eq)]
pub struct VerifyKey {
    ed25519: [u8; 32],
    ml_dsa: Box<[u8; ML_DSA_PUBLIC_LEN]>,
}

/// Both signatures.
#[derive(Clone, PartialEq, Eq)]
pub struct Signature {
    ed25519: [u8; 64],
    ml_dsa: Box<[u8; ML_DSA_SIGNATURE_LEN]>,
}

/// One of the two signatures does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the signature does not hold; discard the object")]
pub struct BadSignature;

impl SigningKey {
    /// Draws fresh seeds.
    pub fn generate(rng: &mut (impl CryptoRng + ?Sized)) -> Self {
        Self {
            ed25519: Ed25519Seed::random(rng),
            ml_dsa: MlDsaSeed::random(rng),
        }
    }

    /// Puts seeds together that were stored apart.
    pub fn from_seeds(ed25519: Ed25519Seed, ml_dsa: MlDsaSeed) -> Self {
        Self { ed25519, ml_dsa }
    }

    /// The Ed25519 seed.
    pub fn ed25519(&self) -> &Ed25519Seed {
        &self.ed25519
    }

    /// The ML-DSA-87 seed.
    pub fn ml_dsa(&self) -> &MlDsaSeed {
        &self.ml_dsa
    }

    /// A second copy, where two owners must live apart.
    #[must_use]
    pub fn duplicate(&self) -> Self {
        Self {
            ed25519: self.ed25519.duplicate(),
            ml_dsa: self.ml_dsa.duplicate(),
        }
    }

    /// Both verify keys.
    pub fn verify_key(&self) -> VerifyKey {
        let ed25519 = ed25519_dalek::SigningKey::from_bytes(self.ed25519.expose())
            .verifying_key()
            .to_bytes();
        let mut pair = ml_dsa_87::generate_key_pair(*self.ml_dsa.expose());
        pair.signing_key.as_mut_slice().zeroize();
        let ml_dsa = Box::new(*pair.verification_key.as_ref());
        VerifyKey { ed25519, ml_dsa }
    }

    /// Signs `message` for the purpose `label` (at most 255 bytes), hedged with `rng`.
    pub fn sign(
        &self,
        rng: &mut (impl CryptoRng + ?Sized),
        label: &'static [u8],
        message: &[u8],
    ) -> Signature {
        let signed = purpose(label, message);
        let ed25519 = ed25519_dalek::SigningKey::from_bytes(self.ed25519.expose())
            .sign(&signed)
            .to_bytes();
        let mut pair = ml_dsa_87::generate_key_pair(*self.ml_dsa.expose());
        let mut coins = Zeroizing::new([0; 32]);
        // Rejection sampling gives up after 814 rounds with probability below 2^-256; fresh
        // coins make another try independent.
        let ml_dsa = loop {
            rng.fill_bytes(coins.as_mut_slice());
            if let Ok(signature) = ml_dsa_87::sign(&pair.signing_key, &signed, label, *coins) {
                break Box::new(*signature.as_ref());
            }
        };
        pair.signing_key.as_mut_slice().zeroize();
        Signature { ed25519, ml_dsa }
    }
}

impl VerifyKey {
    /// Reads both keys.
    pub fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let ed25519 = *reader.array::<32>()?;
        // Weak keys would verify several messages under one signature.
        match ed25519_dalek::VerifyingKey::from_bytes(&ed25519) {
            Ok(key) if !key.is_weak() => {}
            _ => return Err(DecodeError::InvalidKey),
        }
        let ml_dsa = Box::new(*reader.array::<ML_DSA_PUBLIC_LEN>()?);
        Ok(Self { ed25519, ml_dsa })
    }

    /// Writes both keys, 2624 bytes.
    pub fn write(&self, writer: &mut Writer) {
        writer.raw(&self.ed25519).raw(self.ml_dsa.as_slice());
    }

    /// The Ed25519 half.
    pub fn ed25519(&self) -> &[u8; 32] {
        &self.ed25519
    }

    /// The ML-DSA-87 half.
    pub fn ml_dsa(&self) -> &[u8; ML_DSA_PUBLIC_LEN] {
        &self.ml_dsa
    }

    /// Checks both signatures over `message` for the purpose `label`.
    pub fn verify(
        &self,
        label: &'static [u8],
        message: &[u8],
        signature: &Signature,
    ) -> Result<(), BadSignature> {
        let signed = purpose(label, message);
        ed25519_dalek::VerifyingKey::from_bytes(&self.ed25519)
            .and_then(|key| {
                let signature = ed25519_dalek::Signature::from_bytes(&signature.ed25519);
                key.verify_strict(&signed, &signature)
            })
            .map_err(|_| BadSignature)?;
        let key = libcrux_ml_dsa::MLDSAVerificationKey::new(*self.ml_dsa);
        let signature = libcrux_ml_dsa::MLDSASignature::new(*signature.ml_dsa);
        ml_dsa_87::verify(&key, &signed, label, &signature).map_err(|_| BadSignature)
    }
}

impl core::fmt::Debug for VerifyKey {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(
            f,
            "VerifyKey({:02x}{:02x}..)",
            self.ed25519[0], self.ed25519[1]
        )
    }
}

impl Signature {
    /// Reads both signatures.
    pub fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let ed25519 = *reader.array::<64>()?;
        let ml_dsa = Box::new(*reader.array::<ML_DSA_SIGNATURE_LEN>()?);
        Ok(Self { ed25519, ml_dsa })
    }

    /// Writes both signatures, 4691 bytes.
    pub fn write(&self, writer: &mut Writer) {
        writer.raw(&self.ed25519).raw(self.ml_dsa.as_slice());
    }
}

impl core::fmt::Debug for Signature {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(
            f,
            "Signature({:02x}{:02x}..)",
            self.ed25519[0], self.ed25519[1]
        )
    }
}

fn purpose(label: &'static [u8], message: &[u8]) -> Vec<u8> {
    let mut writer = Writer::with_capacity(1 + label.len() + message.len());
    writer
        .u8(u8::try_from(label.len()).unwrap_or(u8::MAX))
        .raw(label)
        .raw(message);
    writer.into_bytes()
}
