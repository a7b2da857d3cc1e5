//! Names of conversations.
//!
//! Specification: `docs/protocol/messages.md#slots`.

use super::EnvelopeError;
use crate::codec::{DecodeError, Reader, Writer};
use crate::identity::Fingerprint;
use crate::ids::{GroupId, UserId};
use crate::labels;
use crate::primitives::kdf::sha3_256;

/// A conversation as its sender names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Conversation {
    /// Between the sender and this account.
    Direct {
        /// The account that is written to, also in the copy for one's own sessions.
        recipient: UserId,
    },
    /// In a group.
    Group {
        /// The group.
        id: GroupId,
    },
}

impl Conversation {
    /// Returns the peer of a direct message from `sender`, seen from `me`.
    ///
    /// `Ok(None)` for a group. A conversation of two other people is refused.
    pub fn peer(&self, me: &UserId, sender: &UserId) -> Result<Option<UserId>, EnvelopeError> {
        match self {
            Self::Group { .. } => Ok(None),
            Self::Direct { recipient } if recipient == me => Ok(Some(*sender)),
            Self::Direct { recipient } if sender == me => Ok(Some(*recipient)),
            Self::Direct { .. } => Err(EnvelopeError::WrongConversation),
        }
    }

    pub(crate) fn write(&self, writer: &mut Writer) {
        match self {
            Self::Direct { recipient } => writer.u8(1).raw(recipient.as_bytes()),
            Self::Group { id } => writer.u8(2).raw(id.as_bytes()),
        };
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let kind = reader.u8()?;
        let id = *reader.array()?;
        match kind {
            1 => Ok(Self::Direct {
                recipient: UserId::from_bytes(id),
            }),
            2 => Ok(Self::Group {
                id: GroupId::from_bytes(id),
            }),
            _ => Err(DecodeError::InvalidValue("conversation kind")),
        }
    }
}

/// The group in a body, as its sender saw it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GroupContext {
    /// The group.
    pub id: GroupId,
    /// Its membership version.
    pub membership_version: u64,
    /// [`members_hash`] of its members.
    pub members: [u8; 32],
}

/// Hash of the sorted fingerprints of a group's members.
pub fn members_hash(fingerprints: &[Fingerprint]) -> [u8; 32] {
    let mut sorted = fingerprints.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    let mut bytes = Vec::with_capacity(sorted.len() * Fingerprint::LEN);
    for fingerprint in &sorted {
        bytes.extend_from_slice(fingerprint.as_bytes());
    }
    sha3_256(&[labels::MEMBERS, &bytes])
}

impl GroupContext {
    pub(crate) fn write(group: Option<&Self>, writer: &mut Writer) {
        writer.bool(group.is_some());
        if let Some(group) = group {
            writer
                .raw(group.id.as_bytes())
                .u64(group.membership_version)
                .raw(&group.members);
        }
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Option<Self>, DecodeError> {
        if !reader.bool("group")? {
            return Ok(None);
        }
        Ok(Some(Self {
            id: GroupId::from_bytes(*reader.array()?),
            membership_version: reader.u64()?,
            members: *reader.array()?,
        }))
    }
}
