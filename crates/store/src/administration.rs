//! Administration of accounts: roles, activity, erasure, and links that make an administrator.

use std::fmt;

use async_trait::async_trait;

use crate::audit::AuditEvent;
use crate::fault::Fault;
use crate::intent::Intent;
use api::Role;
use api::ids::{SessionId, UserId};

/// Why an account was not changed.
#[derive(Debug, thiserror::Error)]
pub enum AccountChangeError {
    /// There is no such account.
    #[error("there is no such account: check the handle")]
    NoSuchUser,
    /// It is the last active administrator.
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
    /// When it expires, unix seconds.
    pub expires_at: u64,
}

impl fmt::Debug for AdminLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AdminLink")
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

/// Repository of the administration of accounts.
///
/// Each change writes the outcome of its intent in the same transaction, and only if it took place.
#[async_trait]
pub trait Administration: Send + Sync {
    /// Changes the role of an account.
    ///
    /// The last active administrator stays one.
    async fn set_role(
        &self,
        user: UserId,
        role: Role,
        intent: &Intent,
        now: u64,
    ) -> Result<(), AccountChangeError>;

    /// Enables or disables an account; a disabled one has no session afterwards.
    ///
    /// Returns the sessions that were ended. The last active administrator stays active.
    async fn set_active(
        &self,
        user: UserId,
        active: bool,
        intent: &Intent,
        now: u64,
    ) -> Result<Vec<SessionId>, AccountChangeError>;

    /// Erases an account and everything that is stored of it, with the key of its audit details.
    ///
    /// Its records stay in the log, which still verifies; their details cannot be read any more. Returns when no
    /// page of the file or its write-ahead log holds the erased data, unless a reader is still busy. The last
    /// active administrator stays.
    async fn erase_user(
        &self,
        user: UserId,
        intent: &Intent,
        now: u64,
    ) -> Result<(), AccountChangeError>;

    /// Erases an account on request of its owner, as [`Self::erase_user`] does, and writes `audit` in the same
    /// transaction.
    ///
    /// Details under the account's key cannot be read afterwards, so a readable record of the erasure has no
    /// `user_id`. Returns the sessions that were ended. The last active
    /// administrator stays.
    async fn erase_own_account(
        &self,
        user: UserId,
        audit: Vec<AuditEvent>,
    ) -> Result<Vec<SessionId>, AccountChangeError>;

    /// Keeps a link by which somebody registers as an administrator; an earlier one is replaced.
    async fn keep_admin_link(
        &self,
        link: AdminLink,
        intent: &Intent,
        now: u64,
    ) -> Result<(), Fault>;

    /// Returns whether a link is the stored one and has not expired.
    async fn admin_link_usable(&self, hash: [u8; 32], now: u64) -> Result<bool, Fault>;
}
