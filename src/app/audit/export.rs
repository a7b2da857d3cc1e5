//! An export: the lines of the log, in order.

use ::audit::{ExportWriter, Header, ZERO_HASH};
use ambient::Ambient;
use serde::{Deserialize, Serialize};
use store::{AuditItem, Store};

use crate::startup::head_key;

/// Records that are read at once.
const CHUNK: u32 = 500;

/// Which part of the log is exported, and how.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Wanted {
    /// From this time on, in unix seconds.
    pub from: Option<u64>,
    /// Up to this time.
    pub to: Option<u64>,
    /// With the details opened.
    pub details: bool,
}

/// Records of which an export holds less than it should.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Damaged {
    /// Their details do not open.
    pub details: Vec<u64>,
    /// They cannot be read and are left out.
    pub unreadable: Vec<u64>,
}

/// What ends an export: the store, or where the lines go.
type Error = Box<dyn std::error::Error>;

/// Gives the lines of an export to `out`, a part of the log at a time.
pub async fn export(
    store: &Store,
    ambient: &Ambient,
    wanted: &Wanted,
    mut out: impl AsyncFnMut(String) -> Result<(), Error>,
) -> Result<Damaged, Error> {
    let key = head_key(store, ambient).await?;
    let whole = wanted.from.is_none() && wanted.to.is_none();
    let range = store.audit_range(wanted.from, wanted.to).await?;
    // The whole log says by its doors why it begins where it begins; a part does not.
    let (after_id, after_hash) = match &range {
        Some((first, _)) if !whole => (first.id - 1, first.previous),
        _ => (0, ZERO_HASH),
    };
    let (mut writer, line) = ExportWriter::begin(&Header {
        created_at: ambient.now(),
        key: key.verify_key(),
        from: wanted.from,
        to: wanted.to,
        after_id,
        after_hash,
    });
    out(line).await?;
    if whole {
        for door in store.audit_doors().await? {
            out(writer.door(&door)).await?;
        }
    }
    let mut damaged = Damaged::default();
    let last = range.map_or(0, |(_, last)| last);
    let mut after = Some(after_id).filter(|_| last > 0);
    'reading: while let Some(id) = after {
        let chunk = store.audit_chunk(id, CHUNK, wanted.details).await?;
        after = chunk.next;
        for item in chunk.items {
            let line = match item {
                AuditItem::Record(record, _) if record.id > last => break 'reading,
                AuditItem::Record(record, seen) => {
                    if seen.damage.is_some() {
                        damaged.details.push(record.id);
                    }
                    writer.record(*record, seen.details, seen.damage.is_some())
                }
                AuditItem::Head(head) if head.head.record_id > last => break 'reading,
                AuditItem::Head(head) => writer.head(head),
                AuditItem::Unreadable(id) if id > last => break 'reading,
                AuditItem::Unreadable(id) => {
                    damaged.unreadable.push(id);
                    continue;
                }
            };
            out(line).await?;
        }
    }
    out(writer.end(&key, &mut ambient.rng(), ambient.now())).await?;
    Ok(damaged)
}
