//! Making key pairs.

use api::ServiceKeyAlgorithm;
use protocol::primitives::agreement::AgreementSecret;
use protocol::primitives::kem::KemSecret;
use protocol::primitives::signature::{Ed25519Seed, MlDsaSeed, SigningKey};
use rand_core::CryptoRng;
use zeroize::Zeroizing;

use crate::{NotAKey, PrivateKey, PublicKey, rsa};

/// Why no key pair was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum GenerateError {
    /// The size is not one that this algorithm has.
    #[error(
        "RS256 has keys of 2048, 3072 or 4096 bits; the other algorithms have one size: leave it out"
    )]
    Size,
    /// The library could not make the pair.
    #[error("the key pair could not be made; try again")]
    Failed,
}

/// Both halves of one version.
pub struct KeyPair {
    /// The half for everybody.
    pub public: PublicKey,
    /// The half of the service.
    pub private: PrivateKey,
}

impl KeyPair {
    /// Makes a pair; `bits` chooses the size of an RSA key, 3,072 by default.
    ///
    /// An RSA key takes up to some seconds: run it on a thread for blocking work. RSA keys are drawn by
    /// AWS-LC's own generator, all others from `rng`.
    pub fn generate(
        algorithm: ServiceKeyAlgorithm,
        bits: Option<u32>,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<Self, GenerateError> {
        let (public, private) = match algorithm {
            ServiceKeyAlgorithm::Rs256 => rsa::generate(bits)?,
            _ if bits.is_some() => return Err(GenerateError::Size),
            ServiceKeyAlgorithm::MlKem1024X25519 => encryption(rng),
            ServiceKeyAlgorithm::MlDsa87Ed25519 => signing(rng),
        };
        let failed = |_| GenerateError::Failed;
        Ok(Self {
            public: PublicKey::from_bytes(algorithm, public).map_err(failed)?,
            private: PrivateKey::from_bytes(algorithm, private).map_err(failed)?,
        })
    }
}

/// Public bytes and private bytes.
type Halves = (Vec<u8>, Zeroizing<Vec<u8>>);

fn encryption(rng: &mut (impl CryptoRng + ?Sized)) -> Halves {
    let (kem, agreement) = (KemSecret::generate(rng), AgreementSecret::generate(rng));
    let private = joined(kem.expose(), agreement.expose());
    (encryption_of(&kem, &agreement), private)
}

fn encryption_of(kem: &KemSecret, agreement: &AgreementSecret) -> Vec<u8> {
    let (kem, agreement) = (kem.public(), agreement.public());
    [&kem.as_bytes()[..], agreement.as_bytes()].concat()
}

/// Computes the public halves of an encryption key.
pub(crate) fn encryption_public(private: &[u8]) -> Result<Vec<u8>, NotAKey> {
    let (kem, agreement) = private.split_first_chunk().ok_or(NotAKey)?;
    let agreement = agreement.try_into().map_err(|_| NotAKey)?;
    let agreement = AgreementSecret::from_bytes(agreement);
    Ok(encryption_of(&KemSecret::from_bytes(kem), &agreement))
}

fn signing(rng: &mut (impl CryptoRng + ?Sized)) -> Halves {
    let key = SigningKey::generate(rng);
    let private = joined(key.ml_dsa().expose(), key.ed25519().expose());
    (signing_of(&key), private)
}

fn signing_of(key: &SigningKey) -> Vec<u8> {
    let verify = key.verify_key();
    [&verify.ml_dsa()[..], verify.ed25519()].concat()
}

/// Computes the public halves of a signing key.
pub(crate) fn signing_public(private: &[u8]) -> Result<Vec<u8>, NotAKey> {
    let (ml_dsa, ed25519) = private.split_first_chunk().ok_or(NotAKey)?;
    let ed25519 = ed25519.try_into().map_err(|_| NotAKey)?;
    Ok(signing_of(&SigningKey::from_seeds(
        Ed25519Seed::from_bytes(ed25519),
        MlDsaSeed::from_bytes(ml_dsa),
    )))
}

fn joined(first: &[u8], second: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(first.len() + second.len()));
    bytes.extend_from_slice(first);
    bytes.extend_from_slice(second);
    bytes
}
