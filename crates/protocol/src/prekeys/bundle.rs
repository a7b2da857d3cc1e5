//! Session bundles: the pair that a live session publishes for one bucket.
//!
//! Specification: `docs/protocol/messages.md#session-bundles`.

use rand_core::CryptoRng;

use super::{PairPublic, PairSecrets, PrekeyError};
use crate::codec::{DecodeError, Reader, Writer};
use crate::envelope::Target;
use crate::epoch::{EpochError, EpochPath, Handshake, ReceiverPairs, VerifiedTarget, bucket_of};
use crate::identity::{AccountKeys, AccountSecrets, Fingerprint};
use crate::ids::{LiveId, UserId};
use crate::labels;
use crate::primitives::signature::{SIGNATURE_LEN, Signature};
use crate::suite::ObjectType;

/// The private half of a session bundle; lives in one tab's memory and nowhere else.
#[derive(Debug)]
pub struct SessionSecrets {
    key_id: u32,
    bucket: u64,
    pair: PairSecrets,
}

/// The public half of a session pair, signed by the account for one bucket.
///
/// Encoding: header, user id, live id, fingerprint, bucket, key id, X25519 key,
/// ML-KEM-1024 key, signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionBundle {
    /// Whose session it is.
    pub user_id: UserId,
    /// Which session it is.
    pub live_id: LiveId,
    /// Fingerprint of the signing identity.
    pub fingerprint: Fingerprint,
    /// The bucket it is made for.
    pub bucket: u64,
    /// Names the pair in handshakes.
    pub key_id: u32,
    /// Both public keys.
    pub public: PairPublic,
    signature: Signature,
}

impl SessionSecrets {
    /// Makes the pair of one bucket and its signed bundle.
    pub fn generate(
        rng: &mut (impl CryptoRng + ?Sized),
        secrets: &AccountSecrets,
        user_id: UserId,
        live_id: LiveId,
        now: u64,
    ) -> (Self, SessionBundle) {
        let pair = PairSecrets::generate(rng);
        let key_id = rng.next_u32().max(1);
        let bucket = bucket_of(now);
        let public = pair.public();
        let fingerprint = secrets.fingerprint();
        let fields = signed_fields(&user_id, &live_id, &fingerprint, bucket, key_id, &public);
        let signature = secrets
            .signing
            .sign(rng, labels::SESSION_BUNDLE, &fields.into_bytes());
        let bundle = SessionBundle {
            user_id,
            live_id,
            fingerprint,
            bucket,
            key_id,
            public,
            signature,
        };
        (
            Self {
                key_id,
                bucket,
                pair,
            },
            bundle,
        )
    }

    /// Names the pair in handshakes.
    pub fn key_id(&self) -> u32 {
        self.key_id
    }

    /// The bucket it was made for.
    pub fn bucket(&self) -> u64 {
        self.bucket
    }

    /// The private pair, for vectors.
    #[cfg(feature = "vectors")]
    pub(crate) fn pair(&self) -> &PairSecrets {
        &self.pair
    }

    /// The pair, if this handshake was made with it.
    pub fn pairs_for(&self, handshake: &Handshake) -> Result<ReceiverPairs<'_>, EpochError> {
        if handshake.path() != EpochPath::Live || handshake.signed_id() != self.key_id {
            return Err(EpochError::UnknownKey);
        }
        Ok(ReceiverPairs {
            signed: &self.pair,
            one_time: None,
        })
    }
}

impl SessionBundle {
    /// Length of the encoding in bytes.
    pub const ENCODED_LEN: usize = 3 + 16 + 16 + 64 + 8 + 4 + PairPublic::LEN + SIGNATURE_LEN;

    /// Encodes fields and signature.
    pub fn encode(&self) -> Vec<u8> {
        let mut writer = self.signed();
        self.signature.write(&mut writer);
        writer.into_bytes()
    }

    /// Decodes a bundle; nothing is verified yet.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        reader.header(ObjectType::SessionBundle)?;
        let bundle = Self {
            user_id: UserId::from_bytes(*reader.array()?),
            live_id: LiveId::from_bytes(*reader.array()?),
            fingerprint: Fingerprint::from_bytes(*reader.array()?),
            bucket: reader.u64()?,
            key_id: reader.u32()?,
            public: PairPublic::read(&mut reader)?,
            signature: Signature::read(&mut reader)?,
        };
        reader.finish()?;
        if bundle.key_id == 0 {
            return Err(DecodeError::InvalidValue("session key id"));
        }
        Ok(bundle)
    }

    /// Verifies owner, session, bucket (the present one or a neighbour) and signature
    /// against keys that the caller compared with the pin.
    pub fn verify(
        &self,
        keys: &AccountKeys,
        user_id: &UserId,
        live_id: &LiveId,
        now: u64,
    ) -> Result<VerifiedTarget, PrekeyError> {
        if self.user_id != *user_id {
            return Err(PrekeyError::WrongUser);
        }
        if self.live_id != *live_id {
            return Err(PrekeyError::WrongSession);
        }
        if self.fingerprint != *keys.fingerprint() {
            return Err(PrekeyError::WrongIdentity);
        }
        keys.verify()
            .verify(
                labels::SESSION_BUNDLE,
                &self.signed().into_bytes(),
                &self.signature,
            )
            .map_err(|_| PrekeyError::BadSignature)?;
        let bucket = bucket_of(now);
        if self.bucket.saturating_add(1) < bucket {
            return Err(PrekeyError::StaleBundle);
        }
        if self.bucket > bucket.saturating_add(1) {
            return Err(PrekeyError::FromTheFuture);
        }
        Ok(VerifiedTarget {
            keys: keys.clone(),
            target: Target::Live {
                account: *user_id,
                live_id: *live_id,
            },
            path: EpochPath::Live,
            signed_id: self.key_id,
            signed: self.public.agreement,
            one_time: None,
            kem: self.public.kem.clone(),
            bucket: Some(self.bucket),
        })
    }

    fn signed(&self) -> Writer {
        signed_fields(
            &self.user_id,
            &self.live_id,
            &self.fingerprint,
            self.bucket,
            self.key_id,
            &self.public,
        )
    }
}

fn signed_fields(
    user_id: &UserId,
    live_id: &LiveId,
    fingerprint: &Fingerprint,
    bucket: u64,
    key_id: u32,
    public: &PairPublic,
) -> Writer {
    let mut writer = Writer::object(ObjectType::SessionBundle, SessionBundle::ENCODED_LEN);
    writer
        .raw(user_id.as_bytes())
        .raw(live_id.as_bytes())
        .raw(fingerprint.as_bytes())
        .u64(bucket)
        .u32(key_id);
    public.write(&mut writer);
    writer
}
