//! Slots: a message's key and facts, sealed for one target.
//!
//! Specification: `docs/protocol/messages.md#slots`.

use zeroize::Zeroizing;

use super::{BodyHash, EnvelopeError, Slot, SlotContent, Target};
use crate::codec::{DecodeError, Reader, Writer};
use crate::epoch::{Handshake, ReceiverEpoch, SenderEpoch};
use crate::ids::MessageId;
use crate::primitives::aead::TAG_LEN;
use crate::suite::ObjectType;

const SEALED_AT: usize = 3 + Handshake::LEN + 1;
const SEALED_LEN: usize = SlotContent::ENCODED_LEN + TAG_LEN;

/// A slot as it travels: handshake, counter and sealed content.
///
/// Encoding: header, handshake (1716), counter (1), sealed content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedSlot {
    /// The epoch's handshake.
    pub handshake: Handshake,
    /// Position in the epoch.
    pub counter: u8,
    sealed: [u8; SEALED_LEN],
}

impl SealedSlot {
    /// Length of the encoding in bytes.
    pub const ENCODED_LEN: usize = SEALED_AT + SEALED_LEN;

    /// Decodes a slot; nothing is opened yet.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        reader.header(ObjectType::Slot)?;
        let handshake = Handshake::decode(reader.take(Handshake::LEN)?)?;
        let counter = reader.u8()?;
        let sealed = *reader.array()?;
        reader.finish()?;
        Ok(Self {
            handshake,
            counter,
            sealed,
        })
    }
}

/// Seals a slot with the next key of an epoch, for that epoch's target.
pub fn seal_slot(
    epoch: &mut SenderEpoch,
    now: u64,
    message_id: &MessageId,
    body: &BodyHash,
    content: &SlotContent,
) -> Result<Slot, EnvelopeError> {
    let (key, counter) = epoch.next(now, message_id)?;
    let mut bytes = Writer::exact(TAG_LEN, &|writer| {
        writer
            .header(ObjectType::Slot)
            .raw(epoch.handshake().as_bytes())
            .u8(counter);
        content.write(writer);
    });
    let target = *epoch.target();
    let ad = associated_data(epoch.handshake(), counter, message_id, &target, body);
    key.seal(&ad, &mut bytes, SEALED_AT);
    Ok(Slot {
        target,
        prekey_id: epoch.handshake().prekey_id(),
        bytes,
    })
}

/// Opens a slot and thereby proves its sender.
///
/// `target` is where the server says that the slot was addressed; the caller has compared
/// it with itself ([`Target::is_for`]). `body` is the hash of the body that came with it.
pub fn open_slot(
    epoch: &ReceiverEpoch,
    slot: &SealedSlot,
    target: &Target,
    message_id: &MessageId,
    body: &BodyHash,
) -> Result<SlotContent, EnvelopeError> {
    // An epoch that was kept from an earlier message must not stand in for another handshake.
    if slot.handshake != *epoch.handshake() {
        return Err(EnvelopeError::MovedSlot);
    }
    let key = epoch.slot_key(slot.counter, message_id)?;
    let ad = associated_data(epoch.handshake(), slot.counter, message_id, target, body);
    let mut buffer = Zeroizing::new(slot.sealed);
    let plain = key
        .open(&ad, buffer.as_mut_slice())
        .map_err(|_| EnvelopeError::MovedSlot)?;
    let content = SlotContent::decode(plain)?;
    if content.sender != epoch.sender().user_id {
        return Err(EnvelopeError::SenderMismatch);
    }
    Ok(content)
}

fn associated_data(
    handshake: &Handshake,
    counter: u8,
    message_id: &MessageId,
    target: &Target,
    body: &BodyHash,
) -> Vec<u8> {
    Writer::exact(0, &|writer| {
        writer
            .header(ObjectType::Slot)
            .raw(handshake.as_bytes())
            .u8(counter)
            .raw(message_id.as_bytes());
        target.write(writer);
        writer.raw(&body.0);
    })
}
