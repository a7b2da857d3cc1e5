//! Invites over SQLite.

use std::sync::Arc;

use async_trait::async_trait;

use crate::audit::AuditEvent;
use crate::audit::log::weight;
use crate::damage::listed;
use crate::engine::sqlite::db::{at, many};
use crate::fault::Fault;
use crate::invites::{Invite, InviteUse, Invites, UseInviteError};
use crate::repository::Repository;
use crate::repository::invite_rows::{Kept, SELECT, checked, find, read, take};
use api::ids::{InviteHash, UserId};

/// Rows that one call of the pruning takes.
const PRUNE_CHUNK: usize = 500;

#[async_trait]
impl Invites for Repository {
    async fn create_invite(&self, invite: Invite, audit: Vec<AuditEvent>) -> Result<bool, Fault> {
        let events = self.seal_events(audit).await?;
        let kept = Kept {
            invite,
            used_by: Vec::new(),
        };
        self.write(weight(&events), move |tx| {
            let invite = &kept.invite;
            let made = tx.db.execute(
                at("invites", invite.code_hash.as_bytes()),
                "INSERT INTO invites (code_hash, created_by, created_at, expires_at, max_uses, uses,
                     tag) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO NOTHING",
                (
                    invite.code_hash.as_bytes(),
                    invite.created_by.as_bytes(),
                    invite.created_at,
                    invite.expires_at,
                    invite.max_uses,
                    invite.uses,
                    tx.tags.of(&kept),
                ),
            )?;
            if made == 1 {
                tx.append(events)?;
            }
            Ok(made == 1)
        })
        .await
    }

    async fn find_invite(&self, code: InviteHash) -> Result<Option<Invite>, Fault> {
        let tags = Arc::clone(&self.sealer.tags);
        let found = self.read(move |db| find(db, &tags, &code)).await?;
        Ok(found.map(|kept| kept.invite))
    }

    async fn use_invite(
        &self,
        invite: InviteUse,
        now: u64,
        audit: Vec<AuditEvent>,
    ) -> Result<bool, UseInviteError> {
        let events = self.seal_events(audit).await?;
        self.write(weight(&events), move |tx| {
            let taken = take(tx.db, tx.tags, &invite, now)?;
            if taken {
                tx.append(events)?;
            }
            Ok(taken)
        })
        .await
    }

    async fn list_invites(&self, user: UserId) -> Result<Vec<Invite>, Fault> {
        let rows = self
            .read(move |db| {
                let sql =
                    format!("{SELECT} WHERE created_by = ?1 ORDER BY created_at DESC, code_hash");
                db.all(many("invites"), &sql, [user.as_bytes()], |row| {
                    Ok((row.get::<_, [u8; 32]>(0)?, read(row)))
                })
            })
            .await?;
        let mut invites = Vec::with_capacity(rows.len());
        for (code, row) in rows {
            let row = self.whole(at("invites", &code), row);
            let checked = row.and_then(|row| checked(&self.sealer.tags, row));
            if let Ok(kept) = listed(checked)? {
                invites.push(kept.invite);
            }
        }
        Ok(invites)
    }

    async fn delete_invite(
        &self,
        user: UserId,
        code: InviteHash,
        audit: Vec<AuditEvent>,
    ) -> Result<bool, Fault> {
        let events = self.seal_events(audit).await?;
        self.write(weight(&events), move |tx| {
            let deleted = tx.db.execute(
                at("invites", code.as_bytes()),
                "DELETE FROM invites WHERE code_hash = ?1 AND created_by = ?2",
                (code.as_bytes(), user.as_bytes()),
            )?;
            if deleted == 1 {
                tx.append(events)?;
            }
            Ok(deleted == 1)
        })
        .await
    }

    async fn prune_invites(&self, now: u64) -> Result<u64, Fault> {
        self.write(0, move |tx| {
            let pruned = tx.db.execute(
                many("invites"),
                "DELETE FROM invites WHERE code_hash IN
                     (SELECT code_hash FROM invites WHERE expires_at <= ?1 LIMIT ?2)",
                (now, PRUNE_CHUNK),
            )?;
            Ok(pruned as u64)
        })
        .await
    }
}
