//! The trait of the server's halves of resume wraps.

use zeroize::Zeroizing;

use crate::{Answer, SessionId};

/// Keeps the server's half of a session's resume wrap, which is never written to a disk and is
/// overwritten when it ends.
pub trait ResumeHalves: Send + Sync {
    /// Keeps a session's half, in place of one before, until this unix second at most.
    fn keep(&self, session: SessionId, half: Zeroizing<Vec<u8>>, until: u64) -> Answer<'_, ()>;

    /// Returns a session's half.
    fn half(&self, session: SessionId) -> Answer<'_, Option<Zeroizing<Vec<u8>>>>;

    /// Erases the halves of sessions.
    fn erase(&self, sessions: &[SessionId]) -> Answer<'_, ()>;
}
