//! Invites: who may register while registration is by invitation.

use async_trait::async_trait;

use crate::audit::AuditEvent;
use crate::fault::Fault;
use crate::ids::{InviteHash, UserId};

/// An invite.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invite {
    /// SHA3-256 of the code.
    pub code_hash: InviteHash,
    /// Who made it.
    pub created_by: UserId,
    /// Unix seconds.
    pub created_at: u64,
    /// Unix seconds.
    pub expires_at: u64,
    /// How often it may be used.
    pub max_uses: u32,
    /// How often it was used.
    pub uses: u32,
}

impl Invite {
    /// Whether somebody may still register with it.
    pub fn is_usable(&self, now: u64) -> bool {
        self.uses < self.max_uses && now < self.expires_at
    }
}

/// Repository of invites. A registration uses one up: see [`crate::Users::register`].
#[async_trait]
pub trait Invites: Send + Sync {
    /// Keeps a new invite; `uses` must be 0. `false` when the same code exists.
    async fn create_invite(&self, invite: Invite, audit: Vec<AuditEvent>) -> Result<bool, Fault>;

    /// Finds an invite, used up or not.
    async fn find_invite(&self, code: InviteHash) -> Result<Option<Invite>, Fault>;

    /// Invites of an account, newest first; a damaged one, which nobody can use, is left out.
    async fn list_invites(&self, user: UserId) -> Result<Vec<Invite>, Fault>;

    /// Withdraws an invite of this account; `false` when it has none with this hash.
    async fn delete_invite(
        &self,
        user: UserId,
        code: InviteHash,
        audit: Vec<AuditEvent>,
    ) -> Result<bool, Fault>;

    /// Forgets one chunk of expired invites; answers how many went.
    async fn prune_invites(&self, now: u64) -> Result<u64, Fault>;
}
