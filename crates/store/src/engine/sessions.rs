//! Rows of `sessions`.

use crate::classes::Sealed;
use crate::engine::Answer;
use api::ids::{SessionId, UserId};

/// A session with its details, sealed; the other values have a tag.
pub(crate) struct RawSession {
    pub session_id: [u8; 32],
    pub user_id: [u8; 16],
    pub created_at: u64,
    pub expires_at: u64,
    pub absolute_expires_at: u64,
    pub last_activity: u64,
    pub data: Sealed,
    pub tag: Option<Vec<u8>>,
}

/// Reads sessions.
pub(crate) trait SessionRows {
    fn session(&self, id: &SessionId) -> Answer<Option<RawSession>>;

    /// Every session, with a fault in the place of one that cannot be read.
    fn sessions(&self) -> Answer<Vec<Answer<RawSession>>>;

    /// Sessions of an account that have not expired, newest first.
    fn sessions_of(&self, user: &UserId, now: u64) -> Answer<Vec<(SessionId, Answer<RawSession>)>>;

    /// Sessions that have expired, and then those that began after `future`.
    fn ended_sessions(
        &self,
        now: u64,
        future: u64,
        limit: usize,
    ) -> Answer<Vec<(SessionId, UserId)>>;
}

/// Changes sessions.
pub(crate) trait SessionChanges {
    /// Inserts a session; `false` if there is one with this id.
    fn insert_session(&self, session: &RawSession) -> Answer<bool>;

    /// Writes activity, expiry and tag; `false` if it is gone.
    fn update_session(&self, session: &RawSession) -> Answer<bool>;

    /// Deletes a session of this account; `false` if it has none with this id.
    fn delete_session(&self, owner: &UserId, id: &SessionId) -> Answer<bool>;

    /// Deletes the sessions of an account but one; returns those that went.
    fn delete_other_sessions(
        &self,
        user: &UserId,
        keep: Option<&SessionId>,
    ) -> Answer<Vec<SessionId>>;

    /// Deletes a session if it is still one of [`SessionRows::ended_sessions`].
    fn delete_ended_session(&self, id: &SessionId, now: u64, future: u64) -> Answer<bool>;

    fn delete_all_sessions(&self) -> Answer;
}
