//! Heads of the audit log and the parts in which it is read.

use std::sync::Arc;

use ::audit::{Door, Head, Record, SignedHead};
use async_trait::async_trait;
use rusqlite::Row;

use crate::audit::ChainHead;
use crate::audit::authorship::{self, Authorship};
use crate::audit::chain;
use crate::audit::log::SubjectKeys;
use crate::audit::proof::{AuditChunk, AuditItem, AuditProof, Own};
use crate::audit::retention;
use crate::engine::sqlite::db::{Db, many};
use crate::fault::Fault;
use crate::repository::Repository;
use crate::sealing::classes::Public;
use crate::sealing::sealer::Sealer;

/// Name of the setting that holds the key of the heads.
pub(crate) const AUDIT_KEY: Public<&str> = Public("audit-verify-key");
/// Most records in one part.
const MAX_CHUNK: u32 = 1_000;
/// Bytes of a head in the database, about.
const HEAD_BYTES: usize = 4_900;

/// Reads a row of `id, record_id, hash, timestamp, signature`.
///
/// One that cannot be read comes back with what can be, and its signature will not hold.
pub(crate) fn read_head(row: &Row<'_>) -> rusqlite::Result<SignedHead> {
    Ok(SignedHead {
        head: Head {
            number: row.get(0).unwrap_or_default(),
            record_id: row.get(1).unwrap_or_default(),
            hash: row.get(2).unwrap_or([0; 64]),
            timestamp: row.get(3).unwrap_or_default(),
        },
        signature: row.get(4).unwrap_or_default(),
    })
}

fn newest(db: Db<'_>) -> Result<Option<SignedHead>, Fault> {
    let sql = "SELECT id, record_id, hash, timestamp, signature FROM audit_heads
               ORDER BY id DESC LIMIT 1";
    db.one(many("audit_heads"), sql, [], read_head)
}

/// Opens details and looks at who wrote the records.
fn look_at(db: Db<'_>, sealer: &Sealer, items: &mut [AuditItem]) -> Result<(), Fault> {
    let authorship = Authorship::read(db, &sealer.tags)?;
    let mut keys = SubjectKeys::new(sealer);
    for item in items {
        if let AuditItem::Record(record, seen) = item {
            seen.foreign = !authorship.wrote(db, record.id, &record.hash)?;
            match keys.details(db, record)? {
                Ok(details) => seen.details = details,
                Err(damage) => seen.damage = Some(damage),
            }
        }
    }
    Ok(())
}

#[async_trait]
impl AuditProof for Repository {
    async fn audit_tip(&self) -> Result<ChainHead, Fault> {
        self.read(|db| {
            let tip = chain::tip(db)?;
            Ok(ChainHead {
                id: tip.id,
                hash: tip.hash,
            })
        })
        .await
    }

    async fn own_audit_tip(
        &self,
        signed: Option<ChainHead>,
        most: Option<u64>,
    ) -> Result<Own, Fault> {
        let tags = Arc::clone(&self.sealer.tags);
        self.read(move |db| authorship::follow(db, &tags, signed, most))
            .await
    }

    async fn audit_chunk(&self, after: u64, limit: u32, open: bool) -> Result<AuditChunk, Fault> {
        let sealer = Arc::clone(&self.sealer);
        let limit = limit.clamp(1, MAX_CHUNK);
        self.read(move |db| {
            let mut items = Vec::new();
            let next = chain::read(db, after, Some(limit), &mut |item| items.push(item))?;
            if open {
                look_at(db, &sealer, &mut items)?;
            }
            Ok(AuditChunk { items, next })
        })
        .await
    }

    async fn audit_range(
        &self,
        from: Option<u64>,
        to: Option<u64>,
    ) -> Result<Option<(Record, u64)>, Fault> {
        self.read(move |db| chain::range(db, from, to)).await
    }

    async fn newest_audit_head(&self) -> Result<Option<SignedHead>, Fault> {
        self.read(newest).await
    }

    async fn append_audit_head(&self, head: SignedHead) -> Result<bool, Fault> {
        self.write(HEAD_BYTES, move |tx| {
            let SignedHead { head, signature } = head;
            let before = newest(tx.db)?.map(|it| (it.head.number, it.head.record_id));
            let (number, record_id) = before.unwrap_or_default();
            let sql = "SELECT hash FROM audit_log WHERE id = ?1";
            let hash: Option<[u8; 64]> =
                tx.db
                    .one(many("audit_log"), sql, [head.record_id], |row| row.get(0))?;
            let fits =
                head.number == number + 1 && head.record_id >= record_id && hash == Some(head.hash);
            if fits {
                tx.db.execute(
                    many("audit_heads"),
                    "INSERT INTO audit_heads (id, record_id, hash, timestamp, signature)
                     VALUES (?1, ?2, ?3, ?4, ?5)",
                    (
                        head.number,
                        head.record_id,
                        &head.hash,
                        head.timestamp,
                        Public(signature),
                    ),
                )?;
                authorship::note_signed(tx.db, tx.tags, head.record_id)?;
            }
            Ok::<_, Fault>(fits)
        })
        .await
    }

    async fn audit_doors(&self) -> Result<Vec<Door>, Fault> {
        self.read(chain::doors).await
    }

    async fn open_audit_door(&self, cutoff: u64, now: u64) -> Result<Option<Door>, Fault> {
        let found = self
            .read(move |db| retention::next(db, cutoff, now))
            .await?;
        let Some(door) = found else {
            return Ok(None);
        };
        let keys = SubjectKeys::new(&self.sealer);
        let details = serde_json::json!({ "through_id": door.through_id, "cutoff": cutoff });
        let record = keys.seal_commitment(door.commitment(), ::audit::RETENTION, now, &details)?;
        self.write(1_024, move |tx| {
            retention::open(tx, &door, record)?;
            Ok(Some(door))
        })
        .await
    }

    async fn pass_audit_door(&self, limit: u32) -> Result<u64, Fault> {
        self.write(0, move |tx| retention::pass(tx.db, limit)).await
    }

    async fn publish_audit_key(&self, text: String) -> Result<(), Fault> {
        self.write(text.len(), move |tx| {
            tx.db
                .execute(
                    many("settings"),
                    "INSERT INTO settings (name, value) VALUES (?1, ?2)
                     ON CONFLICT (name) DO UPDATE SET value = excluded.value
                     WHERE value <> excluded.value",
                    (AUDIT_KEY, Public(text)),
                )
                .map(drop)
        })
        .await
    }
}
