//! Accounts.

use async_trait::async_trait;

use crate::audit::AuditEvent;
use crate::classes::Sensitive;
use crate::damage::{Listed, listed};
use crate::engine::Acting;
use crate::engine::place::at;
use crate::fault::Fault;
use crate::repository::Repository;
use crate::repository::user_rows::seal_data;
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
        self.read(move |rows| rows.handle_exists(&index)).await
    }

    async fn user_by_handle(&self, handle: &str) -> Result<Option<UserRow>, Fault> {
        let index = self.sealer.handle_index(handle);
        let row = self.read(move |rows| rows.user_by_handle(&index)).await?;
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
        let row = self.read(move |rows| rows.user(&user)).await?;
        row.map(|row| row.open(&self.sealer)).transpose()
    }

    async fn credential(&self, handle: &str) -> Result<Option<Credential>, Fault> {
        let index = self.sealer.handle_index(handle);
        let row = self
            .read(move |rows| rows.credential_by_handle_or_any(&index))
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
        let row = self.read(move |rows| rows.credential(&user)).await?;
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
        self.record_change(Acting::Server, data.len(), audit, move |tx| {
            tx.rows.set_user_data(&user, &data)
        })
        .await
    }

    async fn touch_last_login(&self, user: UserId, now: u64) -> Result<bool, Fault> {
        self.write(0, move |tx| tx.rows.touch_last_login(&user, now))
            .await
    }

    async fn list_users(
        &self,
        after: Option<UserId>,
        limit: u32,
    ) -> Result<Vec<(UserId, Listed<UserRow>)>, Fault> {
        let limit = limit.min(MAX_LIST);
        let rows = self
            .look_up(move |rows| rows.users_after(after.as_ref(), limit))
            .await?;
        rows.into_iter()
            .map(|(id, row)| {
                let row = self.sealer.tags.damages.noted(row);
                Ok((id, listed(row.and_then(|row| row.open(&self.sealer)))?))
            })
            .collect()
    }
}
