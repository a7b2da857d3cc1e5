//! Converts the vault's answers into types of the API.

use api::frames::{MessageState, StatusEntry, TargetKind, Waiting};
use ephemeral::{StatusItem, Target, WaitingItem};

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
            ephemeral::MessageState::Waiting => MessageState::Waiting,
            ephemeral::MessageState::Claimed => MessageState::Claimed,
            ephemeral::MessageState::Acknowledged => MessageState::Acknowledged,
            ephemeral::MessageState::Expired => MessageState::Expired,
            ephemeral::MessageState::Unknown => MessageState::Unknown,
        },
        expires_at: item.expires_at,
    }
}
