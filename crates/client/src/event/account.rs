//! The server, the account and other people, as tabs show them.

use api::RegistrationMode;
use api::ids::BootId;
use serde::{Deserialize, Serialize};

use crate::command::Burn;
use crate::id::{ConversationId, UserId};

/// What the server says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerView {
    /// The server's version.
    pub version: String,
    /// Who may register.
    pub registration: RegistrationMode,
    /// Whether the first administrator exists.
    pub setup_done: bool,
    /// Hash of the page bundle the server says it serves.
    pub bundle_hash: Option<String>,
    /// Random id of this run of the server.
    pub boot_id: BootId,
    /// Of when the backup is that the server came out of, as it says, unix seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restored_at: Option<u64>,
    /// This device's clock minus the server's, in seconds; warn beyond 3,600 either way.
    pub clock_skew_secs: i64,
}

/// Where the person stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Nothing is known yet.
    Starting,
    /// No session.
    SignedOut,
    /// A session, but no keys in memory: ask for the passphrase.
    Locked,
    /// A session and keys.
    Unlocked,
}

/// The phase, why it is so, and whose account it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StateView {
    /// The phase.
    pub state: Phase,
    /// Why: `user`, `idle`, `expired`, `reload`, `recovered`, `registered`, `started`,
    /// `deleted`.
    pub reason: String,
    /// The account when there is one.
    pub me: Option<Me>,
    /// What was not sent when the account locked; it is sent when it is unlocked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unsent: Vec<UnsentView>,
}

/// Messages to somebody that were not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnsentView {
    /// The chat.
    pub chat: ConversationId,
    /// How many.
    pub messages: u32,
}

/// The account that is signed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Me {
    /// The user id.
    pub user_id: UserId,
    /// The handle.
    pub handle: String,
    /// The name others see.
    pub alias: String,
    /// `user` or `admin`.
    pub role: String,
}

/// The account's settings, kept in the key safe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettingsView {
    /// Whether read receipts are sent at all.
    pub receipts: bool,
    /// Whether others see typing.
    pub typing: bool,
    /// Idle seconds until the lock; 0 means only the server's 30 minutes.
    pub lock_after_secs: u32,
    /// Default life of a message, seconds.
    pub life_secs: u32,
    /// Default burn rule.
    pub burn: Burn,
}

/// Somebody, without any judgement on their keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonView {
    /// The user id.
    pub user_id: UserId,
    /// The handle.
    pub handle: String,
    /// The name they chose.
    pub alias: String,
    /// `none`, `requested`, `contact`, `asking` (they wait for our answer), `blocked` or `self`.
    pub relation: String,
}
