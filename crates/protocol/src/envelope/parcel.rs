//! Parcels: what the server gives to a session that claimed a message.
//!
//! Specification: `docs/protocol/messages.md#claims-and-leases`.

use super::{MAX_BODY_LEN, MAX_SLOT_LEN, Target};
use crate::codec::{DecodeError, Reader, Writer};
use crate::ids::MessageId;
use crate::suite::ObjectType;

/// A claimed slot with its body.
///
/// Encoding: header, message id, claim token (16), lease (4), target, slot with `u16`
/// length, body with `u32` length.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parcel {
    /// The message.
    pub message_id: MessageId,
    /// The token of the claim.
    pub token: [u8; 16],
    /// Lease in milliseconds.
    pub lease_ms: u32,
    /// The target of the slot.
    pub target: Target,
    /// A [`SealedSlot`](super::SealedSlot) encoding.
    pub slot: Vec<u8>,
    /// The sealed body.
    pub body: Vec<u8>,
}

/// A parcel read in place, without copying slot or body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParcelRef<'a> {
    /// The message.
    pub message_id: MessageId,
    /// The token of the claim.
    pub token: [u8; 16],
    /// Lease in milliseconds.
    pub lease_ms: u32,
    /// The target of the slot.
    pub target: Target,
    /// A [`SealedSlot`](super::SealedSlot) encoding.
    pub slot: &'a [u8],
    /// The sealed body.
    pub body: &'a [u8],
}

impl Parcel {
    /// Encodes the parcel.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Self::encode_prefix(
            &self.message_id,
            &self.token,
            self.lease_ms,
            &self.target,
            &self.slot,
            self.body.len(),
        );
        bytes.extend_from_slice(&self.body);
        bytes
    }

    /// Encodes everything in front of a body of `body_len` bytes, which must follow; the
    /// buffer has room for it.
    pub fn encode_prefix(
        message_id: &MessageId,
        token: &[u8; 16],
        lease_ms: u32,
        target: &Target,
        slot: &[u8],
        body_len: usize,
    ) -> Vec<u8> {
        Writer::exact(body_len, &|writer| {
            writer
                .header(ObjectType::Parcel)
                .raw(message_id.as_bytes())
                .raw(token)
                .u32(lease_ms);
            target.write(writer);
            writer.bytes16(slot).len32(body_len);
        })
    }

    /// Decodes a parcel.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let parcel = ParcelRef::decode(bytes)?;
        Ok(Self {
            message_id: parcel.message_id,
            token: parcel.token,
            lease_ms: parcel.lease_ms,
            target: parcel.target,
            slot: parcel.slot.to_vec(),
            body: parcel.body.to_vec(),
        })
    }
}

impl<'a> ParcelRef<'a> {
    /// Decodes a parcel in place.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        reader.header(ObjectType::Parcel)?;
        let parcel = Self {
            message_id: MessageId::from_bytes(*reader.array()?),
            token: *reader.array()?,
            lease_ms: reader.u32()?,
            target: Target::read(&mut reader)?,
            slot: reader.bytes16(MAX_SLOT_LEN)?,
            body: reader.bytes32(MAX_BODY_LEN)?,
        };
        reader.finish()?;
        Ok(parcel)
    }
}
