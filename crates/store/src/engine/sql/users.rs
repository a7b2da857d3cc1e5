//! Statements about `users`.

use crate::classes::{Public, Sealed};
use crate::engine::Answer;
use crate::engine::place::{at, many};
use crate::engine::safes::{SafeChanges, SafeRows};
use crate::engine::sql::{Hold, Line, Readable, Sql};
use crate::engine::users::{BoundUser, RawCredential, RawUser, UserChanges, UserRows};
use api::ids::UserId;

/// Columns of [`BoundUser`], in its order.
const BOUND: &str = "user_id, handle_index, fingerprint, role, active, created_at, tag";
/// The number of those columns.
const BOUND_LEN: usize = 7;

/// Tables with data of an account beside `users` and its sessions, and the column with the account.
const OF_A_USER: [(&str, &str); 9] = [
    ("invites", "created_by"),
    ("prekeys", "user_id"),
    ("prekey_stock", "user_id"),
    ("prekey_batches", "user_id"),
    ("prekey_safes", "user_id"),
    ("safe_wraps", "user_id"),
    ("key_safes", "user_id"),
    ("public_keys", "user_id"),
    ("audit_keys", "subject"),
];

fn bound(row: Line<'_>) -> Readable<BoundUser> {
    Ok(BoundUser {
        user_id: row.get(0)?,
        handle_index: row.get(1)?,
        fingerprint: row.get(2)?,
        role: row.get(3)?,
        active: row.get(4)?,
        created_at: row.get(5)?,
        tag: row.get(6)?,
    })
}

fn raw(row: Line<'_>) -> Readable<RawUser> {
    Ok(RawUser {
        bound: bound(row)?,
        last_login: row.get(BOUND_LEN)?,
        data: row.get(BOUND_LEN + 1)?,
    })
}

fn credential(row: Line<'_>) -> Readable<RawCredential> {
    Ok(RawCredential {
        bound: bound(row)?,
        sealed: row.get(BOUND_LEN)?,
    })
}

/// Selects a [`RawUser`], without a condition.
fn select() -> String {
    format!("SELECT {BOUND}, last_login, encrypted_data FROM users")
}

impl<D: Sql> UserRows for D {
    fn bound_user(&self, user: &UserId) -> Answer<Option<BoundUser>> {
        let hold = self.hold(Hold::Alone);
        let sql = format!("SELECT {BOUND} FROM users WHERE user_id = ?1{hold}");
        let id = user.as_bytes();
        self.one(at("users", id), &sql, &[&id], bound)
    }

    fn bound_users(&self) -> Answer<Vec<Answer<BoundUser>>> {
        let sql = format!("SELECT {BOUND} FROM users");
        self.each(many("users"), &sql, &[], bound)
    }

    fn active_administrators(&self) -> Answer<Vec<BoundUser>> {
        let hold = self.hold(Hold::Alone);
        let sql = format!("SELECT {BOUND} FROM users WHERE role = 'admin' AND active = 1{hold}");
        self.all(many("users"), &sql, &[], bound)
    }

    fn user_exists(&self, user: &UserId) -> Answer<bool> {
        let sql = "SELECT count(*) FROM users WHERE user_id = ?1";
        let id = user.as_bytes();
        Ok(self.number(at("users", id), sql, &[&id])? > 0)
    }

    fn handle_exists(&self, index: &[u8; 32]) -> Answer<bool> {
        let sql = "SELECT count(*) FROM users WHERE handle_index = ?1";
        Ok(self.number(at("users", index), sql, &[&index])? > 0)
    }

    fn user(&self, user: &UserId) -> Answer<Option<RawUser>> {
        let sql = format!("{} WHERE user_id = ?1{}", select(), self.hold(Hold::Alone));
        let id = user.as_bytes();
        self.one(at("users", id), &sql, &[&id], raw)
    }

    fn user_by_handle(&self, index: &[u8; 32]) -> Answer<Option<RawUser>> {
        let sql = format!("{} WHERE handle_index = ?1", select());
        self.one(at("users", index), &sql, &[&index], raw)
    }

    fn users_after(
        &self,
        after: Option<&UserId>,
        limit: u32,
    ) -> Answer<Vec<(UserId, Answer<RawUser>)>> {
        let after = match after {
            None => 0,
            Some(user) => {
                let id = user.as_bytes();
                let sql = "SELECT number FROM users WHERE user_id = ?1";
                self.number(at("users", id), sql, &[&id])?
            }
        };
        let sql = format!("{} WHERE number > ?1 ORDER BY number LIMIT ?2", select());
        self.all(many("users"), &sql, &[&after, &limit], |row| {
            let id: [u8; 16] = row.get(0)?;
            let read = raw(row).map_err(|error| at("users", &id).damaged(error));
            Ok((UserId::from_bytes(id), read))
        })
    }

    fn credential(&self, user: &UserId) -> Answer<Option<RawCredential>> {
        let hold = self.hold(Hold::Alone);
        let sql =
            format!("SELECT {BOUND}, encrypted_credential FROM users WHERE user_id = ?1{hold}");
        let id = user.as_bytes();
        self.one(at("users", id), &sql, &[&id], credential)
    }

    fn credential_by_handle_or_any(&self, index: &[u8; 32]) -> Answer<Option<RawCredential>> {
        let sql = format!(
            "SELECT {BOUND}, encrypted_credential FROM users WHERE number = coalesce(
                 (SELECT number FROM users WHERE handle_index = ?1),
                 (SELECT min(number) FROM users))"
        );
        self.one(at("users", index), &sql, &[&index], credential)
    }
}

impl<D: Sql> UserChanges for D {
    fn insert_user(&self, bound: &BoundUser, data: &Sealed, credential: &Sealed) -> Answer<bool> {
        self.changed(
            at("users", &bound.user_id),
            "INSERT INTO users (user_id, handle_index, fingerprint, role, active, created_at, tag,
                 encrypted_data, encrypted_credential)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT DO NOTHING",
            &[
                &bound.user_id,
                &bound.handle_index,
                &Public(&bound.fingerprint),
                &Public(&bound.role),
                &bound.active,
                &bound.created_at,
                &bound.tag.as_ref().map(Public),
                &data,
                &credential,
            ],
        )
    }

    fn update_user(&self, bound: &BoundUser) -> Answer {
        self.run(
            at("users", &bound.user_id),
            "UPDATE users SET fingerprint = ?1, role = ?2, active = ?3, tag = ?4
             WHERE user_id = ?5",
            &[
                &Public(&bound.fingerprint),
                &Public(&bound.role),
                &bound.active,
                &bound.tag.as_ref().map(Public),
                &bound.user_id,
            ],
        )
    }

    fn set_user_data(&self, user: &UserId, data: &Sealed) -> Answer<bool> {
        let sql = "UPDATE users SET encrypted_data = ?1 WHERE user_id = ?2";
        let id = user.as_bytes();
        self.changed(at("users", id), sql, &[&data, &id])
    }

    fn set_credential(&self, user: &UserId, credential: &Sealed) -> Answer {
        let sql = "UPDATE users SET encrypted_credential = ?1 WHERE user_id = ?2";
        let id = user.as_bytes();
        self.run(at("users", id), sql, &[&credential, &id])
    }

    fn touch_last_login(&self, user: &UserId, now: u64) -> Answer<bool> {
        let sql = "UPDATE users SET last_login = CASE WHEN last_login > ?1 THEN last_login ELSE ?1 END \
                   WHERE user_id = ?2";
        let id = user.as_bytes();
        self.changed(at("users", id), sql, &[&now, &id])
    }

    fn delete_user(&self, user: &UserId) -> Answer<bool> {
        let id = user.as_bytes();
        for (table, column) in OF_A_USER {
            let sql = format!("DELETE FROM {table} WHERE {column} = ?1");
            self.run(at(table, id), &sql, &[&id])?;
        }
        if self.joined_wraps(None, 0)?.is_some() {
            self.delete_joined_wraps(user)?;
        }
        let sql = "DELETE FROM users WHERE user_id = ?1";
        self.changed(at("users", id), sql, &[&id])
    }
}
