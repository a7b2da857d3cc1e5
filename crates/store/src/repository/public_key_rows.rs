//! Rows of `public_keys`: the keys that are handed out for an account; they have a tag.

use async_trait::async_trait;

use crate::engine::Changes;
use crate::engine::place::at;
use crate::fault::Fault;
use crate::public_keys::{PublicKeyDirectory, PublicKeys, StoredPublicKeys};
use crate::repository::Repository;
use crate::sealing::tags::{Tagged, Tags};
use api::ids::UserId;

/// An account and its keys, as the tag covers them.
pub(crate) struct BoundKeys<'a> {
    pub user: UserId,
    pub keys: &'a PublicKeys,
}

impl Tagged for BoundKeys<'_> {
    const TABLE: &'static str = "public_keys";

    fn with_values<T>(&self, use_them: impl FnOnce(&[&[u8]]) -> T) -> T {
        use_them(&[
            self.user.as_bytes(),
            &self.keys.created_at.to_be_bytes(),
            &self.keys.identity_key,
            &self.keys.verify_key,
            &self.keys.account_keys,
        ])
    }
}

/// Writes keys with a new tag.
pub(crate) fn save_keys(
    rows: &dyn Changes,
    tags: &Tags,
    user: UserId,
    keys: &PublicKeys,
) -> Result<(), Fault> {
    rows.update_public_keys(&user, keys, &tags.of(&BoundKeys { user, keys }))
}

#[async_trait]
impl PublicKeyDirectory for Repository {
    async fn public_keys(&self, user: UserId) -> Result<Option<StoredPublicKeys>, Fault> {
        let Some((stored, tag)) = self.read(move |rows| rows.public_keys(&user)).await? else {
            return Ok(None);
        };
        let keys = &stored.keys;
        let place = at("public_keys", user.as_bytes());
        let tags = &self.sealer.tags;
        tags.check(place, &BoundKeys { user, keys }, tag.as_deref())?;
        Ok(Some(stored))
    }
}
