//! X25519 ([RFC 7748, 5]), with the checks that `docs/protocol.md#primitives` adds.
//!
//! [RFC 7748, 5]: https://www.rfc-editor.org/rfc/rfc7748#section-5

use rand_core::CryptoRng;
use subtle::ConstantTimeEq;
use x25519_dalek::{PublicKey, StaticSecret};
use zeroize::Zeroize;

use crate::codec::DecodeError;
use crate::secret::secret;

secret! {
    /// An X25519 private key, 32 bytes.
    pub struct AgreementSecret(32)
}

secret! {
    /// The result of a Diffie-Hellman exchange, 32 bytes.
    pub struct SharedSecret(32)
}

/// An X25519 public key that is canonical and not of low order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AgreementPublic([u8; 32]);

/// A Diffie-Hellman result was all zeros.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the key agreement gave nothing secret; refuse this key")]
pub struct ZeroSharedSecret;

/// 2^255 - 19, little-endian.
const PRIME: [u8; 32] = {
    let mut prime = [0xff; 32];
    prime[0] = 0xed;
    prime[31] = 0x7f;
    prime
};

/// The canonical u-coordinates of order 1, 2, 4 and 8, on the curve and its twist.
const LOW_ORDER: [[u8; 32]; 5] = [
    [0; 32],
    {
        let mut one = [0; 32];
        one[0] = 1;
        one
    },
    [
        0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f, 0xc4,
        0x6a, 0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49,
        0xb8, 0x00,
    ],
    [
        0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1, 0x55, 0x9c, 0x83, 0xef,
        0x5b, 0x04, 0x44, 0x5c, 0xc4, 0x58, 0x1c, 0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f,
        0x11, 0x57,
    ],
    {
        let mut minus_one = PRIME;
        minus_one[0] = 0xec;
        minus_one
    },
];

impl AgreementPublic {
    /// Length in bytes.
    pub const LEN: usize = 32;

    /// Checks that the point is canonical and not of low order.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, DecodeError> {
        // Both are little-endian: what is compared first stands last.
        let canonical = bytes.iter().rev().lt(PRIME.iter().rev());
        if !canonical || LOW_ORDER.contains(bytes) {
            return Err(DecodeError::InvalidKey);
        }
        Ok(Self(*bytes))
    }

    /// The 32 bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl core::fmt::Debug for AgreementPublic {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "AgreementPublic({:02x}{:02x}..)", self.0[0], self.0[1])
    }
}

impl AgreementSecret {
    /// Draws a fresh key pair's private half.
    pub fn generate(rng: &mut (impl CryptoRng + ?Sized)) -> Self {
        Self::random(rng)
    }

    /// The public half.
    pub fn public(&self) -> AgreementPublic {
        let mut scalar = *self.expose();
        let secret = StaticSecret::from(scalar);
        scalar.zeroize();
        AgreementPublic(PublicKey::from(&secret).to_bytes())
    }

    /// Diffie-Hellman; an all-zero result is refused in constant time.
    pub fn agree(&self, theirs: &AgreementPublic) -> Result<SharedSecret, ZeroSharedSecret> {
        let mut scalar = *self.expose();
        let secret = StaticSecret::from(scalar);
        scalar.zeroize();
        let shared = secret.diffie_hellman(&PublicKey::from(theirs.0));
        if bool::from(shared.as_bytes().ct_eq(&[0; 32])) {
            return Err(ZeroSharedSecret);
        }
        Ok(SharedSecret::from_bytes(shared.as_bytes()))
    }
}
