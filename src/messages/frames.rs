//! The text frames of the WebSocket, and the JSON that HTTP shares with them.

use api::ids::{BootId, MessageId, TargetId, UserId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use vault::{MessageState, StatusItem, Target, WaitingItem};

use crate::http::Blob;

/// What a client says.
#[derive(Debug, Deserialize)]
#[serde(tag = "t", rename_all = "snake_case")]
pub(super) enum Said {
    /// Publish or replace the session bundle.
    Bundle { bundle: Blob },
    /// The keys are going: take the bundle back, and everything that is held unread.
    Withdraw {},
    /// Claim a message.
    Claim { id: MessageId },
    /// It was read.
    Ack { id: MessageId, token: Blob },
    /// More time.
    Extend { id: MessageId, token: Blob },
    /// It does not open.
    CannotOpen { id: MessageId, token: Blob },
    /// The person did something.
    Active {},
    /// What became of these?
    Status { ids: Vec<MessageId> },
    /// Are you there?
    Ping {},
}

/// What the server says.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "t", rename_all = "snake_case")]
pub enum Told {
    /// The first frame.
    Hello {
        /// Which start of the server this is.
        boot_id: BootId,
        /// Unix seconds.
        now: u64,
        /// The first of what waits.
        waiting: Vec<Waiting>,
        /// Whether `GET /messages` has more.
        more: bool,
        /// What no session that is there can open: it came to one that is gone, unread.
        stranded: Vec<Stranded>,
    },
    /// Something can be claimed.
    Waiting(Waiting),
    /// A message was taken.
    Sent {
        /// Which.
        id: MessageId,
        /// Unix seconds.
        expires_at: u64,
    },
    /// Slots were taken.
    SlotsAdded {
        /// Of which message.
        id: MessageId,
    },
    /// Something was not done.
    Refused {
        /// What: `claim`, `ack`, `extend`, `cannot_open`, `send`, `slots`, `bundle`, `status` or
        /// `frame`.
        re: &'static str,
        /// Of which message.
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<MessageId>,
        /// The stable name that a client matches on.
        code: &'static str,
        /// What to do next.
        detail: String,
        /// Seconds to wait before trying again, where waiting helps.
        #[serde(skip_serializing_if = "Option::is_none")]
        retry_after: Option<u64>,
    },
    /// The acknowledgement was taken, and the slot wiped.
    Acked {
        /// Of which message.
        id: MessageId,
    },
    /// The claim runs on.
    Extended {
        /// Of which message.
        id: MessageId,
        /// Milliseconds from now.
        lease_ms: u64,
    },
    /// The claim was won; the parcel is too large for a frame and waits at `/messages/{id}/claim`.
    ClaimedLarge {
        /// Of which message.
        id: MessageId,
        /// Needed to fetch, acknowledge, extend or give back.
        token: Blob,
        /// Milliseconds from now.
        lease_ms: u64,
    },
    /// What became of messages.
    Status {
        /// One for each id, in their order.
        states: Vec<StatusEntry>,
    },
    /// A message of this account changed.
    Message {
        /// Which.
        id: MessageId,
        /// `claimed`, `acknowledged`, `expired`, `cannot_open`, `returned`, or `left`: the session that
        /// alone can open this slot is gone.
        state: &'static str,
        /// The live session, or the account, of the slot.
        target: TargetId,
        /// Whether the target is a live session.
        live: bool,
    },
    /// Another tab wrote a safe; 0 means that this one was not written.
    Safe {
        /// Version of the key safe.
        version: u64,
        /// Version of the prekey safe.
        prekey_version: u64,
    },
    /// Another session of this account can be sent to now: what was fetched before does not name it.
    Joined {},
    /// The answer to a ping.
    Pong {},
}

/// A message that can be claimed.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Waiting {
    /// Which.
    pub id: MessageId,
    /// Whether reading wipes it.
    pub burn: bool,
    /// Bytes of body and slot together.
    pub size: u64,
    /// Unix seconds.
    pub expires_at: u64,
    /// `live` or `account`.
    #[schema(value_type = String)]
    pub target: &'static str,
    /// The account that posted it.
    pub from: UserId,
}

/// A message that reached a session that is gone, unread.
#[derive(Debug, Clone, Serialize)]
pub struct Stranded {
    /// Which.
    pub id: MessageId,
    /// The account that posted it.
    pub from: UserId,
}

impl From<&WaitingItem> for Waiting {
    fn from(item: &WaitingItem) -> Self {
        Self {
            id: item.id,
            burn: item.burn_on_read,
            size: item.size,
            expires_at: item.expires_at,
            target: match item.target {
                Target::Live { .. } => "live",
                Target::Account(_) => "account",
            },
            from: item.poster,
        }
    }
}

/// What became of one message.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct StatusEntry {
    /// Which.
    pub id: MessageId,
    /// `waiting`, `claimed`, `acknowledged`, `expired` or `unknown`.
    #[schema(value_type = String)]
    pub state: &'static str,
    /// Unix seconds; 0 where the message is unknown.
    pub expires_at: u64,
}

impl From<&StatusItem> for StatusEntry {
    fn from(item: &StatusItem) -> Self {
        Self {
            id: item.id,
            state: match item.state {
                MessageState::Waiting => "waiting",
                MessageState::Claimed => "claimed",
                MessageState::Acknowledged => "acknowledged",
                MessageState::Expired => "expired",
                MessageState::Unknown => "unknown",
            },
            expires_at: item.expires_at,
        }
    }
}
