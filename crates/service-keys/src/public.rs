//! Public halves.

use std::fmt;

use api::ServiceKeyAlgorithm;
use sha2::{Digest, Sha256};

use crate::kind::{Kind, split};
use crate::{NotAKey, asn1, jwk, rsa};

/// What the hash of a version with two pairs begins with.
const KID: &[u8] = b"secure-messaging/1 service key of two pairs";

/// The public half of one version.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey {
    algorithm: ServiceKeyAlgorithm,
    bytes: Vec<u8>,
}

impl PublicKey {
    /// Takes bytes as they are stored.
    pub fn from_bytes(algorithm: ServiceKeyAlgorithm, bytes: Vec<u8>) -> Result<Self, NotAKey> {
        let key = Self { algorithm, bytes };
        for (kind, part) in split(algorithm, &key.bytes, Kind::public_len).ok_or(NotAKey)? {
            if kind == Kind::Rsa {
                rsa::public_numbers(part)?;
            }
        }
        Ok(key)
    }

    /// Returns the algorithm.
    pub fn algorithm(&self) -> ServiceKeyAlgorithm {
        self.algorithm
    }

    /// Returns the bytes to store: the post-quantum key, then the classical one; for RS256 the DER of its SPKI.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Returns the size in bits: of the modulus for RS256, of both public keys for the others.
    pub fn bits(&self) -> u32 {
        let bytes = match self.parts().first() {
            Some((Kind::Rsa, der)) => rsa::public_numbers(der).map_or(0, |numbers| numbers.n.len()),
            _ => self.bytes.len(),
        };
        u32::try_from(bytes * 8).unwrap_or(u32::MAX)
    }

    /// Returns the name of this version, 43 characters of base64url.
    ///
    /// For one pair it is its JWK thumbprint ([RFC 7638]). For two it is SHA-256 over a label and both
    /// thumbprints.
    ///
    /// [RFC 7638]: https://www.rfc-editor.org/rfc/rfc7638
    pub fn kid(&self) -> String {
        let parts = self.parts();
        if let [(kind, part)] = parts.as_slice() {
            return jwk::base64url(&jwk::thumbprint(*kind, part));
        }
        let mut hash = Sha256::new_with_prefix(KID);
        for (kind, part) in parts {
            hash.update(jwk::thumbprint(kind, part));
        }
        jwk::base64url(&hash.finalize())
    }

    /// Writes each key as a PEM block `PUBLIC KEY`, the post-quantum one first.
    pub fn pem(&self) -> Result<String, NotAKey> {
        let blocks = self.parts().into_iter();
        blocks
            .map(|(kind, part)| asn1::public_pem(kind, part))
            .collect()
    }

    /// The keys, each with its kind.
    pub(crate) fn parts(&self) -> Vec<(Kind, &[u8])> {
        // The lengths were checked when the key was made.
        split(self.algorithm, &self.bytes, Kind::public_len).unwrap_or_default()
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({}, {} bits)", self.algorithm, self.bits())
    }
}
