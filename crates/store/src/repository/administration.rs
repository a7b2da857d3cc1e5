//! Administration of accounts.

use std::sync::Arc;

use async_trait::async_trait;

use crate::administration::{AccountChangeError, AdminLink, Administration};
use crate::audit::AuditEvent;
use crate::engine::users::BoundUser;
use crate::engine::{Acting, Changes, Rows};
use crate::fault::Fault;
use crate::intent::Intent;
use crate::repository::{Repository, Tx};
use crate::sealing::bound_setting::{ADMIN_LINK, BoundSetting};
use crate::sealing::tags::Tags;
use api::Role;
use api::ids::{SessionId, UserId};

#[async_trait]
impl Administration for Repository {
    async fn set_role(
        &self,
        user: UserId,
        role: Role,
        intent: &Intent,
        now: u64,
    ) -> Result<(), AccountChangeError> {
        self.record(Acting::Server, 0, vec![intent.done(now)], move |tx| {
            if role != Role::Admin {
                refuse_last(tx, &user)?;
            }
            change(tx, &user, |account| account.role = role.as_str().to_owned())
        })
        .await
    }

    async fn set_active(
        &self,
        user: UserId,
        active: bool,
        intent: &Intent,
        now: u64,
    ) -> Result<Vec<SessionId>, AccountChangeError> {
        self.record(Acting::Server, 0, vec![intent.done(now)], move |tx| {
            if !active {
                refuse_last(tx, &user)?;
            }
            change(tx, &user, |account| account.active = active)?;
            Ok(if active {
                Vec::new()
            } else {
                tx.rows.delete_other_sessions(&user, None)?
            })
        })
        .await
    }

    async fn erase_user(
        &self,
        user: UserId,
        intent: &Intent,
        now: u64,
    ) -> Result<(), AccountChangeError> {
        self.erase(user, vec![intent.done(now)]).await.map(drop)
    }

    async fn erase_own_account(
        &self,
        user: UserId,
        audit: Vec<AuditEvent>,
    ) -> Result<Vec<SessionId>, AccountChangeError> {
        self.erase(user, audit).await
    }

    async fn keep_admin_link(
        &self,
        link: AdminLink,
        intent: &Intent,
        now: u64,
    ) -> Result<(), Fault> {
        self.record(Acting::Server, 0, vec![intent.done(now)], move |tx| {
            let value = format!("{}:{}", hex::encode(link.hash), link.expires_at);
            BoundSetting::put(tx.rows, tx.tags, ADMIN_LINK, &value)
        })
        .await
    }

    async fn admin_link_usable(&self, hash: [u8; 32], now: u64) -> Result<bool, Fault> {
        let tags = Arc::clone(&self.sealer.tags);
        self.read(move |rows| is_usable(rows, &tags, &hash, now))
            .await
    }
}

impl Repository {
    /// Erases an account and writes its records in one transaction, then removes old pages; returns the
    /// sessions that were ended.
    async fn erase(
        &self,
        user: UserId,
        audit: Vec<AuditEvent>,
    ) -> Result<Vec<SessionId>, AccountChangeError> {
        let erased = self.record(Acting::Server, 0, audit, move |tx| {
            refuse_last(tx, &user)?;
            let ended = tx.rows.delete_other_sessions(&user, None)?;
            // A damaged account can be erased as well: that is how one gets rid of it.
            if !tx.rows.delete_user(&user)? {
                return Err(AccountChangeError::NoSuchUser);
            }
            Ok(ended)
        });
        let ended = erased.await?;
        self.engine.forget().await;
        Ok(ended)
    }
}

/// Uses up the link if it is this one; returns whether it was.
pub(crate) fn use_link(
    rows: &dyn Changes,
    tags: &Tags,
    hash: &[u8; 32],
    now: u64,
) -> Result<bool, Fault> {
    Ok(is_usable(rows, tags, hash, now)? && rows.delete_setting(ADMIN_LINK)?)
}

fn is_usable(rows: &dyn Rows, tags: &Tags, hash: &[u8; 32], now: u64) -> Result<bool, Fault> {
    let Some(kept) = BoundSetting::find(rows, tags, ADMIN_LINK)? else {
        return Ok(false);
    };
    let damaged = || Fault::damaged("settings", ADMIN_LINK, "it is not of the form hash:time");
    let (known, expires_at) = kept.split_once(':').ok_or_else(damaged)?;
    let expires_at: u64 = expires_at.parse().map_err(|_| damaged())?;
    Ok(known == hex::encode(hash) && now < expires_at)
}

/// Refuses to remove the last administrator who can sign in; damaged accounts do not count.
fn refuse_last(tx: &Tx<'_>, user: &UserId) -> Result<(), AccountChangeError> {
    match BoundUser::administrators(tx.rows, tx.tags)?[..] {
        [last] if last == *user => Err(AccountChangeError::LastAdministrator),
        _ => Ok(()),
    }
}

/// Changes one account.
fn change(
    tx: &Tx<'_>,
    user: &UserId,
    change: impl FnOnce(&mut BoundUser),
) -> Result<(), AccountChangeError> {
    let found = BoundUser::find(tx.rows, tx.tags, user)?;
    let mut account = found.ok_or(AccountChangeError::NoSuchUser)?;
    change(&mut account);
    Ok(account.save(tx.rows, tx.tags)?)
}
