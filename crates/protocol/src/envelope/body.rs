//! The body: content sealed once under a fresh content key.
//!
//! Sealed encoding: header, HKDF(K, "commit") (32), ChaCha20-Poly1305 under HKDF(K, "body")
//! of the padded payload, with header and commitment as associated data. Payload: group
//! context, content.
//!
//! Specification: `docs/protocol/messages.md#bodies`.

use rand_core::CryptoRng;
use sha3::{Digest, Sha3_256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::{Content, EnvelopeError, GroupContext, padding};
use crate::codec::{DecodeError, Reader, Writer};
use crate::labels;
use crate::primitives::{aead, kdf};
use crate::secret::secret;
use crate::suite::ObjectType;

const COMMIT_LEN: usize = 32;
const SEALED_AT: usize = 3 + COMMIT_LEN;

secret! {
    /// K: the content key of one message, 32 bytes.
    pub struct ContentKey(32)
}

secret! {
    /// Key of one body, 32 bytes.
    struct BodyKey(32)
}

/// SHA3-256 of a sealed body; every slot is bound to it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct BodyHash(pub [u8; 32]);

impl BodyHash {
    /// Hashes a sealed body.
    pub fn of(sealed: &[u8]) -> Self {
        Self(Sha3_256::digest(sealed).into())
    }
}

impl core::fmt::Debug for BodyHash {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "BodyHash({:02x}{:02x}..)", self.0[0], self.0[1])
    }
}

/// A sealed body and what its slots need of it.
#[derive(Debug)]
pub struct SealedBody {
    /// K, which goes into every slot.
    pub key: ContentKey,
    /// The sealed bytes.
    pub bytes: Vec<u8>,
    /// Their hash.
    pub hash: BodyHash,
}

/// An opened body.
#[derive(Debug, PartialEq, Eq)]
pub struct OpenedBody {
    /// The content.
    pub content: Content,
    /// The group, as its sender saw it.
    pub group: Option<GroupContext>,
}

/// Seals a content under a fresh key.
pub fn seal_body(
    rng: &mut (impl CryptoRng + ?Sized),
    content: &Content,
    group: Option<&GroupContext>,
) -> Result<SealedBody, EnvelopeError> {
    content.check()?;
    let key = ContentKey::random(rng);
    let commitment = commitment(&key);
    let mut bytes = Writer::exact(aead::TAG_LEN, &|writer| {
        writer.header(ObjectType::Body).raw(&commitment);
        padding::write(writer, &|writer| {
            GroupContext::write(group, writer);
            content.write(writer);
        });
    });
    let mut ad = [0; SEALED_AT];
    ad.copy_from_slice(bytes.get(..SEALED_AT).unwrap_or(&[0; SEALED_AT]));
    aead::seal(
        body_key(&key).expose(),
        &[0; 12],
        &ad,
        &mut bytes,
        SEALED_AT,
    );
    let hash = BodyHash::of(&bytes);
    Ok(SealedBody { key, bytes, hash })
}

/// Checks the commitment and opens a body.
pub fn open_body(key: &ContentKey, sealed: &[u8]) -> Result<OpenedBody, EnvelopeError> {
    let mut reader = Reader::new(sealed);
    reader.header(ObjectType::Body)?;
    let commit: &[u8; COMMIT_LEN] = reader.array()?;
    if !bool::from(commit.as_slice().ct_eq(commitment(key).as_slice())) {
        return Err(EnvelopeError::BadCommitment);
    }
    let ad = sealed.get(..SEALED_AT).unwrap_or_default();
    let mut buffer = Zeroizing::new(reader.rest().to_vec());
    let padded = aead::open(body_key(key).expose(), &[0; 12], ad, &mut buffer)
        .map_err(|_| EnvelopeError::BadBody)?;
    let mut reader = Reader::new(padding::strip(padded)?);
    let group = GroupContext::read(&mut reader)?;
    let content = Content::read(&mut reader)?;
    reader.finish().map_err(|_| DecodeError::TrailingBytes)?;
    Ok(OpenedBody { content, group })
}

fn commitment(key: &ContentKey) -> [u8; COMMIT_LEN] {
    let mut commit = [0; COMMIT_LEN];
    kdf::derive(&[key.expose()], &[labels::COMMIT], &mut commit);
    commit
}

fn body_key(key: &ContentKey) -> BodyKey {
    let mut body = BodyKey::zeroed();
    kdf::derive(&[key.expose()], &[labels::BODY], body.expose_mut());
    body
}
