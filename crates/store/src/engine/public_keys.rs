//! Rows of `public_keys`.

use crate::engine::Answer;
use crate::public_keys::{PublicKeys, StoredPublicKeys};
use api::ids::UserId;

/// Reads public keys.
pub(crate) trait PublicKeyRows {
    /// Keys as they stand, and their tag.
    fn public_keys(&self, user: &UserId) -> Answer<Option<(StoredPublicKeys, Option<Vec<u8>>)>>;

    fn public_key_owners(&self) -> Answer<Vec<UserId>>;
}

/// Changes public keys.
pub(crate) trait PublicKeyChanges {
    fn insert_public_keys(&self, user: &UserId, stored: &StoredPublicKeys, tag: &[u8]) -> Answer;

    /// Replaces the account's own keys and their tag.
    fn update_public_keys(&self, user: &UserId, keys: &PublicKeys, tag: &[u8]) -> Answer;

    /// Replaces the halves of the last-resort pair; `false` if there is no such account.
    fn set_last_resort_pair(
        &self,
        user: &UserId,
        signed_prekey: &[u8],
        quantum_public_key: &[u8],
    ) -> Answer<bool>;
}
