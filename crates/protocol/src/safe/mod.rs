//! The key safe and the prekey safe: two sealed objects of each account, and the wraps of the
//! key that seals them.
//!
//! Specification: `docs/protocol/accounts.md#key-safe`.

mod bound;
mod contact;
mod contents;
mod key;
mod mark;
mod pin;
mod prekey_entry;
mod prekey_safe;
mod recovery;
mod seal;
mod settings;
mod stamped;
mod unsent;
mod wraps;

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod hostile;

pub use bound::check_bound;
pub use contact::{Contact, ContactState};
pub use contents::{MergeReport, SafeContents};
pub use key::{SafeKey, WriteProof, proof_hash};
pub use mark::SafeMark;
pub use pin::{Pin, PinConflict};
pub use prekey_entry::{KEEP_SECS, PrekeyEntry, QUIET_SECS};
pub use prekey_safe::PrekeySafe;
pub use recovery::{RecoveryAnchor, RecoveryPublic};
pub use seal::{PAD_STEP, open_prekey_safe, open_safe, seal_prekey_safe, seal_safe};
pub use settings::Settings;
pub use stamped::Stamped;
pub use unsent::{UnsentFront, open_unsent, seal_unsent};
pub use wraps::{
    ResumeHalf, passphrase_unwrap, passphrase_wrap, recovery_unwrap, recovery_wrap, resume_unwrap,
    resume_wrap,
};

use crate::codec::DecodeError;

/// Why a safe or a wrap is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SafeError {
    /// The bytes, or the contents, are not such an object.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// The seal does not open: another key, account or version, or changed bytes.
    #[error("the safe does not open with this key and version; fetch it again or recover")]
    BadSeal,
    /// The wrap does not open: another passphrase, recovery key or account.
    #[error("this does not open the account's keys; try another passphrase or recovery key")]
    BadWrap,
    /// An older version than one that this browser saw.
    #[error("the server offers version {got} of the safe, but {seen} was seen; do not use it")]
    RolledBack {
        /// The highest version seen.
        seen: u64,
        /// The version that was offered.
        got: u64,
    },
    /// The version that this browser saw, with other bytes.
    #[error("the server offers another safe under version {version}; do not use it")]
    Forked {
        /// The version in question.
        version: u64,
    },
}
