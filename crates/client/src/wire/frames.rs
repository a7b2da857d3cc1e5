//! Text frames of the socket.

use serde::{Deserialize, Serialize};

use crate::id::Id;
use crate::wire::Blob;

/// What this side sends.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "t", rename_all = "snake_case")]
pub(crate) enum ClientFrame {
    /// Publish or replace the session bundle.
    Bundle { bundle: Blob },
    /// The keys are going: take the session bundle back, and what is held unread.
    Withdraw,
    /// Ask for a waiting message.
    Claim { id: Id },
    /// It was shown.
    Ack { id: Id, token: Blob },
    /// Keep the lease for another while.
    Extend { id: Id, token: Blob },
    /// It does not open.
    CannotOpen { id: Id, token: Blob },
    /// A person is here.
    Active,
    /// What became of these.
    Status { ids: Vec<Id> },
    /// Still there.
    Ping,
}

/// A message that waits for this account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Waiting {
    pub(crate) id: Id,
    #[serde(default)]
    pub(crate) burn: bool,
    #[serde(default)]
    pub(crate) size: u64,
    pub(crate) expires_at: u64,
    #[serde(default)]
    pub(crate) target: String,
    /// Who posted it, by the server's word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) from: Option<Id>,
}

/// A message that came to a session of ours that is gone, unread.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Stranded {
    pub(crate) id: Id,
    pub(crate) from: Id,
}

/// What became of one of the own messages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StatusEntry {
    pub(crate) id: Id,
    pub(crate) state: String,
    #[serde(default)]
    pub(crate) expires_at: Option<u64>,
}

/// What the server sends; unknown kinds are ignored.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "t", rename_all = "snake_case")]
pub(crate) enum ServerFrame {
    Hello {
        boot_id: Id,
        now: u64,
        waiting: Vec<Waiting>,
        #[serde(default)]
        more: bool,
        #[serde(default)]
        stranded: Vec<Stranded>,
    },
    Waiting(Waiting),
    Sent {
        id: Id,
        expires_at: u64,
    },
    SlotsAdded {
        id: Id,
    },
    Refused {
        re: String,
        #[serde(default)]
        id: Option<Id>,
        code: String,
        #[serde(default)]
        detail: String,
        #[serde(default)]
        retry_after: Option<u32>,
    },
    Acked {
        id: Id,
    },
    Extended {
        id: Id,
        lease_ms: u64,
    },
    ClaimedLarge {
        id: Id,
        token: Blob,
        lease_ms: u64,
    },
    Status {
        states: Vec<StatusEntry>,
    },
    Message {
        id: Id,
        state: String,
        #[serde(default)]
        target: Option<String>,
        #[serde(default)]
        live: bool,
    },
    Safe {
        version: u64,
        prekey_version: u64,
    },
    Joined,
    Pong,
    #[serde(other)]
    Unknown,
}
