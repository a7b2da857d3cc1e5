//! Statements about `key_safes` and `prekey_safes`.

use crate::classes::Sealed;
use crate::engine::Answer;
use crate::engine::place::{Place, at, many};
use crate::engine::safes::{BothSafes, SafeChanges, SafeRows, SealedSafe};
use crate::engine::sqlite::db::Db;
use crate::safes::SafeKind;
use api::ids::UserId;

fn place(kind: SafeKind, user: &UserId) -> Place<'_> {
    let table = match kind {
        SafeKind::Keys => "key_safes",
        SafeKind::Prekeys => "prekey_safes",
    };
    at(table, user.as_bytes())
}

impl SafeRows for Db<'_> {
    fn safe(&self, user: &UserId, kind: SafeKind) -> Answer<Option<SealedSafe>> {
        let sql = match kind {
            SafeKind::Keys => {
                "SELECT version, encrypted_private_keys FROM key_safes WHERE user_id = ?1"
            }
            SafeKind::Prekeys => {
                "SELECT version, encrypted_data FROM prekey_safes WHERE user_id = ?1"
            }
        };
        self.one(place(kind, user), sql, [user.as_bytes()], |row| {
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
            "SELECT k.version, k.encrypted_private_keys, k.encrypted_wraps, p.version,
                 p.encrypted_data
             FROM key_safes k LEFT JOIN prekey_safes p USING (user_id) WHERE user_id = ?1",
            [user.as_bytes()],
            |row| {
                Ok(BothSafes {
                    keys: safe(SafeKind::Keys, row.get(0)?, row.get(1)?),
                    wraps: row.get(2)?,
                    prekeys: match row.get(3)? {
                        Some(version) => Some(safe(SafeKind::Prekeys, version, row.get(4)?)),
                        None => None,
                    },
                })
            },
        )
    }
}

impl SafeChanges for Db<'_> {
    fn insert_key_safe(&self, safe: &SealedSafe, wraps: &Sealed) -> Answer {
        self.run(
            place(safe.kind, &safe.user),
            "INSERT INTO key_safes (user_id, version, encrypted_wraps, encrypted_private_keys)
             VALUES (?1, ?2, ?3, ?4)",
            (safe.user.as_bytes(), safe.version, wraps, &safe.data),
        )
    }

    fn insert_prekey_safe(&self, safe: &SealedSafe) -> Answer {
        self.run(
            place(safe.kind, &safe.user),
            "INSERT INTO prekey_safes (user_id, version, encrypted_data) VALUES (?1, ?2, ?3)",
            (safe.user.as_bytes(), safe.version, &safe.data),
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
        let values = (safe.version, &safe.data, safe.user.as_bytes(), expected);
        self.changed(place(safe.kind, &safe.user), sql, values)
    }

    fn set_wraps(&self, user: &UserId, wraps: &Sealed) -> Answer {
        let sql = "UPDATE key_safes SET encrypted_wraps = ?1 WHERE user_id = ?2";
        self.run(place(SafeKind::Keys, user), sql, (wraps, user.as_bytes()))
    }

    fn delete_all_prekey_safes(&self) -> Answer {
        self.run(many("prekey_safes"), "DELETE FROM prekey_safes", [])
    }
}
