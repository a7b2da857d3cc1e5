//! Accounts: registration, look-up, credentials.

use std::fmt;

use async_trait::async_trait;

use crate::audit::AuditEvent;
use crate::classes::Sensitive;
use crate::damage::Listed;
use crate::fault::Fault;
use crate::invites::{InviteUse, UseInviteError};
use crate::prekeys::NewBatch;
use crate::public_keys::PublicKeys;
use crate::safes::{PrekeySafe, SafeConflict, SafeWrite};
use crate::sessions::NewSession;
use api::Role;
use api::ids::{SessionId, UserId};

/// By what right somebody registers; checked and used up in the registration's transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// Registration is open; the caller has checked so.
    Open,
    /// One use of this invite is taken.
    Invite(InviteUse),
    /// The one-time set-up: makes an administrator, once, and sets registration to `invite`.
    Setup,
    /// The link of this hash, once: makes an administrator, and the first one is the set-up too.
    AdminLink([u8; 32]),
}

/// An account to be made.
pub struct NewUser {
    /// Chosen by the server at the start of the registration.
    pub user_id: UserId,
    /// The handle, already normalised (PRECIS `UsernameCaseMapped`).
    pub handle: Sensitive<String>,
    /// The name shown to others.
    pub alias: Sensitive<String>,
    /// The OPAQUE record, opaque here.
    pub opaque_record: Sensitive<Vec<u8>>,
    /// SHA3-512 fingerprint of the public keys, 64 bytes: `docs/protocol/accounts.md#identity`.
    pub fingerprint: Vec<u8>,
    /// Public keys.
    pub public_keys: PublicKeys,
    /// The client-sealed key safe with its wraps and proofs.
    pub safe: SafeWrite,
    /// The client-sealed prekey safe.
    pub prekey_safe: PrekeySafe,
    /// The first batch of prekeys.
    pub prekeys: NewBatch,
    /// Unix seconds.
    pub created_at: u64,
    /// By what right.
    pub admission: Admission,
}

/// An account, opened.
#[derive(Clone, PartialEq, Eq)]
pub struct UserRow {
    /// Identifier.
    pub user_id: UserId,
    /// Normalised handle.
    pub handle: String,
    /// The name shown to others.
    pub alias: String,
    /// 64 bytes.
    pub fingerprint: Vec<u8>,
    /// What the account may do.
    pub role: Role,
    /// Whether the account may sign in.
    pub active: bool,
    /// Unix seconds.
    pub created_at: u64,
    /// Unix seconds of the last sign-in, if there was one after the registration.
    pub last_login: Option<u64>,
}

impl fmt::Debug for UserRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserRow")
            .field("user_id", &self.user_id)
            .field("handle", &"[redacted]")
            .field("alias", &"[redacted]")
            .field("role", &self.role)
            .field("active", &self.active)
            .field("created_at", &self.created_at)
            .field("last_login", &self.last_login)
            .finish_non_exhaustive()
    }
}

/// What sign-in and recovery need, by handle.
#[derive(Clone, PartialEq, Eq)]
pub struct Credential {
    /// Whose.
    pub user_id: UserId,
    /// The OPAQUE record.
    pub opaque_record: Vec<u8>,
    /// SHA3-256 of the recovery proof; compare in constant time.
    pub recovery_proof_hash: [u8; 32],
    /// Whether the account may sign in.
    pub active: bool,
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credential")
            .field("user_id", &self.user_id)
            .finish_non_exhaustive()
    }
}

/// Which sessions a change of credentials leaves standing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeepSessions {
    /// Every one.
    All,
    /// This one only.
    Only(SessionId),
    /// None.
    None,
}

/// A passphrase change or a recovery: record and safes are replaced together.
pub struct CredentialChange {
    /// Whose.
    pub user_id: UserId,
    /// The new OPAQUE record.
    pub opaque_record: Sensitive<Vec<u8>>,
    /// Version of the key safe that is being replaced.
    pub expected_safe_version: u64,
    /// The new key safe, whose version is above the expected one.
    pub safe: SafeWrite,
    /// Version of the prekey safe that is being replaced.
    pub expected_prekey_version: u64,
    /// The new prekey safe.
    pub prekey_safe: PrekeySafe,
    /// Which sessions stay.
    pub keep: KeepSessions,
    /// A session to be made in the same transaction (recovery signs in).
    pub new_session: Option<NewSession>,
}

/// "New identity": public keys, prekeys and safes are replaced together.
pub struct IdentityChange {
    /// Whose.
    pub user_id: UserId,
    /// The new fingerprint, 64 bytes.
    pub fingerprint: Vec<u8>,
    /// The new public keys.
    pub public_keys: PublicKeys,
    /// The new batch; every earlier one is withdrawn.
    pub prekeys: NewBatch,
    /// Version of the key safe that is being replaced.
    pub expected_safe_version: u64,
    /// The new key safe.
    pub safe: SafeWrite,
    /// Version of the prekey safe that is being replaced.
    pub expected_prekey_version: u64,
    /// The new prekey safe.
    pub prekey_safe: PrekeySafe,
}

/// Why a registration was refused.
#[derive(Debug, thiserror::Error)]
pub enum RegisterError {
    /// Somebody has this handle.
    #[error("this handle is taken: choose another")]
    HandleTaken,
    /// An account with this id exists: the registration was finished before.
    #[error("this registration was finished before: sign in instead")]
    AlreadyRegistered,
    /// The invite is unknown, expired or used up.
    #[error("this invite cannot be used any more: ask for another")]
    InviteUnusable,
    /// The one-time set-up has been done.
    #[error("the server has been set up already: register or sign in the ordinary way")]
    AlreadySetUp,
    /// The link to become an administrator is unknown, expired or used up.
    #[error(
        "this set-up link was used, is older than a day, was replaced or is for another handle: \
         ask for a new one"
    )]
    AdminLinkUnusable,
    /// The store failed.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl From<UseInviteError> for RegisterError {
    fn from(error: UseInviteError) -> Self {
        match error {
            UseInviteError::Unusable | UseInviteError::Own => Self::InviteUnusable,
            UseInviteError::Fault(fault) => Self::Fault(fault),
        }
    }
}

/// Why credentials or an identity were not replaced.
#[derive(Debug, thiserror::Error)]
pub enum ReplaceError {
    /// There is no such account.
    #[error("there is no such account")]
    NoSuchUser,
    /// Another tab wrote one of the safes first: merge and try again.
    #[error("another session wrote the key safe first: merge with it and try again")]
    Conflict(SafeConflict),
    /// A new version is not above the expected one.
    #[error("a safe's version must grow: write one above the version that was read")]
    VersionNotAbove,
    /// A batch number that is not above the stored one.
    #[error("the batch number {found} is not above the stored {stored}: count on from there")]
    StaleBatch {
        /// Number in the request.
        found: u64,
        /// Number in the store.
        stored: u64,
    },
    /// The store failed.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// Repository of accounts.
///
/// Whatever takes `audit` writes those events in the same transaction as the change, and only when
/// the change took place.
#[async_trait]
pub trait Users: Send + Sync {
    /// Makes an account with its keys, safes, prekeys and first session in one transaction.
    async fn register(
        &self,
        user: NewUser,
        session: NewSession,
        audit: Vec<AuditEvent>,
    ) -> Result<Role, RegisterError>;

    /// Whether a handle is taken.
    async fn handle_taken(&self, handle: &str) -> Result<bool, Fault>;

    /// Finds an account by its normalised handle.
    async fn user_by_handle(&self, handle: &str) -> Result<Option<UserRow>, Fault>;

    /// Finds an account by its id.
    async fn user_by_id(&self, user: UserId) -> Result<Option<UserRow>, Fault>;

    /// What sign-in and recovery need.
    async fn credential(&self, handle: &str) -> Result<Option<Credential>, Fault>;

    /// The same by id, for re-authentication.
    async fn credential_by_id(&self, user: UserId) -> Result<Option<Credential>, Fault>;

    /// Replaces OPAQUE record and safes; answers with the sessions that were ended.
    async fn replace_credentials(
        &self,
        change: CredentialChange,
        audit: Vec<AuditEvent>,
    ) -> Result<Vec<SessionId>, ReplaceError>;

    /// Replaces public keys, prekeys and safes.
    async fn replace_identity(
        &self,
        change: IdentityChange,
        audit: Vec<AuditEvent>,
    ) -> Result<(), ReplaceError>;

    /// Changes the name shown to others; `false` when there is no such account.
    async fn set_alias(
        &self,
        user: UserId,
        alias: Sensitive<String>,
        audit: Vec<AuditEvent>,
    ) -> Result<bool, Fault>;

    /// Notes a sign-in; `false` when there is no such account. Making a session does so as well.
    async fn touch_last_login(&self, user: UserId, now: u64) -> Result<bool, Fault>;

    /// Accounts in order of creation, after the given one, at most `limit` (capped at 500); a
    /// damaged one is in its place, and the others go on. A replica may answer.
    async fn list_users(
        &self,
        after: Option<UserId>,
        limit: u32,
    ) -> Result<Vec<(UserId, Listed<UserRow>)>, Fault>;
}
