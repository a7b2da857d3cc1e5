//! Rows of `key_safes` and `prekey_safes`.

use crate::classes::Sealed;
use crate::engine::Answer;
use crate::safes::SafeKind;
use api::ids::UserId;

/// A safe's data, sealed.
pub(crate) struct SealedSafe {
    pub user: UserId,
    pub kind: SafeKind,
    pub version: u64,
    pub data: Sealed,
}

/// Both safes of an account, read at one moment.
pub(crate) struct BothSafes {
    pub keys: SealedSafe,
    pub wraps: Sealed,
    /// `None` after a restore.
    pub prekeys: Option<SealedSafe>,
}

/// Reads safes.
pub(crate) trait SafeRows {
    fn safe(&self, user: &UserId, kind: SafeKind) -> Answer<Option<SealedSafe>>;

    fn both_safes(&self, user: &UserId) -> Answer<Option<BothSafes>>;
}

/// Changes safes.
pub(crate) trait SafeChanges {
    fn insert_key_safe(&self, safe: &SealedSafe, wraps: &Sealed) -> Answer;

    fn insert_prekey_safe(&self, safe: &SealedSafe) -> Answer;

    /// Replaces a safe's data if it has the expected version; `false` if it has not.
    fn swap_safe(&self, safe: &SealedSafe, expected: u64) -> Answer<bool>;

    fn set_wraps(&self, user: &UserId, wraps: &Sealed) -> Answer;

    fn delete_all_prekey_safes(&self) -> Answer;
}
