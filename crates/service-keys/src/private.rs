//! Private halves.

use std::fmt;

use api::ServiceKeyAlgorithm;
use zeroize::Zeroizing;

use crate::jwk::{self, Described};
use crate::kind::{Kind, split};
use crate::{NotAKey, PublicKey, asn1, pair, rsa};

/// The private half of one version; wiped when dropped.
pub struct PrivateKey {
    algorithm: ServiceKeyAlgorithm,
    bytes: Zeroizing<Vec<u8>>,
}

impl PrivateKey {
    /// Takes bytes as they are stored.
    pub fn from_bytes(
        algorithm: ServiceKeyAlgorithm,
        bytes: Zeroizing<Vec<u8>>,
    ) -> Result<Self, NotAKey> {
        for (kind, part) in split(algorithm, &bytes, Kind::private_len).ok_or(NotAKey)? {
            if kind == Kind::Rsa {
                rsa::private_members(part, |_, _| {})?;
            }
        }
        Ok(Self { algorithm, bytes })
    }

    /// Returns the bytes to seal: the post-quantum seed, then the classical one; for RS256 the DER of PKCS#8.
    pub fn expose(&self) -> &[u8] {
        &self.bytes
    }

    /// Computes the public half.
    pub fn public(&self) -> Result<PublicKey, NotAKey> {
        let public = match self.algorithm {
            ServiceKeyAlgorithm::MlKem1024X25519 => pair::encryption_public(&self.bytes)?,
            ServiceKeyAlgorithm::MlDsa87Ed25519 => pair::signing_public(&self.bytes)?,
            ServiceKeyAlgorithm::Rs256 => rsa::public_of(&self.bytes)?,
        };
        PublicKey::from_bytes(self.algorithm, public)
    }

    /// Writes each key as a JWK with its private members, in a JWK Set.
    pub fn jwks(&self, version: &Described<'_>) -> Result<Zeroizing<String>, NotAKey> {
        jwk::private_jwks(self, version)
    }

    /// Writes each key as a PEM block `PRIVATE KEY` (PKCS#8), the post-quantum one first.
    pub fn pem(&self) -> Result<Zeroizing<String>, NotAKey> {
        let blocks = self.parts().into_iter();
        let blocks = blocks.map(|(kind, part)| asn1::private_pem(kind, part));
        let blocks: Vec<Zeroizing<String>> = blocks.collect::<Result<_, _>>()?;
        let length = blocks.iter().map(|block| block.len()).sum();
        let mut text = Zeroizing::new(String::with_capacity(length));
        blocks.iter().for_each(|block| text.push_str(block));
        Ok(text)
    }

    /// The keys, each with its kind.
    pub(crate) fn parts(&self) -> Vec<(Kind, &[u8])> {
        // The lengths were checked when the key was made.
        split(self.algorithm, &self.bytes, Kind::private_len).unwrap_or_default()
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrivateKey([redacted])")
    }
}
