//! Invites over SQLite.

use std::sync::Arc;

use async_trait::async_trait;
use rusqlite::Row;

use crate::audit::AuditEvent;
use crate::damage::listed;
use crate::fault::Fault;
use crate::ids::{InviteHash, UserId};
use crate::invites::{Invite, Invites};
use crate::sqlite::SqliteBackend;
use crate::sqlite::audit::weight;
use crate::sqlite::db::{Db, at, many};
use crate::sqlite::tags::{Tagged, Tags};

/// Rows that one call of the pruning takes.
const PRUNE_CHUNK: usize = 500;

/// Every column, in the order of [`read`].
pub(crate) const SELECT: &str =
    "SELECT code_hash, created_by, created_at, expires_at, max_uses, uses, tag FROM invites";

impl Tagged for Invite {
    const TABLE: &'static str = "invites";

    fn with_values<T>(&self, use_them: impl FnOnce(&[&[u8]]) -> T) -> T {
        use_them(&[
            self.code_hash.as_bytes(),
            self.created_by.as_bytes(),
            &self.created_at.to_be_bytes(),
            &self.expires_at.to_be_bytes(),
            &self.max_uses.to_be_bytes(),
            &self.uses.to_be_bytes(),
        ])
    }
}

/// A row and its tag.
pub(crate) type Read = (Invite, Option<Vec<u8>>);

pub(crate) fn read(row: &Row<'_>) -> rusqlite::Result<Read> {
    let invite = Invite {
        code_hash: InviteHash::from_bytes(row.get(0)?),
        created_by: UserId::from_bytes(row.get(1)?),
        created_at: row.get(2)?,
        expires_at: row.get(3)?,
        max_uses: row.get(4)?,
        uses: row.get(5)?,
    };
    Ok((invite, row.get(6)?))
}

fn checked(tags: &Tags, (invite, tag): Read) -> Result<Invite, Fault> {
    let place = at("invites", invite.code_hash.as_bytes());
    tags.check(place, &invite, tag.as_deref())?;
    Ok(invite)
}

/// Finds an invite that is this program's.
pub(crate) fn find(db: Db<'_>, tags: &Tags, code: &InviteHash) -> Result<Option<Invite>, Fault> {
    let sql = format!("{SELECT} WHERE code_hash = ?1");
    let found = db.one(
        at("invites", code.as_bytes()),
        &sql,
        [code.as_bytes()],
        read,
    )?;
    found.map(|found| checked(tags, found)).transpose()
}

#[async_trait]
impl Invites for SqliteBackend {
    async fn create_invite(&self, invite: Invite, audit: Vec<AuditEvent>) -> Result<bool, Fault> {
        let events = self.seal_events(audit).await?;
        self.write(weight(&events), move |tx| {
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
                    tx.tags.of(&invite),
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
        self.read(move |db| find(db, &tags, &code)).await
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
            if let Ok(invite) = listed(checked)? {
                invites.push(invite);
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
