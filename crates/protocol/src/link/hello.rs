//! The hello: an instance's link pair for one bucket, signed by the server.

use std::sync::Arc;

use api::ids::BootId;
use rand_core::CryptoRng;
use zeroize::Zeroizing;

use super::LinkError;
use crate::boot::{BootSigningKey, ServerKey};
use crate::codec::{DecodeError, Reader, Writer};
use crate::epoch::{BUCKET_SECS, MAX_BUCKETS_AHEAD, bucket_of};
use crate::labels;
use crate::primitives::agreement::{AgreementPublic, AgreementSecret, SharedSecret};
use crate::primitives::kdf::sha3_512;
use crate::primitives::kem::{self, KemExpanded, KemPublic, KemSecret, KemShared};
use crate::primitives::signature::{SIGNATURE_LEN, Signature};
use crate::suite::ObjectType;

/// For how many buckets a pair is good, its own included.
const BUCKETS_KEPT: u64 = 2;

/// One process of a server, drawn at its start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct InstanceId(pub [u8; 16]);

/// The hash of a hello, by which later messages name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct HelloHash(pub [u8; 64]);

/// An instance's pair for one bucket; whoever holds it drops it when it is over.
pub struct LinkPair {
    agreement: AgreementSecret,
    kem: KemExpanded,
    public: Arc<SignedHello>,
}

/// What is public of a link pair: the hello, its hash, and when the pair is over.
#[derive(Debug)]
pub struct SignedHello {
    bytes: Vec<u8>,
    hash: HelloHash,
    expiry: u64,
}

/// A hello as it was read; nothing is verified.
///
/// Encoding: header, fingerprint (64), boot id (16), instance (16), bucket (8), expiry (8), X25519 (32),
/// ML-KEM-1024 (1568), signature (4691).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hello {
    facts: Facts,
    signature: Signature,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Facts {
    fingerprint: [u8; 64],
    boot_id: BootId,
    instance: InstanceId,
    bucket: u64,
    expiry: u64,
    agreement: AgreementPublic,
    kem: KemPublic,
}

/// Proof that a hello is of the pinned server and of this time.
#[derive(Debug, Clone)]
pub struct VerifiedHello {
    facts: Facts,
    hash: HelloHash,
}

impl LinkPair {
    /// Length of the private halves in bytes.
    pub const PRIVATE_LEN: usize = AgreementSecret::LEN + KemExpanded::LEN;

    /// Draws the pair of a bucket and signs its public halves; made ahead, in the background.
    pub fn generate(
        rng: &mut (impl CryptoRng + ?Sized),
        key: &BootSigningKey,
        boot_id: BootId,
        instance: InstanceId,
        bucket: u64,
    ) -> Self {
        let agreement = AgreementSecret::generate(rng);
        let (kem, public) = KemSecret::generate(rng).expand();
        let (signing, fingerprint) = key.signing();
        let facts = Facts {
            fingerprint,
            boot_id,
            instance,
            bucket,
            expiry: bucket
                .saturating_add(BUCKETS_KEPT)
                .saturating_mul(BUCKET_SECS),
            agreement: agreement.public(),
            kem: public,
        };
        let signature = signing.sign(rng, labels::LINK_HELLO, &facts.write().into_bytes());
        let expiry = facts.expiry;
        let bytes = Hello { facts, signature }.encode();
        Self {
            agreement,
            kem,
            public: Arc::new(SignedHello {
                hash: HelloHash::of(&bytes),
                bytes,
                expiry,
            }),
        }
    }

    /// The hello that begins each socket.
    pub fn hello(&self) -> &[u8] {
        self.public.bytes()
    }

    /// Whether the pair is over and is to be dropped.
    pub fn is_over(&self, now: u64) -> bool {
        self.public.is_over(now)
    }

    /// Parts the public from the private halves, which are X25519 (32) and ML-KEM-1024's decapsulation key
    /// (3168): whoever has locked memory keeps them there.
    pub fn split(self) -> (Arc<SignedHello>, Zeroizing<[u8; Self::PRIVATE_LEN]>) {
        let mut private = Zeroizing::new([0; Self::PRIVATE_LEN]);
        let (agreement, kem) = private.split_at_mut(AgreementSecret::LEN);
        agreement.copy_from_slice(self.agreement.expose());
        kem.copy_from_slice(self.kem.expose());
        (self.public, private)
    }

    /// Joins what [`LinkPair::split`] parted, for as long as one open is answered.
    pub fn join(public: Arc<SignedHello>, private: &[u8; Self::PRIVATE_LEN]) -> Self {
        let (mut agreement, mut kem) = (AgreementSecret::zeroed(), KemExpanded::zeroed());
        let (first, second) = private.split_at(AgreementSecret::LEN);
        agreement.expose_mut().copy_from_slice(first);
        kem.expose_mut().copy_from_slice(second);
        Self {
            agreement,
            kem,
            public,
        }
    }

    pub(super) fn hash(&self) -> &HelloHash {
        &self.public.hash
    }

    /// The pair's two shared secrets with an open's public halves.
    pub(super) fn agree(
        &self,
        theirs: &AgreementPublic,
        ciphertext: &[u8; kem::CIPHERTEXT_LEN],
    ) -> Result<(SharedSecret, KemShared), LinkError> {
        let shared = self.agreement.agree(theirs)?;
        Ok((shared, self.kem.decapsulate(ciphertext)))
    }
}

impl SignedHello {
    /// The hello as it is sent.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Whether its pair is over.
    pub const fn is_over(&self, now: u64) -> bool {
        now >= self.expiry
    }
}

impl core::fmt::Debug for LinkPair {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("LinkPair")
            .field("agreement", &self.agreement)
            .field("kem", &self.kem)
            .field("expiry", &self.public.expiry)
            .finish_non_exhaustive()
    }
}

impl Hello {
    /// Encodes facts and signature.
    pub fn encode(&self) -> Vec<u8> {
        let mut writer = self.facts.write();
        self.signature.write(&mut writer);
        writer.into_bytes()
    }

    /// Decodes; nothing is verified yet.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        reader.header(ObjectType::LinkHello)?;
        let facts = Facts {
            fingerprint: *reader.array()?,
            boot_id: BootId::from_bytes(*reader.array()?),
            instance: InstanceId(*reader.array()?),
            bucket: reader.u64()?,
            expiry: reader.u64()?,
            agreement: AgreementPublic::from_bytes(reader.array()?)?,
            kem: KemPublic::from_bytes(reader.array()?)?,
        };
        let signature = Signature::read(&mut reader)?;
        reader.finish()?;
        Ok(Self { facts, signature })
    }

    /// Checks the hello against the pinned server key and the device's own clock.
    pub fn verify(&self, server: &ServerKey, now: u64) -> Result<VerifiedHello, LinkError> {
        let facts = &self.facts;
        if facts.fingerprint != *server.fingerprint() {
            return Err(LinkError::OtherServer);
        }
        server.verify_key().verify(
            labels::LINK_HELLO,
            &facts.write().into_bytes(),
            &self.signature,
        )?;
        let longest = facts
            .bucket
            .saturating_add(BUCKETS_KEPT)
            .saturating_mul(BUCKET_SECS);
        let ahead = facts.bucket > bucket_of(now).saturating_add(MAX_BUCKETS_AHEAD);
        if now >= facts.expiry || facts.expiry > longest || ahead {
            return Err(LinkError::OtherTime);
        }
        Ok(VerifiedHello {
            facts: facts.clone(),
            hash: HelloHash::of(&self.encode()),
        })
    }
}

impl HelloHash {
    fn of(hello: &[u8]) -> Self {
        Self(sha3_512(&[labels::LINK_HELLO_HASH, hello]))
    }
}

impl VerifiedHello {
    /// The start of the server that the hello is of.
    pub const fn boot_id(&self) -> BootId {
        self.facts.boot_id
    }

    /// The instance that the link leads to.
    pub const fn instance(&self) -> InstanceId {
        self.facts.instance
    }

    pub(super) const fn hash(&self) -> &HelloHash {
        &self.hash
    }

    pub(super) const fn agreement(&self) -> &AgreementPublic {
        &self.facts.agreement
    }

    pub(super) const fn kem(&self) -> &KemPublic {
        &self.facts.kem
    }
}

impl Facts {
    fn write(&self) -> Writer {
        let len = 64 + 16 + 16 + 8 + 8 + AgreementPublic::LEN + kem::PUBLIC_LEN + SIGNATURE_LEN;
        let mut writer = Writer::object(ObjectType::LinkHello, len);
        writer
            .raw(&self.fingerprint)
            .raw(self.boot_id.as_bytes())
            .raw(&self.instance.0)
            .u64(self.bucket)
            .u64(self.expiry)
            .raw(self.agreement.as_bytes())
            .raw(self.kem.as_bytes());
        writer
    }
}
