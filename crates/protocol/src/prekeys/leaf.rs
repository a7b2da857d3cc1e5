//! One prekey of a batch.
//!
//! Specification: `docs/protocol/messages.md#prekey-batches`.

use super::merkle::leaf_hash;
use super::{PairPublic, PrekeyError};
use crate::codec::{DecodeError, Reader, Writer};
use crate::ids::UserId;
use crate::labels;
use crate::suite::ObjectType;

/// Whether a leaf is used once or stands in when no one-time leaf is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum LeafKind {
    /// Handed out to one sender.
    OneTime = 1,
    /// The signed prekey and its ML-KEM key, handed out to every sender.
    LastResort = 2,
}

impl LeafKind {
    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        match reader.u8()? {
            1 => Ok(Self::OneTime),
            2 => Ok(Self::LastResort),
            _ => Err(DecodeError::InvalidValue("prekey kind")),
        }
    }
}

/// Public half of one prekey: the fields of a Merkle leaf.
///
/// Encoding: header, purpose (`u16` length), user id, prekey id, index, kind, X25519 key,
/// ML-KEM-1024 key, expiry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrekeyLeaf {
    /// Whose prekey it is.
    pub user_id: UserId,
    /// Names the prekey in handshakes; never zero, distinct within the account.
    pub prekey_id: u32,
    /// Position in the tree.
    pub index: u32,
    /// One-time or last-resort.
    pub kind: LeafKind,
    /// Both public keys.
    pub public: PairPublic,
    /// Unix seconds after which it is refused.
    pub expires_at: u64,
}

impl PrekeyLeaf {
    /// Length of the encoding in bytes.
    pub const ENCODED_LEN: usize =
        3 + 2 + labels::PREKEY_LEAF.len() + 16 + 4 + 4 + 1 + PairPublic::LEN + 8;

    /// Encodes the fields that are hashed.
    pub fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::with_capacity(Self::ENCODED_LEN);
        self.write(&mut writer);
        writer.into_bytes()
    }

    pub(super) fn write(&self, writer: &mut Writer) {
        writer
            .header(ObjectType::PrekeyLeaf)
            .bytes16(labels::PREKEY_LEAF)
            .raw(self.user_id.as_bytes())
            .u32(self.prekey_id)
            .u32(self.index)
            .u8(self.kind as u8);
        self.public.write(writer);
        writer.u64(self.expires_at);
    }

    /// Decodes one leaf.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        reader.header(ObjectType::PrekeyLeaf)?;
        if reader.bytes16(labels::PREKEY_LEAF.len())? != labels::PREKEY_LEAF {
            return Err(DecodeError::InvalidValue("prekey purpose"));
        }
        let user_id = UserId::from_bytes(*reader.array()?);
        let prekey_id = reader.u32()?;
        if prekey_id == 0 {
            return Err(DecodeError::InvalidValue("prekey id"));
        }
        let index = reader.u32()?;
        let kind = LeafKind::read(&mut reader)?;
        let public = PairPublic::read(&mut reader)?;
        let expires_at = reader.u64()?;
        reader.finish()?;
        Ok(Self {
            user_id,
            prekey_id,
            index,
            kind,
            public,
            expires_at,
        })
    }

    /// The leaf's hash in the tree.
    pub fn hash(&self) -> [u8; 32] {
        leaf_hash(&self.encode())
    }

    pub(super) fn check(
        &self,
        user_id: &UserId,
        kind: LeafKind,
        now: u64,
    ) -> Result<(), PrekeyError> {
        if self.user_id != *user_id {
            return Err(PrekeyError::WrongUser);
        }
        if self.kind != kind {
            return Err(PrekeyError::WrongKind);
        }
        if now >= self.expires_at {
            return Err(PrekeyError::Expired);
        }
        Ok(())
    }
}
