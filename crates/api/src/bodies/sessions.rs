//! The sessions of an account, and the half of a resume wrap.

use serde::{Deserialize, Serialize};

use crate::ids::{SessionId, UserId};
use crate::{Blob, Role};

/// Who is signed in, and until when.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct CurrentSession {
    /// The session; a link is opened for it.
    pub session_id: SessionId,
    /// The account.
    pub user_id: UserId,
    /// Its handle.
    pub handle: String,
    /// The name that others see.
    pub alias: String,
    /// What it may do.
    pub role: Role,
    /// Unix seconds of the sign-in.
    pub created_at: u64,
    /// Unix seconds at which idleness ends the session.
    pub idle_expires_at: u64,
    /// Unix seconds at which it ends whatever happens.
    pub absolute_expires_at: u64,
}

/// One session of the account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Session {
    /// Names it for revocation.
    pub id: SessionId,
    /// Whether it is the one that asks.
    pub current: bool,
    /// Unix seconds.
    pub created_at: u64,
    /// Unix seconds.
    pub last_activity: u64,
    /// `passphrase`, `recovery` or `registration`.
    pub method: String,
    /// How the person calls the device.
    pub device_name: Option<String>,
    /// Address at sign-in.
    pub ip: String,
    /// Browser at sign-in.
    pub user_agent: String,
}

/// What ending every other session needs.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct RevokeOthers {
    /// From a re-authentication: whoever has a cookie alone must not put everybody else out.
    pub reauth_token: Blob,
}

/// The server's half of a resume wrap.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ResumeHalf {
    /// Random bytes of the client's.
    pub half: Blob,
}
