//! Messages over HTTP; their ciphertext travels as octets.

use serde::{Deserialize, Serialize};

use crate::Blob;
use crate::frames::{StatusEntry, Waiting};
use crate::ids::{LiveId, MessageId};

/// The live session that asks, in the address.
#[derive(Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ByLive {
    /// Its id.
    pub live_id: Option<LiveId>,
}

/// The token of a claim.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ClaimToken {
    /// Sixteen bytes.
    pub token: Blob,
}

/// A message that was taken.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Sent {
    /// Which.
    pub id: MessageId,
    /// Unix seconds.
    pub expires_at: u64,
}

/// What waits.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct WaitingList {
    /// The posters take turns; what is of one of them is in the order it was posted.
    pub waiting: Vec<Waiting>,
}

/// How long a claim still runs.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Lease {
    /// Milliseconds from now.
    pub lease_ms: u64,
}

/// Which messages are asked about.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct StatusQuestion {
    /// At most 256.
    pub ids: Vec<MessageId>,
}

/// What became of them.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct StatusAnswer {
    /// In the order of the question.
    pub states: Vec<StatusEntry>,
}
