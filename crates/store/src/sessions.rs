//! Cookie sessions.

use api::Action;
use std::fmt;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::audit::AuditEvent;
use crate::damage::Listed;
use crate::fault::Fault;
use api::ids::{SessionId, UserId};

/// What is sealed of a session.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SessionDetails {
    /// Address of the client.
    pub ip: String,
    /// As the client names itself.
    pub user_agent: String,
    /// Unix seconds.
    pub signed_in_at: u64,
    /// How: `passphrase`, `recovery`, `registration`.
    pub method: String,
    /// As the person named the device.
    pub device_name: Option<String>,
}

impl fmt::Debug for SessionDetails {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionDetails([redacted])")
    }
}

/// A session to be made.
#[derive(Debug, Clone)]
pub struct NewSession {
    /// SHA3-256 of the cookie's secret.
    pub session_id: SessionId,
    /// Whose.
    pub user_id: UserId,
    /// Unix seconds.
    pub created_at: u64,
    /// Unix seconds: idle expiry, never past the absolute one.
    pub expires_at: u64,
    /// Unix seconds after which no activity helps.
    pub absolute_expires_at: u64,
    /// Sealed.
    pub details: SessionDetails,
}

/// A session, opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionRow {
    /// SHA3-256 of the cookie's secret.
    pub session_id: SessionId,
    /// Whose.
    pub user_id: UserId,
    /// Unix seconds.
    pub created_at: u64,
    /// Unix seconds.
    pub expires_at: u64,
    /// Unix seconds.
    pub absolute_expires_at: u64,
    /// Unix seconds.
    pub last_activity: u64,
    /// What was sealed.
    pub details: SessionDetails,
}

/// Why a session was not made.
#[derive(Debug, thiserror::Error)]
pub enum CreateSessionError {
    /// There is no such account, or it may not sign in.
    #[error("this account cannot sign in: ask an administrator")]
    NotAllowed,
    /// A session with this id exists.
    #[error("a session with this id exists: draw another secret")]
    Duplicate,
    /// The store failed.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// One chunk of expired sessions that were deleted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExpiredChunk {
    /// Who lost which session; close their sockets.
    pub sessions: Vec<(SessionId, UserId)>,
    /// Whether to call again.
    pub more: bool,
}

/// How many seconds after now a session may have begun: one of later began while the clock was ahead,
/// and its end is not where it should be.
pub const CLOCK_TOLERANCE_SECS: u64 = 300;

/// Action of the audit record that the store itself writes for each expired session.
pub const SESSION_EXPIRED: &str = Action::SessionExpired.as_str();

/// Repository of sessions.
#[async_trait]
pub trait Sessions: Send + Sync {
    /// Makes a session and notes the sign-in with the account.
    async fn create_session(
        &self,
        session: NewSession,
        audit: Vec<AuditEvent>,
    ) -> Result<(), CreateSessionError>;

    /// Finds a session that has not expired at `now`.
    async fn find_session(&self, id: SessionId, now: u64) -> Result<Option<SessionRow>, Fault>;

    /// Moves activity and expiry; `false` when the session is gone, which never brings it back.
    ///
    /// The expiry written is never past the session's absolute one and neither time goes back.
    async fn touch_session(&self, id: SessionId, now: u64, expires_at: u64) -> Result<bool, Fault>;

    /// Ends a session of this account; `false` when it has none with this id.
    async fn delete_session(
        &self,
        owner: UserId,
        id: SessionId,
        audit: Vec<AuditEvent>,
    ) -> Result<bool, Fault>;

    /// Ends every session of an account but one; answers with those that went.
    async fn delete_other_sessions(
        &self,
        user: UserId,
        keep: Option<SessionId>,
        audit: Vec<AuditEvent>,
    ) -> Result<Vec<SessionId>, Fault>;

    /// Sessions of an account that have not expired, newest first; a damaged one is in its place, and
    /// the others go on.
    async fn list_sessions(
        &self,
        user: UserId,
        now: u64,
    ) -> Result<Vec<(SessionId, Listed<SessionRow>)>, Fault>;

    /// Ends one chunk of sessions that have expired, or that began in the future, each with its
    /// [`SESSION_EXPIRED`] record.
    ///
    /// A chunk keeps the writer for at most about 10 ms, so that requests go on in between.
    async fn delete_expired_sessions(&self, now: u64) -> Result<ExpiredChunk, Fault>;
}
