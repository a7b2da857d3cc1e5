//! Heads of the audit log and the parts in which it is read.

use std::sync::Arc;

use ::audit::{Door, Record, SignedHead};
use async_trait::async_trait;

use crate::audit::authorship::{self, Authorship};
use crate::audit::log::SubjectKeys;
use crate::audit::proof::{AuditChunk, AuditItem, AuditProof, Own};
use crate::audit::{ChainHead, chain, retention};
use crate::engine::{Acting, Rows};
use crate::fault::Fault;
use crate::repository::Repository;
use crate::sealing::sealer::Sealer;

/// Name of the setting that holds the key of the heads.
pub(crate) const AUDIT_KEY: &str = "audit-verify-key";
/// Most records in one part.
const MAX_CHUNK: u32 = 1_000;
/// Bytes of a head in the database, about.
const HEAD_BYTES: usize = 4_900;

/// Opens details and looks at who wrote the records.
fn look_at(rows: &dyn Rows, sealer: &Sealer, items: &mut [AuditItem]) -> Result<(), Fault> {
    let authorship = Authorship::read(rows, &sealer.tags)?;
    let mut keys = SubjectKeys::new(sealer);
    for item in items {
        if let AuditItem::Record(record, seen) = item {
            seen.foreign = !authorship.wrote(rows, record.id, &record.hash)?;
            match keys.details(rows, record)? {
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
        self.read(|rows| rows.chain_tip()).await
    }

    async fn own_audit_tip(
        &self,
        signed: Option<ChainHead>,
        most: Option<u64>,
    ) -> Result<Own, Fault> {
        let tags = Arc::clone(&self.sealer.tags);
        self.read(move |rows| authorship::follow(rows, &tags, signed, most))
            .await
    }

    async fn audit_chunk(&self, after: u64, limit: u32, open: bool) -> Result<AuditChunk, Fault> {
        let sealer = Arc::clone(&self.sealer);
        let limit = limit.clamp(1, MAX_CHUNK);
        self.read(move |rows| {
            let mut items = Vec::new();
            let next = chain::read(rows, after, Some(limit), &mut |item| items.push(item))?;
            if open {
                look_at(rows, &sealer, &mut items)?;
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
        self.read(move |rows| {
            let first = rows.first_record_since(from.unwrap_or(0))?;
            let last = rows.last_record_until(to.unwrap_or(u64::MAX))?;
            let Some((first, last)) = first.zip(last).filter(|(first, last)| first <= last) else {
                return Ok(None);
            };
            let found = rows.records_after(first.saturating_sub(1), 1)?.pop();
            Ok(found.map(|it| it.record).transpose()?.map(|it| (it, last)))
        })
        .await
    }

    async fn newest_audit_head(&self) -> Result<Option<SignedHead>, Fault> {
        self.read(|rows| rows.newest_head()).await
    }

    async fn append_audit_head(&self, signed: SignedHead) -> Result<bool, Fault> {
        self.write(HEAD_BYTES, move |tx| {
            let head = &signed.head;
            let before = tx
                .rows
                .newest_head()?
                .map(|it| (it.head.number, it.head.record_id));
            let (number, record_id) = before.unwrap_or_default();
            let hash = tx.rows.record_mark(head.record_id)?.map(|(hash, _)| hash);
            let fits =
                head.number == number + 1 && head.record_id >= record_id && hash == Some(head.hash);
            if fits {
                tx.rows.insert_head(&signed)?;
                authorship::note_signed(tx.rows, tx.tags, head.record_id)?;
            }
            Ok::<_, Fault>(fits)
        })
        .await
    }

    async fn audit_doors(&self) -> Result<Vec<Door>, Fault> {
        self.read(|rows| rows.doors()).await
    }

    async fn open_audit_door(&self, cutoff: u64, now: u64) -> Result<Option<Door>, Fault> {
        let found = self
            .read(move |rows| retention::next(rows, cutoff, now))
            .await?;
        let Some(door) = found else {
            return Ok(None);
        };
        let keys = SubjectKeys::new(&self.sealer);
        let details = serde_json::json!({ "through_id": door.through_id, "cutoff": cutoff });
        let record = keys.seal_commitment(door.commitment(), ::audit::RETENTION, now, &details)?;
        let events = vec![record];
        self.write_for(Acting::Job, 1_024, move |tx| {
            tx.rows.insert_door(&door)?;
            tx.append(&events);
            Ok(Some(door.clone()))
        })
        .await
    }

    async fn pass_audit_door(&self, limit: u32) -> Result<u64, Fault> {
        self.write_for(Acting::Job, 0, move |tx| retention::pass(tx.rows, limit))
            .await
    }

    async fn publish_audit_key(&self, text: String) -> Result<(), Fault> {
        self.write(text.len(), move |tx| match tx.rows.setting(AUDIT_KEY)? {
            Some(known) if known.value == text => Ok(()),
            _ => tx.rows.put_setting(AUDIT_KEY, &text, None),
        })
        .await
    }
}
