//! Invites: links that bring people to their maker.

use serde::{Deserialize, Serialize};

use crate::ids::{InviteCode, InviteHash};

/// An invite to be made.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct NewInvite {
    /// How often it may be used, 1 where nothing is said.
    pub max_uses: Option<u32>,
    /// Seconds that it is good for, a week where nothing is said.
    pub life: Option<u64>,
}

/// An invite that was made; the code is shown this once.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct InviteMade {
    /// For the page link `/i#<code>.<user id>.<fingerprint>`.
    pub code: InviteCode,
    /// Unix seconds.
    pub expires_at: u64,
}

/// An invite of one's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Invite {
    /// Names it for withdrawal; the code itself is not kept.
    pub id: InviteHash,
    /// Unix seconds.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schema(required = true))]
    pub created_at: u64,
    /// Unix seconds.
    pub expires_at: u64,
    /// How often it may be used.
    #[serde(default = "once")]
    #[cfg_attr(feature = "schema", schema(required = true))]
    pub max_uses: u32,
    /// How often it was used.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schema(required = true))]
    pub uses: u32,
}

const fn once() -> u32 {
    1
}

/// An invite to be used by somebody who has an account.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct UseInvite {
    /// The code in the link.
    pub code: InviteCode,
}
