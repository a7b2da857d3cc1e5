//! Invites.

use std::sync::Arc;

use async_trait::async_trait;

use crate::audit::AuditEvent;
use crate::damage::listed;
use crate::engine::Acting;
use crate::engine::invites::InviteRow;
use crate::fault::Fault;
use crate::invites::{Invite, InviteUse, Invites, UseInviteError};
use crate::repository::Repository;
use crate::repository::invite_rows::{find, take};
use api::ids::{InviteHash, UserId};

/// Rows that one call of the pruning takes.
const PRUNE_CHUNK: usize = 500;

#[async_trait]
impl Invites for Repository {
    async fn create_invite(&self, invite: Invite, audit: Vec<AuditEvent>) -> Result<bool, Fault> {
        let mut row = InviteRow {
            invite,
            used_by: Vec::new(),
            tag: None,
        };
        let acting = Acting::Account(row.invite.created_by);
        self.record_change(acting, 0, audit, move |tx| {
            row.tag = Some(tx.tags.of(&row).to_vec());
            tx.rows.insert_invite(&row)
        })
        .await
    }

    async fn find_invite(&self, code: InviteHash) -> Result<Option<Invite>, Fault> {
        let tags = Arc::clone(&self.sealer.tags);
        let found = self.read(move |rows| find(rows, &tags, &code)).await?;
        Ok(found.map(|kept| kept.invite))
    }

    async fn use_invite(
        &self,
        invite: InviteUse,
        now: u64,
        audit: Vec<AuditEvent>,
    ) -> Result<bool, UseInviteError> {
        self.record_change(Acting::Server, 0, audit, move |tx| {
            take(tx.rows, tx.tags, &invite, now)
        })
        .await
    }

    async fn list_invites(&self, user: UserId) -> Result<Vec<Invite>, Fault> {
        let acting = Acting::Account(user);
        let rows = self.read_for(acting, move |rows| rows.invites_of(&user));
        let rows = rows.await?;
        let mut invites = Vec::with_capacity(rows.len());
        for row in rows {
            let row = self.sealer.tags.damages.noted(row);
            if let Ok(row) = listed(row.and_then(|row| row.checked(&self.sealer.tags)))? {
                invites.push(row.invite);
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
        self.record_change(Acting::Account(user), 0, audit, move |tx| {
            tx.rows.delete_invite(&user, &code)
        })
        .await
    }

    async fn prune_invites(&self, now: u64) -> Result<u64, Fault> {
        self.write(0, move |tx| tx.rows.prune_invites(now, PRUNE_CHUNK))
            .await
    }
}
