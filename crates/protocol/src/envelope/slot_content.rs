//! The plaintext of a slot.
//!
//! Specification: `docs/protocol/messages.md#slots`.

use super::{BodyHash, ContentKey, ContentKind, Conversation, EarlierEnds};
use crate::codec::{DecodeError, Reader, Writer};
use crate::ids::{LiveId, MessageId, UserId};
use crate::labels;
use crate::primitives::kdf::sha3_256;
use crate::safe::SafeMark;
use crate::suite::ObjectType;

/// The plaintext of a slot; always 215 bytes, whatever it says.
#[derive(Debug, PartialEq, Eq)]
pub struct SlotContent {
    /// K of the body.
    pub key: ContentKey,
    /// The sending account.
    pub sender: UserId,
    /// The sending session.
    pub session: LiveId,
    /// The conversation.
    pub conversation: Conversation,
    /// Counts the messages of this session in this conversation from 1; 0 is uncounted.
    pub sequence: u64,
    /// [`message_link`] of the one before; zeros before the first.
    pub previous: [u8; 32],
    /// When the messages before it end; zeros where it is not counted.
    pub earlier: EarlierEnds,
    /// When it was sent, unix seconds.
    pub sent_at: u64,
    /// How long it may live, in seconds.
    pub life_secs: u32,
    /// Whether it burns on reading.
    pub burn_on_read: bool,
    /// Seconds between reading and burning; 0 if it burns when it is hidden, or does not burn.
    pub burn_after_secs: u32,
    /// Kind of the body's content.
    pub kind: ContentKind,
    /// The safe that the sender knows; only in slots for one's own sessions.
    pub safe_mark: Option<SafeMark>,
}

impl SlotContent {
    /// Length of the encoding in bytes.
    pub const ENCODED_LEN: usize = 3 + 32 + COMMON_LEN + 1 + 8 + 32;

    pub(super) fn write(&self, writer: &mut Writer) {
        writer
            .header(ObjectType::SlotContent)
            .raw(self.key.expose());
        self.write_common(writer);
        let mark = self.safe_mark.unwrap_or(SafeMark {
            version: 0,
            hash: [0; 32],
        });
        writer
            .bool(self.safe_mark.is_some())
            .u64(mark.version)
            .raw(&mark.hash);
    }

    fn write_common(&self, writer: &mut Writer) {
        writer
            .raw(self.sender.as_bytes())
            .raw(self.session.as_bytes());
        self.conversation.write(writer);
        writer.u64(self.sequence).raw(&self.previous);
        self.earlier.write(writer);
        writer
            .u64(self.sent_at)
            .u32(self.life_secs)
            .bool(self.burn_on_read)
            .u32(self.burn_after_secs)
            .u8(self.kind as u8);
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        reader.header(ObjectType::SlotContent)?;
        let mut content = Self {
            key: ContentKey::from_bytes(reader.array()?),
            sender: UserId::from_bytes(*reader.array()?),
            session: LiveId::from_bytes(*reader.array()?),
            conversation: Conversation::read(&mut reader)?,
            sequence: reader.u64()?,
            previous: *reader.array()?,
            earlier: EarlierEnds::read(&mut reader)?,
            sent_at: reader.u64()?,
            life_secs: reader.u32()?,
            burn_on_read: reader.bool("burn rule")?,
            burn_after_secs: reader.u32()?,
            kind: ContentKind::read(&mut reader)?,
            safe_mark: None,
        };
        let marked = reader.bool("safe mark")?;
        let mark = SafeMark {
            version: reader.u64()?,
            hash: *reader.array()?,
        };
        reader.finish()?;
        if marked {
            content.safe_mark = Some(mark);
        } else if mark.version != 0 || mark.hash != [0; 32] {
            return Err(DecodeError::NotCanonical);
        }
        Ok(content)
    }
}

const COMMON_LEN: usize = 16 + 16 + 17 + 8 + 32 + EarlierEnds::LEN + 8 + 4 + 1 + 4 + 1;

/// Returns the hash by which the next message of the same session and conversation names this one.
///
/// It covers what all slots of the message share, and neither K nor the safe mark, so that every recipient
/// computes the same.
pub fn message_link(message_id: &MessageId, body: &BodyHash, content: &SlotContent) -> [u8; 32] {
    let mut common = Writer::with_capacity(COMMON_LEN);
    content.write_common(&mut common);
    sha3_256(&[
        labels::MESSAGE_LINK,
        message_id.as_bytes(),
        &body.0,
        &common.into_bytes(),
    ])
}
