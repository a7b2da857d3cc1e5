//! What can be set for the account, for a chat and for a message.

use serde::{Deserialize, Serialize};

/// When the text of a message goes after it was read.
///
/// JSON: `"never"`, `"on_read"` or `{"after":30}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Burn {
    /// It stays in open tabs until lock, sign-out or closing.
    #[default]
    Never,
    /// It is shown once, to one session, and goes when it is hidden, at the latest two minutes later.
    OnRead,
    /// It is shown to one session and goes this many seconds (1 to 86,400) after it was shown.
    After(u32),
}

/// Changes of the account's settings; what is left out stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SettingsChange {
    /// Whether read receipts are sent at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub receipts: Option<bool>,
    /// Whether others see typing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub typing: Option<bool>,
    /// Idle seconds until the lock, 60 to 1,800; 0 means only the server's 30 minutes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lock_after_secs: Option<u32>,
    /// The life of a message when nothing else is said, 5 s to 604,800 s.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub life_secs: Option<u32>,
    /// The burn rule when nothing else is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub burn: Option<Burn>,
}

/// Changes of one chat's settings; what is left out stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ChatChange {
    /// Whether read receipts are sent in this chat.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub receipts: Option<bool>,
    /// Whether the chat makes no badge.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub muted: Option<bool>,
    /// Whether texts go to live sessions or nowhere: then nobody who learns the passphrase later can
    /// open a recording of one, and what is not read while both are there is lost.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub live_only: Option<bool>,
    /// The life of a message in this chat, 5 s to 604,800 s.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub life_secs: Option<u32>,
    /// The burn rule of this chat.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub burn: Option<Burn>,
}
