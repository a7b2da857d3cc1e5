//! Statements about `key_safes`, `safe_wraps` and `prekey_safes`.

use crate::classes::{Public, Sealed};
use crate::engine::Answer;
use crate::engine::place::{Place, at, many};
use crate::engine::safes::{BothSafes, SafeChanges, SafeRows, SealedSafe, SealedWrap};
use crate::engine::sql::{Hold, Sql};
use crate::safes::SafeKind;
use api::ids::{UserId, WrapId};

fn place(kind: SafeKind, user: &UserId) -> Place<'_> {
    let table = match kind {
        SafeKind::Keys => "key_safes",
        SafeKind::Prekeys => "prekey_safes",
    };
    at(table, user.as_bytes())
}

impl<D: Sql> SafeRows for D {
    fn safe(&self, user: &UserId, kind: SafeKind) -> Answer<Option<SealedSafe>> {
        let sql = match kind {
            SafeKind::Keys => {
                "SELECT version, encrypted_private_keys FROM key_safes WHERE user_id = ?1"
            }
            SafeKind::Prekeys => {
                "SELECT version, encrypted_data FROM prekey_safes WHERE user_id = ?1"
            }
        };
        let sql = format!("{sql}{}", self.hold(Hold::Alone));
        self.one(place(kind, user), &sql, &[&user.as_bytes()], |row| {
            Ok(SealedSafe {
                user: *user,
                kind,
                version: row.get(0)?,
                data: row.get(1)?,
            })
        })
    }

    fn both_safes(&self, user: &UserId) -> Answer<Option<BothSafes>> {
        let safe = |kind, version, data| SealedSafe {
            user: *user,
            kind,
            version,
            data,
        };
        self.one(
            place(SafeKind::Keys, user),
            "SELECT k.version, k.encrypted_private_keys, p.version, p.encrypted_data
             FROM key_safes k LEFT JOIN prekey_safes p USING (user_id) WHERE user_id = ?1",
            &[&user.as_bytes()],
            |row| {
                Ok(BothSafes {
                    keys: safe(SafeKind::Keys, row.get(0)?, row.get(1)?),
                    prekeys: match row.get(2)? {
                        Some(version) => Some(safe(SafeKind::Prekeys, version, row.get(3)?)),
                        None => None,
                    },
                })
            },
        )
    }

    fn wraps(&self, user: &UserId) -> Answer<Vec<SealedWrap>> {
        self.all(
            at("safe_wraps", user.as_bytes()),
            "SELECT wrap_id, kind, encrypted_wrap FROM safe_wraps WHERE user_id = ?1 ORDER BY number",
            &[&user.as_bytes()],
            |row| {
                Ok(SealedWrap {
                    id: WrapId::from_bytes(row.get(0)?),
                    kind: row.get::<String>(1)?.into(),
                    sealed: row.get(2)?,
                })
            },
        )
    }

    fn joined_wraps(
        &self,
        after: Option<UserId>,
        limit: usize,
    ) -> Answer<Option<Vec<(UserId, Sealed)>>> {
        let place = many("joined_wraps");
        if !self.has_table("joined_wraps")? {
            return Ok(None);
        }
        let sql = "SELECT user_id, sealed FROM joined_wraps WHERE user_id > ?1
                   ORDER BY user_id LIMIT ?2";
        let after = Public(after.map_or(Vec::new(), |user| user.as_bytes().to_vec()));
        let found = self.all(place, sql, &[&after, &limit], |row| {
            Ok((UserId::from_bytes(row.get(0)?), row.get(1)?))
        });
        found.map(Some)
    }
}

impl<D: Sql> SafeChanges for D {
    fn insert_key_safe(&self, safe: &SealedSafe) -> Answer {
        self.run(
            place(safe.kind, &safe.user),
            "INSERT INTO key_safes (user_id, version, encrypted_private_keys) VALUES (?1, ?2, ?3)",
            &[&safe.user.as_bytes(), &safe.version, &safe.data],
        )
    }

    fn insert_prekey_safe(&self, safe: &SealedSafe) -> Answer {
        self.run(
            place(safe.kind, &safe.user),
            "INSERT INTO prekey_safes (user_id, version, encrypted_data) VALUES (?1, ?2, ?3)",
            &[&safe.user.as_bytes(), &safe.version, &safe.data],
        )
    }

    fn swap_safe(&self, safe: &SealedSafe, expected: u64) -> Answer<bool> {
        let sql = match safe.kind {
            SafeKind::Keys => {
                "UPDATE key_safes SET version = ?1, encrypted_private_keys = ?2
                 WHERE user_id = ?3 AND version = ?4"
            }
            SafeKind::Prekeys => {
                "UPDATE prekey_safes SET version = ?1, encrypted_data = ?2
                 WHERE user_id = ?3 AND version = ?4"
            }
        };
        self.changed(
            place(safe.kind, &safe.user),
            sql,
            &[&safe.version, &safe.data, &safe.user.as_bytes(), &expected],
        )
    }

    fn replace_wrap(&self, user: &UserId, wrap: &SealedWrap) -> Answer {
        let (place, kind) = (
            at("safe_wraps", user.as_bytes()),
            Public(wrap.kind.as_str()),
        );
        let sql = "DELETE FROM safe_wraps WHERE user_id = ?1 AND kind = ?2";
        self.run(place, sql, &[&user.as_bytes(), &kind])?;
        self.run(
            place,
            "INSERT INTO safe_wraps (user_id, wrap_id, kind, encrypted_wrap)
             VALUES (?1, ?2, ?3, ?4)",
            &[&user.as_bytes(), &wrap.id.as_bytes(), &kind, &wrap.sealed],
        )
    }

    fn delete_joined_wraps(&self, user: &UserId) -> Answer {
        let place = at("joined_wraps", user.as_bytes());
        let sql = "DELETE FROM joined_wraps WHERE user_id = ?1";
        self.run(place, sql, &[&user.as_bytes()])
    }

    fn drop_joined_wraps(&self) -> Answer {
        self.run(many("joined_wraps"), "DROP TABLE joined_wraps", &[])
    }

    fn delete_all_prekey_safes(&self) -> Answer {
        self.run(many("prekey_safes"), "DELETE FROM prekey_safes", &[])
    }
}
