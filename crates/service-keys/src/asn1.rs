//! SPKI and PKCS#8.

use pkcs8::der::asn1::{BitStringRef, OctetStringRef};
use pkcs8::der::pem::LineEnding;
use pkcs8::der::{self, Document, SecretDocument};
use pkcs8::spki::AlgorithmIdentifierRef;
use pkcs8::{ObjectIdentifier, PrivateKeyInfoRef, SubjectPublicKeyInfoRef};
use zeroize::Zeroizing;

use crate::NotAKey;
use crate::kind::Kind;

/// Writes a public key as a PEM block.
pub(crate) fn public_pem(kind: Kind, public: &[u8]) -> Result<String, NotAKey> {
    let document = match kind.oid() {
        Some(oid) => spki(oid, public),
        None => Document::try_from(public),
    };
    let text = document.and_then(|document| document.to_pem("PUBLIC KEY", LineEnding::LF));
    text.map_err(|_| NotAKey)
}

fn spki(oid: ObjectIdentifier, public: &[u8]) -> der::Result<Document> {
    Document::encode_msg(&SubjectPublicKeyInfoRef {
        algorithm: without_parameters(oid),
        subject_public_key: BitStringRef::from_bytes(public)?,
    })
}

/// Writes a private key as a PEM block.
pub(crate) fn private_pem(kind: Kind, private: &[u8]) -> Result<Zeroizing<String>, NotAKey> {
    let document = match kind.oid() {
        Some(oid) => pkcs8(kind, oid, private),
        None => SecretDocument::try_from(private),
    };
    let text = document.and_then(|document| document.to_pem("PRIVATE KEY", LineEnding::LF));
    text.map_err(|_| NotAKey)
}

fn pkcs8(kind: Kind, oid: ObjectIdentifier, seed: &[u8]) -> der::Result<SecretDocument> {
    // Tag and length of at most 64 bytes, which fits in one.
    let mut inner = Zeroizing::new(Vec::with_capacity(2 + seed.len()));
    inner.extend_from_slice(&[kind.seed_tag(), seed.len() as u8]);
    inner.extend_from_slice(seed);
    let key = OctetStringRef::new(&inner)?;
    SecretDocument::encode_msg(&PrivateKeyInfoRef::new(without_parameters(oid), key))
}

fn without_parameters(oid: ObjectIdentifier) -> AlgorithmIdentifierRef<'static> {
    AlgorithmIdentifierRef {
        oid,
        parameters: None,
    }
}
