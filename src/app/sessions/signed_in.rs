//! Proof that a call has a session that has not ended.

use std::sync::Arc;

use store::{Fault, SessionId, UserId};

use super::{LiveSession, Registry};

/// A session that has not ended; only the check can make one.
#[derive(Debug, Clone)]
pub struct SignedIn(Arc<LiveSession>);

impl SignedIn {
    /// Looks for the session of this id.
    pub async fn check(sessions: &Registry, id: SessionId) -> Result<Option<Self>, Fault> {
        Ok(sessions.find(id).await?.map(Self))
    }

    /// Returns the session.
    pub fn session(&self) -> &Arc<LiveSession> {
        &self.0
    }

    /// Returns the account.
    pub fn user_id(&self) -> UserId {
        self.0.user_id()
    }

    /// Returns the account's bytes, as the limits count them.
    pub fn key(&self) -> [u8; 16] {
        *self.0.user_id().as_bytes()
    }

    #[cfg(test)]
    pub(crate) fn for_test(session: Arc<LiveSession>) -> Self {
        Self(session)
    }
}
