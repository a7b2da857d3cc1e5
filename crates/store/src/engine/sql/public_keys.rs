//! Statements about `public_keys`.

use crate::classes::Public;
use crate::engine::Answer;
use crate::engine::place::{at, many};
use crate::engine::public_keys::{PublicKeyChanges, PublicKeyRows};
use crate::engine::sql::{Hold, Sql};
use crate::public_keys::{PublicKeys, StoredPublicKeys};
use api::ids::UserId;

impl<D: Sql> PublicKeyRows for D {
    fn public_keys(&self, user: &UserId) -> Answer<Option<(StoredPublicKeys, Option<Vec<u8>>)>> {
        let sql = format!(
            "SELECT identity_key, verify_key, account_keys, created_at, signed_prekey,
                 quantum_public_key, tag FROM public_keys WHERE user_id = ?1{}",
            self.hold(Hold::Alone)
        );
        self.one(
            at("public_keys", user.as_bytes()),
            &sql,
            &[&user.as_bytes()],
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

    fn public_key_owners(&self) -> Answer<Vec<UserId>> {
        let sql = "SELECT user_id FROM public_keys";
        self.all(many("public_keys"), sql, &[], |row| {
            Ok(UserId::from_bytes(row.get(0)?))
        })
    }
}

impl<D: Sql> PublicKeyChanges for D {
    fn insert_public_keys(&self, user: &UserId, stored: &StoredPublicKeys, tag: &[u8]) -> Answer {
        let id = user.as_bytes();
        let keys = &stored.keys;
        self.run(
            at("public_keys", id),
            "INSERT INTO public_keys (user_id, created_at, identity_key, signed_prekey, verify_key,
                 quantum_public_key, account_keys, tag) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            &[
                &id,
                &keys.created_at,
                &Public(&keys.identity_key),
                &Public(&stored.signed_prekey),
                &Public(&keys.verify_key),
                &Public(&stored.quantum_public_key),
                &Public(&keys.account_keys),
                &Public(tag),
            ],
        )
    }

    fn update_public_keys(&self, user: &UserId, keys: &PublicKeys, tag: &[u8]) -> Answer {
        let id = user.as_bytes();
        self.run(
            at("public_keys", id),
            "UPDATE public_keys SET created_at = ?1, identity_key = ?2, verify_key = ?3,
                 account_keys = ?4, tag = ?5 WHERE user_id = ?6",
            &[
                &keys.created_at,
                &Public(&keys.identity_key),
                &Public(&keys.verify_key),
                &Public(&keys.account_keys),
                &Public(tag),
                &id,
            ],
        )
    }

    fn set_last_resort_pair(
        &self,
        user: &UserId,
        signed_prekey: &[u8],
        quantum_public_key: &[u8],
    ) -> Answer<bool> {
        let id = user.as_bytes();
        self.changed(
            at("public_keys", id),
            "UPDATE public_keys SET signed_prekey = ?1, quantum_public_key = ?2 WHERE user_id = ?3",
            &[&Public(signed_prekey), &Public(quantum_public_key), &id],
        )
    }
}
