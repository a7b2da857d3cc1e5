//! Copies of the database: what a restore withdraws, and what it leaves behind.

use std::path::{Path, PathBuf};

use async_trait::async_trait;

use crate::audit::AuditEvent;
use crate::engine::{Acting, Changes, alone};
use crate::fault::Fault;
use crate::repository::Repository;
use crate::sealing::columns::MOVING;
use crate::snapshot::{OnCopied, Restored, Samples, Snapshot, SnapshotError, Snapshots};

const RESTORED_AT: &str = "restored_at";
const RESTORE_EPOCH: &str = "restore_epoch";
const RESTORE_NOTED: &str = "restore_noted";

#[async_trait]
impl Snapshots for Repository {
    async fn snapshot(&self, into: PathBuf, copied: OnCopied) -> Result<Snapshot, SnapshotError> {
        self.engine.snapshot(into, copied, withdraw).await
    }

    async fn table_counts(&self) -> Result<Vec<(String, u64)>, Fault> {
        self.read(|rows| rows.table_counts()).await
    }

    async fn open_samples(&self, each: u32) -> Result<Vec<Samples>, Fault> {
        let mut samples = Vec::with_capacity(MOVING.len());
        for moving in &MOVING {
            let rows = self
                .read(move |rows| rows.walk(&moving.walk, &moving.start(), None, each as usize))
                .await?;
            let mut opened = 0;
            for row in &rows {
                if let Some(sealed) = &row.sealed {
                    self.sealer.open(moving.column, &row.name, sealed)?;
                    opened += 1;
                }
            }
            samples.push(Samples {
                column: format!("{}.{}", moving.column.table, moving.column.column),
                opened,
            });
        }
        Ok(samples)
    }

    async fn restored(&self) -> Result<Option<Restored>, Fault> {
        self.read(|rows| {
            let at = rows.setting(RESTORED_AT)?;
            let Some((at, epoch)) = at.zip(rows.setting(RESTORE_EPOCH)?) else {
                return Ok(None);
            };
            let damaged = |name| Fault::damaged("settings", name, "it cannot be read");
            let mut bytes = [0; 16];
            hex::decode_to_slice(&epoch.value, &mut bytes).map_err(|_| damaged(RESTORE_EPOCH))?;
            Ok(Some(Restored {
                epoch: bytes,
                at: at.value.parse().map_err(|_| damaged(RESTORED_AT))?,
            }))
        })
        .await
    }

    async fn note_restored(&self, audit: Vec<AuditEvent>) -> Result<bool, Fault> {
        self.record_change(Acting::Server, 0, audit, |tx| {
            tx.rows.swap_setting(RESTORE_NOTED, "no", "yes")
        })
        .await
    }
}

/// Deletes what a restore withdraws and no backup holds.
///
/// The rows of the stock stay, because they keep the number of the newest batch, which must not decrease.
fn withdraw(rows: &dyn Changes) -> Result<(), Fault> {
    rows.delete_all_sessions()?;
    rows.delete_all_prekey_safes()?;
    rows.withdraw_all_prekeys()
}

/// See [`crate::snapshot::mark_restored`].
pub(crate) fn mark_restored(database: &Path, restored: &Restored) -> Result<(), Fault> {
    alone(database, |rows| {
        withdraw(rows)?;
        rows.put_setting(RESTORED_AT, &restored.at.to_string(), None)?;
        rows.put_setting(RESTORE_EPOCH, &hex::encode(restored.epoch), None)?;
        rows.put_setting(RESTORE_NOTED, "no", None)
    })
}
