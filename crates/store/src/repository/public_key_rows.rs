//! Rows of `public_keys`: the keys that are handed out for an account; they have a tag.

use async_trait::async_trait;

use crate::engine::sqlite::db::{Db, at};
use crate::fault::Fault;
use crate::public_keys::{PublicKeyDirectory, PublicKeys, StoredPublicKeys};
use crate::repository::Repository;
use crate::sealing::tags::Tagged;
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

/// Keys as they stand, and their tag.
type Stored = (StoredPublicKeys, Option<Vec<u8>>);

/// Reads keys; nothing is checked yet.
pub(crate) fn stored(db: Db<'_>, user: UserId) -> Result<Option<Stored>, Fault> {
    db.one(
        at("public_keys", user.as_bytes()),
        "SELECT identity_key, verify_key, account_keys, created_at, signed_prekey,
             quantum_public_key, tag FROM public_keys WHERE user_id = ?1",
        [user.as_bytes()],
        |row| {
            let stored = StoredPublicKeys {
                keys: PublicKeys {
                    identity_key: row.get(0)?,
                    verify_key: row.get(1)?,
                    account_keys: row.get(2)?,
                    created_at: row.get(3)?,
                },
                signed_prekey: row.get(4)?,
                quantum_public_key: row.get(5)?,
            };
            Ok((stored, row.get(6)?))
        },
    )
}

#[async_trait]
impl PublicKeyDirectory for Repository {
    async fn public_keys(&self, user: UserId) -> Result<Option<StoredPublicKeys>, Fault> {
        let Some((stored, tag)) = self.read(move |db| stored(db, user)).await? else {
            return Ok(None);
        };
        let keys = &stored.keys;
        let place = at("public_keys", user.as_bytes());
        let tags = &self.sealer.tags;
        tags.check(place, &BoundKeys { user, keys }, tag.as_deref())?;
        Ok(Some(stored))
    }
}
