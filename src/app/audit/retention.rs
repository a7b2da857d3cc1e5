//! Letting old records go, once a day, a few at a time.

use store::{Fault, Store};

use super::Auditor;
use ambient::Ambient;

/// Seconds between two looks at what is too old.
const DAY: u64 = 86_400;

/// Rows that are deleted in one go: a few milliseconds of the writer.
const CHUNK: u32 = 200;

/// Goes in one tick, so that a tick stays short.
const CHUNKS: usize = 20;

impl Auditor {
    /// Opens a door where one is due, and lets through what may go.
    pub(super) async fn retain(&self, store: &Store, ambient: &Ambient) -> Result<(), Fault> {
        // Whoever reads in order right now would miss what goes.
        let Ok(_order) = self.order.try_lock() else {
            return Ok(());
        };
        let now = ambient.now();
        let days = self.settings.audit_retention_days;
        let looked = self.state().looked;
        if days > 0 && now >= looked + DAY {
            let cutoff = now.saturating_sub(days.saturating_mul(DAY));
            let door = store.open_audit_door(cutoff, now).await?;
            if let Some(door) = &door {
                tracing::info!(through = door.through_id, "old audit records may go");
            }
            let mut state = self.state();
            state.looked = now;
            state.passing |= door.is_some();
        }
        if !self.state().passing {
            return Ok(());
        }
        // Nothing goes before a head on the disk vouches for the door.
        self.sign_now(store, ambient).await?;
        for _ in 0..CHUNKS {
            if store.pass_audit_door(CHUNK).await? == 0 {
                self.state().passing = false;
                break;
            }
        }
        Ok(())
    }
}
