//! The handshake that travels with every message of an epoch.
//!
//! Specification: `docs/protocol/messages.md#epochs`.

use crate::codec::{DecodeError, Reader, Writer};
use crate::primitives::agreement::AgreementPublic;
use crate::primitives::kem::CIPHERTEXT_LEN;
use crate::suite::ObjectType;

/// Sealed user id and fingerprint of the sender: 16 + 64 + 16 bytes.
pub(super) const HINT_LEN: usize = 96;
const WITHOUT_HINT_LEN: usize = 3 + 8 + 1 + 4 + 4 + 32 + CIPHERTEXT_LEN;
const CIPHERTEXT_AT: usize = WITHOUT_HINT_LEN - CIPHERTEXT_LEN;

/// Which of the recipient's pairs an epoch was started with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum EpochPath {
    /// A session bundle.
    Live = 1,
    /// The signed prekey and a one-time pair.
    OneTime = 2,
    /// The last-resort pair alone.
    LastResort = 3,
}

impl EpochPath {
    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        match reader.u8()? {
            1 => Ok(Self::Live),
            2 => Ok(Self::OneTime),
            3 => Ok(Self::LastResort),
            _ => Err(DecodeError::InvalidValue("epoch path")),
        }
    }
}

/// Version, suite, bucket, path, key ids, EK_A, CT and hint: 1,716 bytes.
///
/// Encoding: header, bucket (8), path (1), id of the signed pair (4), id of the one-time
/// pair or 0 (4), EK_A (32), CT (1568), hint (96).
#[derive(Clone, PartialEq, Eq)]
pub struct Handshake {
    bytes: Box<[u8; Handshake::LEN]>,
    bucket: u64,
    path: EpochPath,
    signed_id: u32,
    one_time_id: Option<u32>,
    ephemeral: AgreementPublic,
}

impl Handshake {
    /// Length of the encoding in bytes.
    pub const LEN: usize = WITHOUT_HINT_LEN + HINT_LEN;

    /// Everything before the hint.
    pub(super) fn without_hint(
        bucket: u64,
        path: EpochPath,
        signed_id: u32,
        one_time_id: Option<u32>,
        ephemeral: &AgreementPublic,
        ciphertext: &[u8; CIPHERTEXT_LEN],
    ) -> Vec<u8> {
        let mut writer = Writer::object(ObjectType::Handshake, Self::LEN);
        writer
            .u64(bucket)
            .u8(path as u8)
            .u32(signed_id)
            .u32(one_time_id.unwrap_or(0))
            .raw(ephemeral.as_bytes())
            .raw(ciphertext);
        writer.into_bytes()
    }

    /// Decodes a handshake and checks its form, not its origin.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        let all = *reader.clone().array::<{ Handshake::LEN }>()?;
        reader.header(ObjectType::Handshake)?;
        let bucket = reader.u64()?;
        let path = EpochPath::read(&mut reader)?;
        let signed_id = reader.u32()?;
        let one_time_id = match (path, reader.u32()?) {
            (EpochPath::OneTime, 0) => {
                return Err(DecodeError::InvalidValue("one-time prekey id"));
            }
            (EpochPath::OneTime, id) => Some(id),
            (_, 0) => None,
            _ => return Err(DecodeError::InvalidValue("one-time prekey id")),
        };
        let ephemeral = AgreementPublic::from_bytes(reader.array()?)?;
        reader.take(CIPHERTEXT_LEN + HINT_LEN)?;
        reader.finish()?;
        Ok(Self {
            bytes: Box::new(all),
            bucket,
            path,
            signed_id,
            one_time_id,
            ephemeral,
        })
    }

    /// The encoding.
    pub fn as_bytes(&self) -> &[u8; Self::LEN] {
        &self.bytes
    }

    /// The sender's bucket.
    pub fn bucket(&self) -> u64 {
        self.bucket
    }

    /// Which pairs it was made with.
    pub fn path(&self) -> EpochPath {
        self.path
    }

    /// Id of the session pair or the last-resort pair.
    pub fn signed_id(&self) -> u32 {
        self.signed_id
    }

    /// Id of the one-time pair.
    pub fn one_time_id(&self) -> Option<u32> {
        self.one_time_id
    }

    /// The prekey that a server may count as in use: one-time, else last-resort, else none.
    pub fn prekey_id(&self) -> Option<u32> {
        match self.path {
            EpochPath::Live => None,
            EpochPath::OneTime => self.one_time_id,
            EpochPath::LastResort => Some(self.signed_id),
        }
    }

    pub(super) fn ephemeral(&self) -> &AgreementPublic {
        &self.ephemeral
    }

    pub(super) fn before_hint(&self) -> &[u8] {
        self.bytes.get(..WITHOUT_HINT_LEN).unwrap_or_default()
    }

    pub(super) fn ciphertext(&self) -> &[u8; CIPHERTEXT_LEN] {
        match self
            .bytes
            .get(CIPHERTEXT_AT..)
            .and_then(|rest| rest.first_chunk())
        {
            Some(ciphertext) => ciphertext,
            None => unreachable!("a handshake holds its ciphertext"),
        }
    }

    pub(super) fn hint(&self) -> &[u8; HINT_LEN] {
        match self.bytes.last_chunk() {
            Some(hint) => hint,
            None => unreachable!("a handshake holds its hint"),
        }
    }
}

impl core::fmt::Debug for Handshake {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Handshake")
            .field("bucket", &self.bucket)
            .field("path", &self.path)
            .field("signed_id", &self.signed_id)
            .field("one_time_id", &self.one_time_id)
            .finish_non_exhaustive()
    }
}
