//! Figures, accounts and who may register, for administrators.

use serde::{Deserialize, Serialize};

use crate::ids::{BootId, UserId};
use crate::{RegistrationMode, Role};

/// Figures of the server; none says who talks to whom.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Figures {
    /// Accounts.
    pub users: u64,
    /// Sessions that have not expired.
    pub active_sessions: u64,
    /// Connected sockets.
    pub open_sockets: u64,
    /// Records of the audit log.
    pub audit_records: u64,
    /// Invites that can be used.
    pub open_invites: u64,
    /// Messages that wait or are being read.
    pub messages_held: u64,
    /// Their bytes.
    pub bytes_held: u64,
    /// Unix seconds at which the next message or lease ends.
    pub next_expiry: Option<u64>,
    /// Unix seconds at which the next session expires.
    pub next_session_expiry: Option<u64>,
    /// Bytes of the database file.
    pub database_bytes: u64,
    /// Who may register.
    pub registration: RegistrationMode,
    /// Which start of the server this is.
    pub boot_id: BootId,
    /// Unix seconds of the start.
    pub started_at: u64,
}

/// Who may register from now on.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct RegistrationChoice {
    /// The mode.
    pub mode: RegistrationMode,
}

/// Which accounts are wanted, in the address.
#[derive(Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct AccountsWanted {
    /// After this account.
    pub after: Option<UserId>,
    /// How many, at most 500.
    pub limit: Option<u32>,
}

/// One account.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Account {
    /// The account.
    pub user_id: UserId,
    /// Its handle.
    pub handle: String,
    /// Its name.
    pub alias: String,
    /// What it may do.
    pub role: Role,
    /// Whether it may sign in.
    pub active: bool,
    /// Unix seconds.
    pub created_at: u64,
    /// Unix seconds.
    pub last_login: Option<u64>,
}

/// An account whose row does not open, or was changed in the file.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct DamagedAccount {
    /// The account.
    pub user_id: UserId,
    /// What did not fit.
    pub reason: String,
}

/// A page of accounts in the order they were made.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Accounts {
    /// The accounts.
    pub users: Vec<Account>,
    /// Accounts of this page whose rows are damaged: nobody can sign in to them.
    pub damaged: Vec<DamagedAccount>,
    /// The `after` of the next page, if there is one.
    pub next: Option<UserId>,
}
