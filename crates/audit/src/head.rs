//! Signed heads: number and hash of a record, signed with Ed25519 and ML-DSA-87.

use std::fmt;

use protocol::codec::{Reader, Writer};
use protocol::primitives::kdf::sha3_512;
use protocol::primitives::signature::{
    Ed25519Seed, MlDsaSeed, SIGNATURE_LEN, Signature, SigningKey, VERIFY_KEY_LEN, VerifyKey,
};
use rand_core::CryptoRng;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::encoding::{base64_bytes, hex_array};

const LABEL: &[u8] = b"secure-messaging/1 audit head";
const FINGERPRINT_LABEL: &[u8] = b"secure-messaging/1 audit key fingerprint";

/// The content of a head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Counted from 1 without gaps.
    pub number: u64,
    /// The newest record at that time.
    pub record_id: u64,
    /// Its hash, which covers every record before it too.
    pub hash: [u8; 64],
    /// Unix seconds.
    pub timestamp: u64,
}

impl Head {
    fn message(&self) -> Vec<u8> {
        let mut writer = Writer::with_capacity(88);
        writer
            .u64(self.number)
            .u64(self.record_id)
            .raw(&self.hash)
            .u64(self.timestamp);
        writer.into_bytes()
    }
}

/// A head with both signatures, unverified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedHead {
    /// The content.
    pub head: Head,
    /// Ed25519 (64 bytes) and ML-DSA-87 (4627 bytes).
    pub signature: Vec<u8>,
}

/// The private half of the key that signs heads; wiped when dropped.
pub struct HeadSigningKey(SigningKey);

/// The public half.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeadVerifyKey(VerifyKey);

/// SHA3-512 of a verify key, which people write down and compare.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprint(#[serde(with = "hex_array")] [u8; 64]);

/// The bytes are not a verify key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is not a verify key of the audit log; take it from the server again")]
pub struct HeadKeyError;

impl HeadSigningKey {
    /// Length of the stored form in bytes.
    pub const LEN: usize = 64;

    /// Makes a fresh key, once per installation.
    pub fn generate(rng: &mut (impl CryptoRng + ?Sized)) -> Self {
        Self(SigningKey::generate(rng))
    }

    /// The seeds to seal and keep.
    pub fn to_bytes(&self) -> Zeroizing<[u8; 64]> {
        let mut bytes = Zeroizing::new([0; 64]);
        bytes[..32].copy_from_slice(self.0.ed25519().expose());
        bytes[32..].copy_from_slice(self.0.ml_dsa().expose());
        bytes
    }

    /// Reads what [`HeadSigningKey::to_bytes`] gave.
    pub fn from_bytes(bytes: &[u8; 64]) -> Self {
        let mut half = Zeroizing::new([0; 32]);
        half.copy_from_slice(&bytes[..32]);
        let ed25519 = Ed25519Seed::from_bytes(&half);
        half.copy_from_slice(&bytes[32..]);
        Self(SigningKey::from_seeds(
            ed25519,
            MlDsaSeed::from_bytes(&half),
        ))
    }

    /// The public half.
    pub fn verify_key(&self) -> HeadVerifyKey {
        HeadVerifyKey(self.0.verify_key())
    }

    /// Signs a head.
    pub fn sign(&self, rng: &mut (impl CryptoRng + ?Sized), head: Head) -> SignedHead {
        let signature = self.sign_for(rng, LABEL, &head.message());
        SignedHead { head, signature }
    }

    pub(crate) fn sign_for(
        &self,
        rng: &mut (impl CryptoRng + ?Sized),
        label: &'static [u8],
        message: &[u8],
    ) -> Vec<u8> {
        let mut writer = Writer::with_capacity(SIGNATURE_LEN);
        self.0.sign(rng, label, message).write(&mut writer);
        writer.into_bytes()
    }
}

impl fmt::Debug for HeadSigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HeadSigningKey(..)")
    }
}

impl HeadVerifyKey {
    /// Both keys, 2624 bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut writer = Writer::with_capacity(VERIFY_KEY_LEN);
        self.0.write(&mut writer);
        writer.into_bytes()
    }

    /// Reads what [`HeadVerifyKey::to_bytes`] gave.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, HeadKeyError> {
        let mut reader = Reader::new(bytes);
        let key = VerifyKey::read(&mut reader).map_err(|_| HeadKeyError)?;
        reader.finish().map_err(|_| HeadKeyError)?;
        Ok(Self(key))
    }

    /// Returns the fingerprint, which people compare.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint(sha3_512(&[FINGERPRINT_LABEL, &self.to_bytes()]))
    }

    /// Returns whether both signatures of a head hold.
    pub fn verify(&self, head: &SignedHead) -> bool {
        self.verify_for(LABEL, &head.head.message(), &head.signature)
    }

    pub(crate) fn verify_for(
        &self,
        label: &'static [u8],
        message: &[u8],
        signature: &[u8],
    ) -> bool {
        let mut reader = Reader::new(signature);
        let Ok(signature) = Signature::read(&mut reader) else {
            return false;
        };
        reader.finish().is_ok() && self.0.verify(label, message, &signature).is_ok()
    }
}

impl Fingerprint {
    /// Takes the hash as it is.
    pub fn from_bytes(bytes: [u8; 64]) -> Self {
        Self(bytes)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({}..)", hex::encode(&self.0[..4]))
    }
}

/// A head as witnesses get it: one line with everything needed to check it, except for the key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Witnessed {
    /// Always `secure-messaging/1 audit head`.
    format: String,
    /// Counted from 1 without gaps.
    number: u64,
    /// The newest record at that time.
    record_id: u64,
    /// Its hash.
    #[serde(with = "hex_array")]
    hash: [u8; 64],
    /// Unix seconds.
    timestamp: u64,
    /// Fingerprint of the key that signed.
    key: Fingerprint,
    /// Both signatures.
    #[serde(with = "base64_bytes")]
    signature: Vec<u8>,
}

/// The line is not a head.
#[derive(Debug, thiserror::Error)]
#[error("this line is not a head of an audit log: {0}")]
pub struct HeadLineError(String);

impl Witnessed {
    /// Puts a head and the fingerprint of its key together.
    pub fn new(head: &SignedHead, key: Fingerprint) -> Self {
        Self {
            format: String::from_utf8_lossy(LABEL).into_owned(),
            number: head.head.number,
            record_id: head.head.record_id,
            hash: head.head.hash,
            timestamp: head.head.timestamp,
            key,
            signature: head.signature.clone(),
        }
    }

    /// One line of JSON, without its end.
    pub fn line(&self) -> String {
        // Strings and numbers only: it cannot fail.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Returns whether a line is a head or the beginning of one; an empty line is.
    pub fn begins(line: &[u8]) -> bool {
        let label = String::from_utf8_lossy(LABEL);
        let start = format!("{{\"format\":{label:?},");
        let cut = line.len().min(start.len());
        line[..cut] == start.as_bytes()[..cut]
    }

    /// Reads what [`Witnessed::line`] gave; nothing is verified yet.
    pub fn parse(line: &[u8]) -> Result<Self, HeadLineError> {
        let read: Self =
            serde_json::from_slice(line).map_err(|error| HeadLineError(error.to_string()))?;
        if read.format.as_bytes() != LABEL {
            return Err(HeadLineError(format!("its format is {:?}", read.format)));
        }
        Ok(read)
    }

    /// The fingerprint of the key that signed, as the line claims.
    pub fn key(&self) -> Fingerprint {
        self.key
    }

    /// The head.
    pub fn head(&self) -> SignedHead {
        SignedHead {
            head: Head {
                number: self.number,
                record_id: self.record_id,
                hash: self.hash,
                timestamp: self.timestamp,
            },
            signature: self.signature.clone(),
        }
    }
}
