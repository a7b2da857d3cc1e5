//! Contents of messages, by kind.
//!
//! Specification: `docs/protocol/messages.md#content`.

use super::{EnvelopeError, SecretText};
use crate::codec::{DecodeError, Reader, Writer};
use crate::ids::MessageId;
use crate::suite::ObjectType;

/// Longest text in bytes.
const MAX_TEXT: usize = 1 << 20;
/// Longest greeting of a contact request in bytes.
const MAX_GREETING: usize = 1_024;
/// Longest name in bytes.
const MAX_NAME: usize = 256;
/// Most receipts in one message.
const MAX_RECEIPTS: usize = 256;

/// Kind of a content, named in slot and body alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum ContentKind {
    /// [`Content::Text`].
    Text = 1,
    /// [`Content::Receipt`].
    Receipt = 2,
    /// [`Content::Typing`].
    Typing = 3,
    /// [`Content::Request`].
    Request = 4,
    /// [`Content::Accept`].
    Accept = 5,
    /// [`Content::Edit`].
    Edit = 6,
    /// [`Content::Delete`].
    Delete = 7,
    /// [`Content::Profile`].
    Profile = 8,
    /// [`Content::Sync`].
    Sync = 9,
}

/// The state of a message at its recipient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum ReceiptState {
    /// A session of the reader opened it.
    Delivered = 1,
    /// It was shown.
    Read = 2,
    /// It was shown once and is gone.
    Burned = 3,
}

/// A sealed receipt for one message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Receipt {
    /// The message.
    pub message_id: MessageId,
    /// What became of it.
    pub state: ReceiptState,
}

/// The code of an invite link, which opens an account where registration is by invitation.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct InviteCode(pub [u8; 16]);

impl core::fmt::Debug for InviteCode {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("InviteCode(..)")
    }
}

/// The content of a body.
///
/// Encoding: header, kind, then the fields in their order; texts with a `u32` length. A request without
/// an invite ends after its greeting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// A text.
    Text {
        /// The words, at most 1 MiB.
        text: SecretText,
        /// The message that it answers.
        reply_to: Option<MessageId>,
    },
    /// Receipts, at most 256 together.
    Receipt(Vec<Receipt>),
    /// Whether the sender is typing; sent to live sessions only and not counted.
    Typing {
        /// False when it stopped.
        active: bool,
    },
    /// A contact request.
    Request {
        /// The sender's handle, at most 256 bytes.
        handle: SecretText,
        /// The sender's name, at most 256 bytes.
        alias: SecretText,
        /// A first message, at most 1 KiB.
        greeting: SecretText,
        /// The code of the recipient's invite link, if the sender came by one.
        invite: Option<InviteCode>,
    },
    /// A contact request was accepted.
    Accept {
        /// The sender's handle, at most 256 bytes.
        handle: SecretText,
        /// The sender's name, at most 256 bytes.
        alias: SecretText,
    },
    /// Another text in place of an earlier one of the same sender.
    Edit {
        /// The earlier message.
        message_id: MessageId,
        /// The new words, at most 1 MiB.
        text: SecretText,
    },
    /// An earlier message of the same sender is withdrawn.
    Delete {
        /// The earlier message.
        message_id: MessageId,
    },
    /// The sender's name changed.
    Profile {
        /// The new name, at most 256 bytes.
        alias: SecretText,
    },
    /// To one's own sessions: read the safe whose mark is in the slot.
    Sync,
}

impl Content {
    /// Its kind.
    pub fn kind(&self) -> ContentKind {
        match self {
            Self::Text { .. } => ContentKind::Text,
            Self::Receipt(_) => ContentKind::Receipt,
            Self::Typing { .. } => ContentKind::Typing,
            Self::Request { .. } => ContentKind::Request,
            Self::Accept { .. } => ContentKind::Accept,
            Self::Edit { .. } => ContentKind::Edit,
            Self::Delete { .. } => ContentKind::Delete,
            Self::Profile { .. } => ContentKind::Profile,
            Self::Sync => ContentKind::Sync,
        }
    }

    /// A plain text.
    pub fn text(text: impl Into<SecretText>) -> Self {
        Self::Text {
            text: text.into(),
            reply_to: None,
        }
    }

    pub(super) fn check(&self) -> Result<(), EnvelopeError> {
        let fits = match self {
            Self::Text { text, .. } | Self::Edit { text, .. } => text.len() <= MAX_TEXT,
            Self::Receipt(receipts) => receipts.len() <= MAX_RECEIPTS,
            Self::Request {
                handle,
                alias,
                greeting,
                ..
            } => {
                handle.len() <= MAX_NAME
                    && alias.len() <= MAX_NAME
                    && greeting.len() <= MAX_GREETING
            }
            Self::Accept { handle, alias } => handle.len() <= MAX_NAME && alias.len() <= MAX_NAME,
            Self::Profile { alias } => alias.len() <= MAX_NAME,
            Self::Typing { .. } | Self::Delete { .. } | Self::Sync => true,
        };
        if fits {
            Ok(())
        } else {
            Err(EnvelopeError::TooLong)
        }
    }

    /// Writes kind and fields behind the header.
    pub fn write(&self, writer: &mut Writer) {
        writer.header(ObjectType::Content).u8(self.kind() as u8);
        match self {
            Self::Text { text, reply_to } => {
                writer.bool(reply_to.is_some());
                if let Some(id) = reply_to {
                    writer.raw(id.as_bytes());
                }
                text.write(writer);
            }
            Self::Receipt(receipts) => {
                writer.len16(receipts.len());
                for receipt in receipts {
                    writer
                        .raw(receipt.message_id.as_bytes())
                        .u8(receipt.state as u8);
                }
            }
            Self::Typing { active } => {
                writer.bool(*active);
            }
            Self::Request {
                handle,
                alias,
                greeting,
                invite,
            } => {
                handle.write(writer);
                alias.write(writer);
                greeting.write(writer);
                if let Some(code) = invite {
                    writer.raw(&code.0);
                }
            }
            Self::Accept { handle, alias } => {
                handle.write(writer);
                alias.write(writer);
            }
            Self::Edit { message_id, text } => {
                writer.raw(message_id.as_bytes());
                text.write(writer);
            }
            Self::Delete { message_id } => {
                writer.raw(message_id.as_bytes());
            }
            Self::Profile { alias } => alias.write(writer),
            Self::Sync => {}
        }
    }

    /// Reads what [`Content::write`] wrote.
    pub fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        reader.header(ObjectType::Content)?;
        Ok(match ContentKind::read(reader)? {
            ContentKind::Text => {
                let reply_to = if reader.bool("reply")? {
                    Some(message_id(reader)?)
                } else {
                    None
                };
                Self::Text {
                    text: SecretText::read(reader, MAX_TEXT)?,
                    reply_to,
                }
            }
            ContentKind::Receipt => {
                let count = reader.count16(MAX_RECEIPTS, 17)?;
                let receipts = (0..count).map(|_| {
                    Ok(Receipt {
                        message_id: message_id(reader)?,
                        state: ReceiptState::read(reader)?,
                    })
                });
                Self::Receipt(receipts.collect::<Result<_, DecodeError>>()?)
            }
            ContentKind::Typing => Self::Typing {
                active: reader.bool("typing")?,
            },
            ContentKind::Request => Self::Request {
                handle: SecretText::read(reader, MAX_NAME)?,
                alias: SecretText::read(reader, MAX_NAME)?,
                greeting: SecretText::read(reader, MAX_GREETING)?,
                // The content ends the payload.
                invite: if reader.is_empty() {
                    None
                } else {
                    Some(InviteCode(*reader.array()?))
                },
            },
            ContentKind::Accept => Self::Accept {
                handle: SecretText::read(reader, MAX_NAME)?,
                alias: SecretText::read(reader, MAX_NAME)?,
            },
            ContentKind::Edit => Self::Edit {
                message_id: message_id(reader)?,
                text: SecretText::read(reader, MAX_TEXT)?,
            },
            ContentKind::Delete => Self::Delete {
                message_id: message_id(reader)?,
            },
            ContentKind::Profile => Self::Profile {
                alias: SecretText::read(reader, MAX_NAME)?,
            },
            ContentKind::Sync => Self::Sync,
        })
    }
}

impl ContentKind {
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(match reader.u8()? {
            1 => Self::Text,
            2 => Self::Receipt,
            3 => Self::Typing,
            4 => Self::Request,
            5 => Self::Accept,
            6 => Self::Edit,
            7 => Self::Delete,
            8 => Self::Profile,
            9 => Self::Sync,
            _ => return Err(DecodeError::InvalidValue("content kind")),
        })
    }
}

impl ReceiptState {
    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        match reader.u8()? {
            1 => Ok(Self::Delivered),
            2 => Ok(Self::Read),
            3 => Ok(Self::Burned),
            _ => Err(DecodeError::InvalidValue("receipt state")),
        }
    }
}

fn message_id(reader: &mut Reader<'_>) -> Result<MessageId, DecodeError> {
    reader.array().map(|bytes| MessageId::from_bytes(*bytes))
}
