//! Invites over SQLite.

use async_trait::async_trait;
use rusqlite::Row;

use crate::audit::AuditEvent;
use crate::fault::Fault;
use crate::ids::{InviteHash, UserId};
use crate::invites::{Invite, Invites};
use crate::sqlite::SqliteBackend;
use crate::sqlite::audit::weight;
use crate::sqlite::db::{at, many};

/// Rows that one call of the pruning takes.
const PRUNE_CHUNK: usize = 500;

fn read(row: &Row<'_>) -> rusqlite::Result<Invite> {
    Ok(Invite {
        code_hash: InviteHash::from_bytes(row.get(0)?),
        created_by: UserId::from_bytes(row.get(1)?),
        created_at: row.get(2)?,
        expires_at: row.get(3)?,
        max_uses: row.get(4)?,
        uses: row.get(5)?,
    })
}

#[async_trait]
impl Invites for SqliteBackend {
    async fn create_invite(&self, invite: Invite, audit: Vec<AuditEvent>) -> Result<bool, Fault> {
        let events = self.seal_events(audit).await?;
        self.write(weight(&events), move |tx| {
            let made = tx.db.execute(
                at("invites", invite.code_hash.as_bytes()),
                "INSERT INTO invites (code_hash, created_by, created_at, expires_at, max_uses, uses)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING",
                (
                    invite.code_hash.as_bytes(),
                    invite.created_by.as_bytes(),
                    invite.created_at,
                    invite.expires_at,
                    invite.max_uses,
                    invite.uses,
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
        self.read(move |db| {
            db.one(
                at("invites", code.as_bytes()),
                "SELECT code_hash, created_by, created_at, expires_at, max_uses, uses
                 FROM invites WHERE code_hash = ?1",
                [code.as_bytes()],
                read,
            )
        })
        .await
    }

    async fn list_invites(&self, user: UserId) -> Result<Vec<Invite>, Fault> {
        self.read(move |db| {
            db.all(
                many("invites"),
                "SELECT code_hash, created_by, created_at, expires_at, max_uses, uses
                 FROM invites WHERE created_by = ?1 ORDER BY created_at DESC, code_hash",
                [user.as_bytes()],
                read,
            )
        })
        .await
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
