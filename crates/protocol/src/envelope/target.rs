//! Targets of slots.
//!
//! Specification: `docs/protocol/messages.md#slots`.

use crate::codec::{DecodeError, Reader, Writer};
use crate::ids::{LiveId, UserId};

/// A live session, or an account that is away.
///
/// Encoding: 1, account, live id; or 2, account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Target {
    /// Only this live session may claim the slot.
    Live {
        /// Its account.
        account: UserId,
        /// The session.
        live_id: LiveId,
    },
    /// Any session of the account may claim the slot.
    Account {
        /// The account.
        account: UserId,
    },
}

impl Target {
    /// The account it belongs to.
    pub fn account(&self) -> &UserId {
        match self {
            Self::Live { account, .. } | Self::Account { account } => account,
        }
    }

    /// The live session, where it names one.
    pub fn live_id(&self) -> Option<&LiveId> {
        match self {
            Self::Live { live_id, .. } => Some(live_id),
            Self::Account { .. } => None,
        }
    }

    /// Whether a session of an account may open what goes there.
    pub fn is_for(&self, user_id: &UserId, live_id: &LiveId) -> bool {
        self.account() == user_id && self.live_id().is_none_or(|target| target == live_id)
    }

    pub(crate) fn write(&self, writer: &mut Writer) {
        match self {
            Self::Live { account, live_id } => {
                writer.u8(1).raw(account.as_bytes()).raw(live_id.as_bytes())
            }
            Self::Account { account } => writer.u8(2).raw(account.as_bytes()),
        };
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let kind = reader.u8()?;
        let account = UserId::from_bytes(*reader.array()?);
        match kind {
            1 => Ok(Self::Live {
                account,
                live_id: LiveId::from_bytes(*reader.array()?),
            }),
            2 => Ok(Self::Account { account }),
            _ => Err(DecodeError::InvalidValue("target kind")),
        }
    }
}
