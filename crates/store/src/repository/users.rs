//! Accounts over SQLite.

use async_trait::async_trait;

use crate::audit::AuditEvent;
use crate::audit::log::weight;
use crate::damage::{Listed, listed};
use crate::engine::sqlite::db::{at, many};
use crate::fault::Fault;
use crate::repository::Repository;
use crate::repository::user_rows::{RawCredential, RawUser, seal_data, select};
use crate::sealing::classes::{Bindable, Sensitive};
use crate::sessions::NewSession;
use crate::users::{
    Credential, CredentialChange, IdentityChange, NewUser, RegisterError, ReplaceError, UserRow,
    Users,
};
use api::Role;
use api::ids::{SessionId, UserId};

/// Most accounts in one list.
const MAX_LIST: u32 = 500;

#[async_trait]
impl Users for Repository {
    async fn register(
        &self,
        user: NewUser,
        session: NewSession,
        audit: Vec<AuditEvent>,
    ) -> Result<Role, RegisterError> {
        self.register_user(user, session, audit).await
    }

    async fn handle_taken(&self, handle: &str) -> Result<bool, Fault> {
        let index = self.sealer.handle_index(handle);
        self.read(move |db| {
            let sql = "SELECT count(*) FROM users WHERE handle_index = ?1";
            Ok(db.number(at("users", &index), sql, [&index])? > 0)
        })
        .await
    }

    async fn user_by_handle(&self, handle: &str) -> Result<Option<UserRow>, Fault> {
        let index = self.sealer.handle_index(handle);
        let row = self
            .read(move |db| {
                let sql = format!("{} WHERE handle_index = ?1", select());
                db.one(at("users", &index), &sql, [&index], RawUser::read)
            })
            .await?;
        let user = row.map(|row| row.open(&self.sealer)).transpose()?;
        match user {
            // The index is in the clear: exchanged with another's, it would give that person's
            // account, and keys, for this handle.
            Some(user) if user.handle != handle => {
                let place = at("users", user.user_id.as_bytes());
                Err(place.damaged("its handle index is of another handle"))
            }
            user => Ok(user),
        }
    }

    async fn user_by_id(&self, user: UserId) -> Result<Option<UserRow>, Fault> {
        let row = self
            .read(move |db| {
                let sql = format!("{} WHERE user_id = ?1", select());
                let id = user.as_bytes();
                db.one(at("users", id), &sql, [id], RawUser::read)
            })
            .await?;
        row.map(|row| row.open(&self.sealer)).transpose()
    }

    async fn credential(&self, handle: &str) -> Result<Option<Credential>, Fault> {
        let index = self.sealer.handle_index(handle);
        let row = self
            .read(move |db| RawCredential::by_handle_or_any(db, &index))
            .await?;
        // As much work for an unknown handle: the time does not tell who has an account.
        match row {
            Some(row) if row.is_of(&index) => row.open(&self.sealer).map(Some),
            Some(row) => row
                .pretend(&self.sealer, &self.sealer.decoy())
                .map(|()| None),
            None => Ok(None),
        }
    }

    async fn credential_by_id(&self, user: UserId) -> Result<Option<Credential>, Fault> {
        let row = self.read(move |db| RawCredential::by_id(db, &user)).await?;
        row.map(|row| row.open(&self.sealer)).transpose()
    }

    async fn replace_credentials(
        &self,
        change: CredentialChange,
        audit: Vec<AuditEvent>,
    ) -> Result<Vec<SessionId>, ReplaceError> {
        self.change_credentials(change, audit).await
    }

    async fn replace_identity(
        &self,
        change: IdentityChange,
        audit: Vec<AuditEvent>,
    ) -> Result<(), ReplaceError> {
        self.change_identity(change, audit).await
    }

    async fn set_alias(
        &self,
        user: UserId,
        alias: Sensitive<String>,
        audit: Vec<AuditEvent>,
    ) -> Result<bool, Fault> {
        // Only the handle is sealed beside the alias, and a handle never changes: two writers at
        // once leave one of the two aliases, whole.
        let Some(row) = self.user_by_id(user).await? else {
            return Ok(false);
        };
        let handle = Sensitive::new(row.handle);
        let data = seal_data(&self.sealer, &user, &handle, &alias)?;
        let sql = "UPDATE users SET encrypted_data = ?1 WHERE user_id = ?2";
        self.update_user(user, sql, data, audit).await
    }

    async fn touch_last_login(&self, user: UserId, now: u64) -> Result<bool, Fault> {
        let sql = "UPDATE users SET last_login = max(coalesce(last_login, 0), ?1) \
                   WHERE user_id = ?2";
        self.update_user(user, sql, now, Vec::new()).await
    }

    async fn list_users(
        &self,
        after: Option<UserId>,
        limit: u32,
    ) -> Result<Vec<(UserId, Listed<UserRow>)>, Fault> {
        let rows = self
            .read(move |db| {
                let after = match after {
                    None => 0,
                    Some(user) => db.number(
                        at("users", user.as_bytes()),
                        "SELECT number FROM users WHERE user_id = ?1",
                        [user.as_bytes()],
                    )?,
                };
                let sql = format!("{} WHERE number > ?1 ORDER BY number LIMIT ?2", select());
                let place = many("users");
                db.all(place, &sql, (after, limit.min(MAX_LIST)), |row| {
                    Ok((row.get::<_, [u8; 16]>(0)?, RawUser::read(row)))
                })
            })
            .await?;
        rows.into_iter()
            .map(|(id, row)| {
                let opened = self.whole(at("users", &id), row);
                let opened = opened.and_then(|row| row.open(&self.sealer));
                Ok((UserId::from_bytes(id), listed(opened)?))
            })
            .collect()
    }
}

impl Repository {
    /// Changes one column of one account, with its records.
    async fn update_user(
        &self,
        user: UserId,
        sql: &'static str,
        value: impl Bindable + Send + 'static,
        audit: Vec<AuditEvent>,
    ) -> Result<bool, Fault> {
        let events = self.seal_events(audit).await?;
        self.write(weight(&events), move |tx| {
            let id = user.as_bytes();
            let updated = tx.db.execute(at("users", id), sql, (value, id))?;
            if updated == 1 {
                tx.append(events)?;
            }
            Ok(updated == 1)
        })
        .await
    }
}
