//! The text frames of the WebSocket, and the JSON that HTTP shares with them.
//!
//! Specification: `docs/protocol.md#websocket`.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::Blob;
use crate::ids::{BootId, MessageId, TargetId, UserId};

/// What a client says.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "t", rename_all = "snake_case")]
pub enum ClientFrame {
    /// Publish or replace the session bundle.
    Bundle {
        /// An encoded `SessionBundle`.
        bundle: Blob,
    },
    /// The keys are going: take the bundle back, and everything that is held unread.
    Withdraw {},
    /// Claim a message.
    Claim {
        /// Which.
        id: MessageId,
    },
    /// It was read.
    Ack {
        /// Which message.
        id: MessageId,
        /// From the claim.
        token: Blob,
    },
    /// More time.
    Extend {
        /// For which message.
        id: MessageId,
        /// From the claim.
        token: Blob,
    },
    /// It does not open.
    CannotOpen {
        /// Which message.
        id: MessageId,
        /// From the claim.
        token: Blob,
    },
    /// The person did something.
    Active {},
    /// What became of these?
    Status {
        /// At most 256.
        ids: Vec<MessageId>,
    },
    /// Are you there?
    Ping {},
}

/// What the server says.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "t", rename_all = "snake_case")]
pub enum ServerFrame {
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
        /// What was asked for.
        re: Asked,
        /// Of which message.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<MessageId>,
        /// The [name](crate::Code::name) of a code.
        code: Cow<'static, str>,
        /// What to do next.
        #[serde(default)]
        detail: String,
        /// Seconds to wait before trying again, where waiting helps.
        #[serde(default, skip_serializing_if = "Option::is_none")]
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
        /// What it became.
        state: Change,
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
    /// A frame of a kind that is not known here; a client passes over it.
    #[serde(other, skip_serializing)]
    Unknown,
}

/// What a client asked for over the WebSocket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Asked {
    /// Claim a message.
    Claim,
    /// Acknowledge one.
    Ack,
    /// Extend a lease.
    Extend,
    /// Give back what does not open.
    CannotOpen,
    /// Send a message.
    Send,
    /// Add slots to one.
    Slots,
    /// Publish a session bundle.
    Bundle,
    /// Say what became of messages.
    Status,
    /// Read the frame at all.
    Frame,
}

/// What became of a slot of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// A recipient holds it.
    Claimed,
    /// It was read, and wiped.
    Acknowledged,
    /// Its time ran out, and it was wiped.
    Expired,
    /// The recipient could not open it.
    CannotOpen,
    /// It waits again.
    Returned,
    /// The session that alone can open it is gone.
    Left,
}

/// What a slot is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum TargetKind {
    /// One live session.
    Live,
    /// Whichever session of the account comes first.
    Account,
}

/// A message that can be claimed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Waiting {
    /// Which.
    pub id: MessageId,
    /// Whether reading wipes it.
    pub burn: bool,
    /// Bytes of body and slot together.
    pub size: u64,
    /// Unix seconds.
    pub expires_at: u64,
    /// What the slot is for.
    pub target: TargetKind,
    /// The account that posted it, by the server's word.
    pub from: UserId,
}

/// A message that reached a session that is gone, unread.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stranded {
    /// Which.
    pub id: MessageId,
    /// The account that posted it.
    pub from: UserId,
}

/// Where a message is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum MessageState {
    /// It waits.
    Waiting,
    /// A recipient holds it.
    Claimed,
    /// It was read, and wiped.
    Acknowledged,
    /// Its time ran out, and it was wiped.
    Expired,
    /// The server knows nothing of it.
    Unknown,
}

/// What became of one message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct StatusEntry {
    /// Which.
    pub id: MessageId,
    /// Where it is in its life.
    pub state: MessageState,
    /// Unix seconds; 0 where the message is unknown.
    pub expires_at: u64,
}
