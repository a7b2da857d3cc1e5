//! Submissions: a message, or more slots for one, as a sender gives them to the server.
//!
//! Specification: `docs/protocol/messages.md#submissions`.

use super::Target;
use crate::codec::{DecodeError, Reader, Writer};
use crate::epoch::MAX_LIFE_SECS;
use crate::ids::MessageId;
use crate::suite::ObjectType;

/// Most slots of one message.
pub const MAX_SLOTS: usize = 256;
/// Longest slot in bytes.
pub const MAX_SLOT_LEN: usize = 4_096;
/// Longest sealed body in bytes: 64 MiB.
pub const MAX_BODY_LEN: usize = 64 << 20;

/// One slot with its address.
///
/// Encoding: target, 0 or 1 and the prekey id, `u16` length, bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slot {
    /// Who may claim it.
    pub target: Target,
    /// The prekey whose private half must outlive it; none on the live path.
    pub prekey_id: Option<u32>,
    /// A [`SealedSlot`](super::SealedSlot) encoding.
    pub bytes: Vec<u8>,
}

/// A whole message as it is posted.
///
/// Encoding: [`SubmissionHeader`]'s, then the body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submission {
    /// Random name of the message.
    pub message_id: MessageId,
    /// Life in seconds: 1 to 604,800.
    pub life_secs: u32,
    /// Whether the first acknowledgement of a recipient wipes it.
    pub burn_on_read: bool,
    /// A slot per target.
    pub slots: Vec<Slot>,
    /// The sealed body.
    pub body: Vec<u8>,
}

/// Everything in front of a submission's body.
///
/// Encoding: header, message id, life (4), burn rule (1), `u16` slot count, slots, `u32`
/// body length.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubmissionHeader {
    /// Random name of the message.
    pub message_id: MessageId,
    /// Life in seconds: 1 to 604,800.
    pub life_secs: u32,
    /// Whether the first acknowledgement of a recipient wipes it.
    pub burn_on_read: bool,
    /// A slot per target.
    pub slots: Vec<Slot>,
    /// Length of the body that follows.
    pub body_len: usize,
}

/// More slots for a message that is already posted.
///
/// Encoding: header, message id, `u16` slot count, slots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlotSet {
    /// The message.
    pub message_id: MessageId,
    /// Slots that are added, or replace those of the same target.
    pub slots: Vec<Slot>,
}

impl Submission {
    /// Encodes header and body.
    pub fn encode(&self) -> Vec<u8> {
        Writer::exact(0, &|writer| {
            writer
                .header(ObjectType::Submission)
                .raw(self.message_id.as_bytes())
                .u32(self.life_secs)
                .bool(self.burn_on_read);
            write_slots(&self.slots, writer);
            writer.bytes32(&self.body);
        })
    }

    /// Decodes a whole submission.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        let header = SubmissionHeader::read(&mut reader)?;
        let body = reader.take(header.body_len)?.to_vec();
        reader.finish()?;
        Ok(Self {
            message_id: header.message_id,
            life_secs: header.life_secs,
            burn_on_read: header.burn_on_read,
            slots: header.slots,
            body,
        })
    }
}

impl SubmissionHeader {
    /// Parses the header off the front of a stream.
    ///
    /// `Ok(None)` asks for more bytes; `Ok(Some((header, consumed)))` says where the body starts. Bytes that
    /// cannot become a submission are refused at once.
    pub fn parse_prefix(bytes: &[u8]) -> Result<Option<(Self, usize)>, DecodeError> {
        let mut reader = Reader::new(bytes);
        match Self::read(&mut reader) {
            Ok(header) => Ok(Some((header, bytes.len() - reader.remaining()))),
            Err(DecodeError::Truncated) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        reader.header(ObjectType::Submission)?;
        let message_id = MessageId::from_bytes(*reader.array()?);
        let life_secs = reader.u32()?;
        if life_secs == 0 || u64::from(life_secs) > MAX_LIFE_SECS {
            return Err(DecodeError::InvalidValue("life"));
        }
        let burn_on_read = reader.bool("burn rule")?;
        let slots = read_slots(reader)?;
        let body_len = usize::try_from(reader.u32()?).map_err(|_| DecodeError::TooLong)?;
        if body_len > MAX_BODY_LEN {
            return Err(DecodeError::TooLong);
        }
        Ok(Self {
            message_id,
            life_secs,
            burn_on_read,
            slots,
            body_len,
        })
    }
}

impl SlotSet {
    /// Encodes the set.
    pub fn encode(&self) -> Vec<u8> {
        Writer::exact(0, &|writer| {
            writer
                .header(ObjectType::SlotSet)
                .raw(self.message_id.as_bytes());
            write_slots(&self.slots, writer);
        })
    }

    /// Decodes a set.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        reader.header(ObjectType::SlotSet)?;
        let message_id = MessageId::from_bytes(*reader.array()?);
        let slots = read_slots(&mut reader)?;
        reader.finish()?;
        Ok(Self { message_id, slots })
    }
}

fn write_slots(slots: &[Slot], writer: &mut Writer) {
    writer.len16(slots.len());
    for slot in slots {
        slot.target.write(writer);
        writer.bool(slot.prekey_id.is_some());
        if let Some(id) = slot.prekey_id {
            writer.u32(id);
        }
        writer.bytes16(&slot.bytes);
    }
}

fn read_slots(reader: &mut Reader<'_>) -> Result<Vec<Slot>, DecodeError> {
    let count = reader.count16(MAX_SLOTS, 0)?;
    if count == 0 {
        return Err(DecodeError::InvalidValue("slot count"));
    }
    let mut slots: Vec<Slot> = Vec::new();
    for _ in 0..count {
        let target = Target::read(reader)?;
        let prekey_id = if reader.bool("prekey id")? {
            Some(reader.u32()?)
        } else {
            None
        };
        let bytes = reader.bytes16(MAX_SLOT_LEN)?;
        if slots.iter().any(|slot| slot.target == target) {
            return Err(DecodeError::InvalidValue("target given twice"));
        }
        slots.push(Slot {
            target,
            prekey_id,
            bytes: bytes.to_vec(),
        });
    }
    Ok(slots)
}
