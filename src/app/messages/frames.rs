//! Converts the vault's answers into types of the API.

use api::frames::{MessageState, StatusEntry, TargetKind, Waiting};
use vault::{StatusItem, Target, WaitingItem};

/// Describes a message that can be claimed.
pub(crate) fn waiting(item: &WaitingItem) -> Waiting {
    Waiting {
        id: item.id,
        burn: item.burn_on_read,
        size: item.size,
        expires_at: item.expires_at,
        target: match item.target {
            Target::Live { .. } => TargetKind::Live,
            Target::Account(_) => TargetKind::Account,
        },
        from: item.poster,
    }
}

/// Describes the state of a message.
pub(crate) fn status_entry(item: &StatusItem) -> StatusEntry {
    StatusEntry {
        id: item.id,
        state: match item.state {
            vault::MessageState::Waiting => MessageState::Waiting,
            vault::MessageState::Claimed => MessageState::Claimed,
            vault::MessageState::Acknowledged => MessageState::Acknowledged,
            vault::MessageState::Expired => MessageState::Expired,
            vault::MessageState::Unknown => MessageState::Unknown,
        },
        expires_at: item.expires_at,
    }
}
