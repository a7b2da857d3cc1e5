//! The text frames of the WebSocket, and the JSON that HTTP shares with them.
//!
//! Specification: `docs/protocol.md#websocket`.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::Blob;
use crate::ids::{BootId, MessageId, TargetId, UserId};

/// A text frame of the client.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "t", rename_all = "snake_case")]
pub enum ClientFrame {
    /// Publish or replace the session bundle.
    Bundle {
        /// An encoded `SessionBundle`.
        bundle: Blob,
    },
    /// The client locks: withdraw the bundle and return every claimed message that was not shown.
    Withdraw {},
    /// Claim a message.
    Claim {
        /// The message.
        id: MessageId,
    },
    /// Acknowledge a message that was shown.
    Ack {
        /// The message.
        id: MessageId,
        /// The token of the claim.
        token: Blob,
    },
    /// Extend a lease.
    Extend {
        /// The message.
        id: MessageId,
        /// The token of the claim.
        token: Blob,
    },
    /// Return a message that does not open.
    CannotOpen {
        /// The message.
        id: MessageId,
        /// The token of the claim.
        token: Blob,
    },
    /// The person used the keyboard or the pointer.
    Active {},
    /// Ask for the states of own messages.
    Status {
        /// At most 256.
        ids: Vec<MessageId>,
    },
    /// Ask for leave to send a submission or a set of slots that is too large for a frame.
    Ticket {
        /// Its bytes.
        len: u64,
    },
    /// Ask for everything that waits.
    List {},
    /// Ask for a `pong`.
    Ping {},
}

/// A text frame of the server.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "t", rename_all = "snake_case")]
pub enum ServerFrame {
    /// The first frame.
    Hello {
        /// The boot id.
        boot_id: BootId,
        /// Unix seconds.
        now: u64,
        /// The first messages that wait.
        waiting: Vec<Waiting>,
        /// Whether there are more, for which `list` asks.
        more: bool,
        /// Unread messages that only sessions which are gone could open.
        stranded: Vec<Stranded>,
    },
    /// A message can be claimed.
    Waiting(Waiting),
    /// A message was claimed for this live session; its parcel or `claimed_large` follows.
    Pushed(Waiting),
    /// A submission was taken.
    Sent {
        /// The message.
        id: MessageId,
        /// Unix seconds.
        expires_at: u64,
    },
    /// Slots were taken.
    SlotsAdded {
        /// The message.
        id: MessageId,
    },
    /// A frame was refused.
    Refused {
        /// What was asked for.
        re: Asked,
        /// The message.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "schema", schema(nullable = false))]
        id: Option<MessageId>,
        /// The stable name of a code.
        #[cfg_attr(feature = "schema", schema(value_type = crate::Code))]
        code: Cow<'static, str>,
        /// What to do next.
        #[serde(default)]
        detail: String,
        /// Seconds to wait before trying again, if waiting helps.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "schema", schema(nullable = false))]
        retry_after: Option<u64>,
    },
    /// The acknowledgement was taken, and the slot wiped.
    Acked {
        /// The message.
        id: MessageId,
    },
    /// The lease was extended.
    Extended {
        /// The message.
        id: MessageId,
        /// Milliseconds from now.
        lease_ms: u64,
    },
    /// A part of what waits.
    Listed {
        /// At most 64.
        waiting: Vec<Waiting>,
        /// Whether more parts follow.
        more: bool,
    },
    /// The claim was won; the parcel is too large for a frame and is fetched over HTTP.
    ClaimedLarge {
        /// The message.
        id: MessageId,
        /// Needed to acknowledge, extend or give back.
        token: Blob,
        /// Milliseconds from now.
        lease_ms: u64,
        /// The ticket under which it is fetched, encoded.
        ticket: Blob,
    },
    /// States of own messages.
    Status {
        /// One for each id, in their order.
        states: Vec<StatusEntry>,
    },
    /// A slot of an own message changed.
    Message {
        /// The message.
        id: MessageId,
        /// The change.
        state: Change,
        /// The live session, or the account, of the slot.
        target: TargetId,
        /// Whether the target is a live session.
        live: bool,
    },
    /// A safe was written; version 0 means that this one was not.
    Safe {
        /// Version of the key safe.
        version: u64,
        /// Version of the prekey safe.
        prekey_version: u64,
    },
    /// Another live session of this account published its first bundle; bundles fetched before lack it.
    Joined {},
    /// The answer to a ping.
    Pong {},
    /// A frame of an unknown kind; a client ignores it.
    #[serde(other, skip_serializing)]
    Unknown,
}

/// What a client asked for over the WebSocket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
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
    /// Leave to send what is too large for a frame.
    Ticket,
    /// List what waits.
    List,
    /// Read the frame at all.
    Frame,
}

/// A change of a slot, as its sender is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// It was claimed.
    Claimed,
    /// It was acknowledged and wiped.
    Acknowledged,
    /// It expired and was wiped.
    Expired,
    /// The recipient could not open it.
    CannotOpen,
    /// It waits again.
    Returned,
    /// It belongs to a live session that is gone.
    Left,
}

/// Who may claim a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum TargetKind {
    /// One live session.
    Live,
    /// Any session of the account; the first claim wins.
    Account,
}

/// A message that can be claimed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Waiting {
    /// The message.
    pub id: MessageId,
    /// Whether reading wipes it.
    pub burn: bool,
    /// Bytes of body and slot together.
    pub size: u64,
    /// Unix seconds.
    pub expires_at: u64,
    /// Who may claim the slot.
    pub target: TargetKind,
    /// The posting account, according to the server.
    pub from: UserId,
}

/// An unread message that only sessions which are gone could open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Stranded {
    /// The message.
    pub id: MessageId,
    /// The account that posted it.
    pub from: UserId,
}

/// The state of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum MessageState {
    /// It waits.
    Waiting,
    /// It was claimed.
    Claimed,
    /// It was acknowledged and wiped.
    Acknowledged,
    /// It expired and was wiped.
    Expired,
    /// The server does not know it.
    Unknown,
}

/// The state of one message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct StatusEntry {
    /// The message.
    pub id: MessageId,
    /// Its state.
    pub state: MessageState,
    /// Unix seconds; 0 where the message is unknown.
    pub expires_at: u64,
}
