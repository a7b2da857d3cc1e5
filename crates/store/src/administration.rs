//! What administrators do to accounts: roles, activity, erasure, and links that make an administrator.

use std::fmt;

use async_trait::async_trait;

use crate::audit::AuditEvent;
use crate::fault::Fault;
use crate::intent::Intent;
use crate::users::Role;
use api::ids::{SessionId, UserId};

/// Why an account was not changed.
#[derive(Debug, thiserror::Error)]
pub enum AccountChangeError {
    /// There is no such account.
    #[error("there is no such account: check the handle")]
    NoSuchUser,
    /// Nobody could administer the server afterwards.
    #[error("this is the last active administrator: promote or create another one first")]
    LastAdministrator,
    /// The store failed.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// A link by which somebody registers as an administrator, as the store keeps it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct AdminLink {
    /// Hash of the link's secret and the handle that it is for.
    pub hash: [u8; 32],
    /// Unix seconds from which on it is no longer good.
    pub expires_at: u64,
}

impl fmt::Debug for AdminLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AdminLink")
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

/// Repository of what administrators do to accounts.
///
/// Each change writes the outcome of its intent in the same transaction, and only when it took
/// place.
#[async_trait]
pub trait Administration: Send + Sync {
    /// Changes what an account may do.
    ///
    /// The last active administrator stays one.
    async fn set_role(
        &self,
        user: UserId,
        role: Role,
        intent: &Intent,
        now: u64,
    ) -> Result<(), AccountChangeError>;

    /// Lets an account sign in or not; one that may not has no session afterwards.
    ///
    /// Answers with the sessions that were ended. The last active administrator stays active.
    async fn set_active(
        &self,
        user: UserId,
        active: bool,
        intent: &Intent,
        now: u64,
    ) -> Result<Vec<SessionId>, AccountChangeError>;

    /// Erases an account: everything that is kept of it goes, with the key of its audit details.
    ///
    /// Its records stay in the log, which still verifies, and nobody can read what they say any more.
    /// Answers when no page of the file or its write-ahead log holds what went, except where a reader
    /// is in the middle of something. The last active administrator stays.
    async fn erase_user(
        &self,
        user: UserId,
        intent: &Intent,
        now: u64,
    ) -> Result<(), AccountChangeError>;

    /// Erases an account because its owner wants it gone, as [`Self::erase_user`] does, and writes
    /// `audit` in the same transaction.
    ///
    /// Nobody can read what the log says of the account afterwards, so what is to be read of the
    /// erasure has no `user_id`. Answers with the sessions that were ended. The last active
    /// administrator stays.
    async fn erase_own_account(
        &self,
        user: UserId,
        audit: Vec<AuditEvent>,
    ) -> Result<Vec<SessionId>, AccountChangeError>;

    /// Counts the changes of roles and activity and the erasures, so that another process notices one.
    async fn account_changes(&self) -> Result<u64, Fault>;

    /// Keeps a link by which somebody registers as an administrator; an earlier one is replaced.
    async fn keep_admin_link(
        &self,
        link: AdminLink,
        intent: &Intent,
        now: u64,
    ) -> Result<(), Fault>;

    /// Whether a link is the one that is kept, and still good.
    async fn admin_link_usable(&self, hash: [u8; 32], now: u64) -> Result<bool, Fault>;
}
