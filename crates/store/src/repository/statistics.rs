//! Figures, and whether the database can be written.

use async_trait::async_trait;

use crate::damage::Damage;
use crate::fault::Fault;
use crate::repository::Repository;
use crate::statistics::{ReplicaUse, Statistics, StatisticsSource};

/// Bytes of the write that shows whether there is room: about what a sign-in writes.
const PROBE: usize = 16 * 1024;
/// Bytes of it at least and at most once there was no room: pages of several tables take more than the
/// values that are written.
const LACKING: usize = 256 * 1024;
const LARGEST: usize = 4 * 1024 * 1024;

impl Repository {
    /// Writes so many bytes for the time; they count as `weight` for the writer.
    async fn probe(&self, now: u64, bytes: usize, weight: usize) -> Result<(), Fault> {
        let now = now.to_string();
        let value = "0".repeat(bytes.saturating_sub(now.len())) + &now;
        self.write(bytes.max(weight), move |tx| {
            tx.rows.put_setting("probe", &value, None)
        })
        .await
    }
}

#[async_trait]
impl StatisticsSource for Repository {
    async fn statistics(&self, now: u64) -> Result<Statistics, Fault> {
        self.look_up(move |rows| rows.statistics(now)).await
    }

    fn replicas(&self) -> ReplicaUse {
        self.engine.replicas()
    }

    async fn health(&self, now: u64) -> Result<(), Fault> {
        self.read(|rows| rows.count_rows("settings")).await?;
        // A write that is undone would never meet the disk.
        let lacking = self.engine.lacking();
        if lacking > 0 {
            // Somebody was told that there is no room: less than they needed proves nothing.
            let needed = lacking.clamp(LACKING, LARGEST);
            self.probe(now, needed, lacking).await?;
        }
        self.probe(now, PROBE, PROBE).await
    }

    fn take_damages(&self) -> Vec<Damage> {
        self.sealer.tags.damages.take()
    }
}
