//! Administration of accounts over SQLite.

use std::sync::Arc;

use async_trait::async_trait;

use crate::administration::{AccountChangeError, AdminLink, Administration};
use crate::audit::AuditEvent;
use crate::audit::log::weight;
use crate::engine::sqlite::db::{Db, at, many};
use crate::engine::sqlite::writer::WriteTx;
use crate::fault::Fault;
use crate::intent::Intent;
use crate::repository::Repository;
use crate::repository::session_rows::delete_others;
use crate::sealing::bound_setting::{ADMIN_LINK, BoundSetting};
use crate::sealing::bound_user::BoundUser;
use crate::sealing::classes::Public;
use crate::sealing::tags::Tags;
use api::Role;
use api::ids::{SessionId, UserId};

/// The row of `settings` that counts changes of roles and activity, and erasures.
const CHANGES: &str = "account_changes";
/// Tables with data of an account beside `users` and its sessions, and the column with the account.
const OF_A_USER: [(&str, &str); 8] = [
    ("invites", "created_by"),
    ("prekeys", "user_id"),
    ("prekey_stock", "user_id"),
    ("prekey_batches", "user_id"),
    ("prekey_safes", "user_id"),
    ("key_safes", "user_id"),
    ("public_keys", "user_id"),
    ("audit_keys", "subject"),
];

#[async_trait]
impl Administration for Repository {
    async fn set_role(
        &self,
        user: UserId,
        role: Role,
        intent: &Intent,
        now: u64,
    ) -> Result<(), AccountChangeError> {
        let events = self.seal_events(vec![intent.done(now)]).await?;
        self.write(weight(&events), move |tx| {
            if role != Role::Admin {
                refuse_last(tx, &user)?;
            }
            change(tx, &user, |account| account.role = role.as_str().to_owned())?;
            Ok(tx.append(events)?)
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
        let events = self.seal_events(vec![intent.done(now)]).await?;
        self.write(weight(&events), move |tx| {
            if !active {
                refuse_last(tx, &user)?;
            }
            change(tx, &user, |account| account.active = active)?;
            let ended = if active {
                Vec::new()
            } else {
                delete_others(tx.db, &user, None)?
            };
            tx.append(events)?;
            Ok(ended)
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

    async fn account_changes(&self) -> Result<u64, Fault> {
        self.read(|db| {
            let sql = "SELECT CAST(value AS INTEGER) FROM settings WHERE name = ?1";
            db.number(many("settings"), sql, [Public(CHANGES)])
        })
        .await
    }

    async fn keep_admin_link(
        &self,
        link: AdminLink,
        intent: &Intent,
        now: u64,
    ) -> Result<(), Fault> {
        let events = self.seal_events(vec![intent.done(now)]).await?;
        self.write(weight(&events), move |tx| {
            let value = format!("{}:{}", hex::encode(link.hash), link.expires_at);
            BoundSetting::put(tx.db, tx.tags, ADMIN_LINK, &value)?;
            tx.append(events)
        })
        .await
    }

    async fn admin_link_usable(&self, hash: [u8; 32], now: u64) -> Result<bool, Fault> {
        let tags = Arc::clone(&self.sealer.tags);
        self.read(move |db| is_usable(db, &tags, &hash, now)).await
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
        let events = self.seal_events(audit).await?;
        let erased: Result<_, AccountChangeError> = self
            .write(weight(&events), move |tx| {
                refuse_last(tx, &user)?;
                let ended = delete_others(tx.db, &user, None)?;
                for (table, column) in OF_A_USER {
                    let sql = format!("DELETE FROM {table} WHERE {column} = ?1");
                    tx.db
                        .execute(at(table, user.as_bytes()), &sql, [user.as_bytes()])?;
                }
                // A damaged account can be erased as well: that is how one gets rid of it.
                let sql = "DELETE FROM users WHERE user_id = ?1";
                let id = user.as_bytes();
                if tx.db.execute(at("users", id), sql, [id])? == 0 {
                    return Err(AccountChangeError::NoSuchUser);
                }
                count_change(tx.db)?;
                tx.append(events)?;
                Ok(ended)
            })
            .await;
        let ended = erased?;
        self.truncate().await;
        Ok(ended)
    }
}

/// Uses up the link if it is this one; returns whether it was.
pub(crate) fn use_link(db: Db<'_>, tags: &Tags, hash: &[u8; 32], now: u64) -> Result<bool, Fault> {
    if !is_usable(db, tags, hash, now)? {
        return Ok(false);
    }
    let sql = "DELETE FROM settings WHERE name = ?1";
    Ok(db.execute(many("settings"), sql, [Public(ADMIN_LINK)])? == 1)
}

fn is_usable(db: Db<'_>, tags: &Tags, hash: &[u8; 32], now: u64) -> Result<bool, Fault> {
    let Some(kept) = BoundSetting::find(db, tags, ADMIN_LINK)? else {
        return Ok(false);
    };
    let damaged = || Fault::damaged("settings", ADMIN_LINK, "it is not of the form hash:time");
    let (known, expires_at) = kept.split_once(':').ok_or_else(damaged)?;
    let expires_at: u64 = expires_at.parse().map_err(|_| damaged())?;
    Ok(known == hex::encode(hash) && now < expires_at)
}

/// Refuses to remove the last administrator who can sign in; damaged accounts do not count.
fn refuse_last(tx: &WriteTx<'_>, user: &UserId) -> Result<(), AccountChangeError> {
    match BoundUser::administrators(tx.db, tx.tags)?[..] {
        [last] if last == *user => Err(AccountChangeError::LastAdministrator),
        _ => Ok(()),
    }
}

/// Changes one account, and counts that something changed.
fn change(
    tx: &WriteTx<'_>,
    user: &UserId,
    change: impl FnOnce(&mut BoundUser),
) -> Result<(), AccountChangeError> {
    let found = BoundUser::find(tx.db, tx.tags, user)?;
    let mut account = found.ok_or(AccountChangeError::NoSuchUser)?;
    change(&mut account);
    account.save(tx.db, tx.tags)?;
    Ok(count_change(tx.db)?)
}

fn count_change(db: Db<'_>) -> Result<(), Fault> {
    db.execute(
        many("settings"),
        "INSERT INTO settings (name, value) VALUES (?1, '1')
         ON CONFLICT (name) DO UPDATE SET value = CAST(CAST(value AS INTEGER) + 1 AS TEXT)",
        [Public(CHANGES)],
    )
    .map(drop)
}
