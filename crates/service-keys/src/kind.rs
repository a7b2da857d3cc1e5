//! Kinds of keys that a version is made of.

use api::ServiceKeyAlgorithm;
use pkcs8::ObjectIdentifier;
use protocol::primitives::{kem, signature};

/// One kind of key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    MlKem1024,
    X25519,
    MlDsa87,
    Ed25519,
    Rsa,
}

/// The kinds of an algorithm, in the order in which they are kept and written.
pub(crate) fn kinds(algorithm: ServiceKeyAlgorithm) -> &'static [Kind] {
    match algorithm {
        ServiceKeyAlgorithm::MlKem1024X25519 => &[Kind::MlKem1024, Kind::X25519],
        ServiceKeyAlgorithm::MlDsa87Ed25519 => &[Kind::MlDsa87, Kind::Ed25519],
        ServiceKeyAlgorithm::Rs256 => &[Kind::Rsa],
    }
}

impl Kind {
    /// Bytes of a public key; `None` if it is DER of any length.
    pub(crate) const fn public_len(self) -> Option<usize> {
        match self {
            Self::MlKem1024 => Some(kem::PUBLIC_LEN),
            Self::MlDsa87 => Some(signature::ML_DSA_PUBLIC_LEN),
            Self::X25519 | Self::Ed25519 => Some(32),
            Self::Rsa => None,
        }
    }

    /// Bytes of a private key, which is a seed; `None` if it is DER of any length.
    pub(crate) const fn private_len(self) -> Option<usize> {
        match self {
            Self::MlKem1024 => Some(64),
            Self::X25519 | Self::Ed25519 | Self::MlDsa87 => Some(32),
            Self::Rsa => None,
        }
    }

    /// What the public key is used for: `enc` or `sig`.
    pub(crate) const fn usage(self) -> &'static str {
        match self {
            Self::MlKem1024 | Self::X25519 => "enc",
            Self::MlDsa87 | Self::Ed25519 | Self::Rsa => "sig",
        }
    }

    /// The algorithm's identifier in SPKI and PKCS#8; `None` if the DER has it already.
    pub(crate) const fn oid(self) -> Option<ObjectIdentifier> {
        let text = match self {
            Self::X25519 => "1.3.101.110",
            Self::Ed25519 => "1.3.101.112",
            Self::MlDsa87 => "2.16.840.1.101.3.4.3.19",
            Self::MlKem1024 => "2.16.840.1.101.3.4.4.3",
            Self::Rsa => return None,
        };
        Some(ObjectIdentifier::new_unwrap(text))
    }

    /// What stands before the seed inside PKCS#8: an OCTET STRING, or the choice `seed [0]`.
    pub(crate) const fn seed_tag(self) -> u8 {
        match self {
            Self::MlKem1024 | Self::MlDsa87 => 0x80,
            Self::X25519 | Self::Ed25519 | Self::Rsa => 0x04,
        }
    }
}

/// Takes bytes apart into one piece for each kind; `None` if they have another length.
pub(crate) fn split(
    algorithm: ServiceKeyAlgorithm,
    bytes: &[u8],
    length: impl Fn(Kind) -> Option<usize>,
) -> Option<Vec<(Kind, &[u8])>> {
    let mut rest = bytes;
    let mut parts = Vec::new();
    for kind in kinds(algorithm) {
        let (part, tail) = rest.split_at_checked(length(*kind).unwrap_or(rest.len()))?;
        parts.push((*kind, part));
        rest = tail;
    }
    rest.is_empty().then_some(parts)
}
