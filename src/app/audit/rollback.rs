//! At the start: does a witness in a file know more than the database?

use api::Action;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use ::audit::{HeadVerifyKey, Outside, Witnessed};
use serde_json::json;
use store::{AuditItem, Fault, Store};

use crate::app::accounts::audit;
use crate::config::WitnessAddress;
use ambient::Ambient;

/// Bytes at the end of a file that hold its last line.
const TAIL: u64 = 32 * 1024;

/// A head that a witness holds: record, hash, unix seconds.
pub(super) type Known = (u64, [u8; 64], u64);

/// Reads the newest head of each file, where its signatures hold.
pub(super) async fn newest_in_files(
    addresses: Vec<WitnessAddress>,
    key: HeadVerifyKey,
) -> Vec<Known> {
    let read = move || {
        let files = addresses.iter().filter_map(|address| match address {
            WitnessAddress::File(path) => Some(path),
            _ => None,
        });
        files.filter_map(|path| newest_in(path, &key)).collect()
    };
    tokio::task::spawn_blocking(read).await.unwrap_or_default()
}

fn newest_in(path: &Path, key: &HeadVerifyKey) -> Option<Known> {
    let mut file = keyring::regular_file::open(path).ok()?;
    let len = file.metadata().ok()?.len();
    file.seek(SeekFrom::Start(len.saturating_sub(TAIL))).ok()?;
    let mut tail = Vec::new();
    file.take(TAIL).read_to_end(&mut tail).ok()?;
    let mut lines = tail.split(|byte| *byte == b'\n').rev();
    let line = lines.find(|line| Witnessed::parse(line).is_ok())?;
    let mut outside = Outside::under(key.clone());
    outside.line(line).ok()?;
    if outside.is_empty() {
        tracing::warn!(
            witness = %path.display(),
            "the newest head in this file is not signed by this server: it is another server's, or \
             forged"
        );
        return None;
    }
    let head = Witnessed::parse(line).ok()?.head().head;
    Some((head.record_id, head.hash, head.timestamp))
}

/// Compares what the witnesses know with the log; says so loudly, and in the log itself.
pub(super) async fn look(
    store: &Store,
    ambient: &Ambient,
    known: Vec<Known>,
) -> Result<Option<String>, Fault> {
    let tip = store.audit_tip().await?;
    for (record_id, hash, at) in known {
        let reason = if record_id > tip.id {
            format!(
                "A witness has a head of record {record_id} of unix time {at}, and the log ends with \
                 record {}.",
                tip.id
            )
        } else if differs(store, record_id, &hash).await? {
            format!("A witness has a head of another record {record_id}, of unix time {at}.")
        } else {
            continue;
        };
        tracing::error!(
            %reason,
            "the database is older than a witness remembers: it was restored, rolled back or cut; \
             `secure-messaging audit verify --against` has the details"
        );
        let details = json!({ "witnessed_record": record_id, "last_record": tip.id, "at": at });
        let record = audit::event(None, Action::AuditRolledBack, ambient.now(), details);
        store.append_audit(vec![record]).await?;
        return Ok(Some(reason));
    }
    Ok(None)
}

async fn differs(store: &Store, record_id: u64, hash: &[u8; 64]) -> Result<bool, Fault> {
    let chunk = store
        .audit_chunk(record_id.saturating_sub(1), 1, false)
        .await?;
    Ok(chunk.items.iter().any(|item| match item {
        AuditItem::Record(record, _) => record.id == record_id && record.hash != *hash,
        _ => false,
    }))
}
