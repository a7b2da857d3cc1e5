//! Invites: who may register while registration is by invitation, and whom a link brings to its maker.

use async_trait::async_trait;
use sha3::{Digest, Sha3_256};

use api::ids::{InviteCode, InviteHash, UserId};

use crate::audit::AuditEvent;
use crate::fault::Fault;

/// An invite.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invite {
    /// SHA3-256 of the code.
    pub code_hash: InviteHash,
    /// The account that made it.
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
    /// Returns whether it can still be used.
    pub fn is_usable(&self, now: u64) -> bool {
        self.uses < self.max_uses && now < self.expires_at
    }
}

/// Hashes an invite's code.
pub fn hash_invite_code(code: &InviteCode) -> InviteHash {
    InviteHash::from_bytes(Sha3_256::digest(code.as_bytes()).into())
}

/// One account's use of an invite.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InviteUse {
    /// The invite.
    pub code_hash: InviteHash,
    /// Who uses it.
    pub user: UserId,
    /// What is kept with the invite, so that the same account does not use it twice.
    ///
    /// It is a hash over the code and the account's id. The store does not keep the code: nobody can
    /// tell from its file who came by which invite.
    pub mark: [u8; 32],
}

impl InviteUse {
    /// The use of the invite with this code by this account.
    pub fn of(code: &InviteCode, user: UserId) -> Self {
        let mark = Sha3_256::new()
            .chain_update(b"secure-messaging/1 use of an invite")
            .chain_update(code.as_bytes())
            .chain_update(user.as_bytes());
        Self {
            code_hash: hash_invite_code(code),
            user,
            mark: mark.finalize().into(),
        }
    }
}

/// Why an invite was not used.
#[derive(Debug, thiserror::Error)]
pub enum UseInviteError {
    /// The invite is unknown, expired or used up.
    #[error("this invite cannot be used any more: ask for another")]
    Unusable,
    /// The account made this invite itself.
    #[error("this invite is your own: send it to somebody else")]
    Own,
    /// The store failed.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// Repository of invites. A registration uses one too: see [`crate::Users::register`].
#[async_trait]
pub trait Invites: Send + Sync {
    /// Stores a new invite; `uses` must be 0. `false` if the same code exists.
    async fn create_invite(&self, invite: Invite, audit: Vec<AuditEvent>) -> Result<bool, Fault>;

    /// Finds an invite, used up or not.
    async fn find_invite(&self, code: InviteHash) -> Result<Option<Invite>, Fault>;

    /// Takes one use of an invite for an account, and writes `audit` with it. `false` when this account
    /// used the invite before, which takes nothing and writes nothing.
    async fn use_invite(
        &self,
        invite: InviteUse,
        now: u64,
        audit: Vec<AuditEvent>,
    ) -> Result<bool, UseInviteError>;

    /// Invites of an account, newest first; a damaged one, which nobody can use, is left out.
    async fn list_invites(&self, user: UserId) -> Result<Vec<Invite>, Fault>;

    /// Withdraws an invite of this account; `false` when it has none with this hash.
    async fn delete_invite(
        &self,
        user: UserId,
        code: InviteHash,
        audit: Vec<AuditEvent>,
    ) -> Result<bool, Fault>;

    /// Deletes one chunk of expired invites; returns how many.
    async fn prune_invites(&self, now: u64) -> Result<u64, Fault>;
}
