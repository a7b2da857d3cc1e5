//! Rows of `key_safes`, `safe_wraps` and `prekey_safes`.

use crate::classes::Sealed;
use crate::engine::Answer;
use crate::safes::SafeKind;
use api::WrapKind;
use api::ids::{UserId, WrapId};

/// A safe's data, sealed.
pub(crate) struct SealedSafe {
    pub user: UserId,
    pub kind: SafeKind,
    pub version: u64,
    pub data: Sealed,
}

/// A wrap of the safe key, sealed with the time of its making.
pub(crate) struct SealedWrap {
    pub id: WrapId,
    pub kind: WrapKind,
    pub sealed: Sealed,
}

/// Both safes of an account, read at one moment.
pub(crate) struct BothSafes {
    pub keys: SealedSafe,
    /// `None` after a restore.
    pub prekeys: Option<SealedSafe>,
}

/// Reads safes.
pub(crate) trait SafeRows {
    fn safe(&self, user: &UserId, kind: SafeKind) -> Answer<Option<SealedSafe>>;

    fn both_safes(&self, user: &UserId) -> Answer<Option<BothSafes>>;

    /// The wraps of an account, in the order of their writing.
    fn wraps(&self, user: &UserId) -> Answer<Vec<SealedWrap>>;

    /// Some of what an older schema kept, behind an account: both wraps of an account in one value. `None` if
    /// all of it was carried over.
    fn joined_wraps(
        &self,
        after: Option<UserId>,
        limit: usize,
    ) -> Answer<Option<Vec<(UserId, Sealed)>>>;
}

/// Changes safes.
pub(crate) trait SafeChanges {
    fn insert_key_safe(&self, safe: &SealedSafe) -> Answer;

    fn insert_prekey_safe(&self, safe: &SealedSafe) -> Answer;

    /// Replaces a safe's data if it has the expected version; `false` if it has not.
    fn swap_safe(&self, safe: &SealedSafe, expected: u64) -> Answer<bool>;

    /// Writes a wrap in the place of those of its kind.
    fn replace_wrap(&self, user: &UserId, wrap: &SealedWrap) -> Answer;

    fn delete_joined_wraps(&self, user: &UserId) -> Answer;

    /// Says that everything was carried over.
    fn drop_joined_wraps(&self) -> Answer;

    fn delete_all_prekey_safes(&self) -> Answer;
}
