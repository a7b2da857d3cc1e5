//! Figures over SQLite.

use async_trait::async_trait;

use crate::damage::Damage;
use crate::engine::sqlite::db::many;
use crate::fault::Fault;
use crate::repository::Repository;
use crate::sealing::classes::Public;
use crate::statistics::{Statistics, StatisticsSource};

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
            tx.db
                .execute(
                    many("settings"),
                    "INSERT INTO settings (name, value) VALUES ('probe', ?1)
                     ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                    [Public(value)],
                )
                .map(drop)
        })
        .await
    }
}

#[async_trait]
impl StatisticsSource for Repository {
    async fn statistics(&self, now: u64) -> Result<Statistics, Fault> {
        self.read(move |db| {
            db.one(
                many("sqlite_schema"),
                "SELECT (SELECT count(*) FROM users),
                     (SELECT count(*) FROM sessions WHERE expires_at > ?1),
                     (SELECT min(expires_at) FROM sessions WHERE expires_at > ?1),
                     -- Ids have no gaps, and the oldest leave first.
                     coalesce((SELECT max(id) FROM audit_log)
                         - (SELECT min(id) FROM audit_log) + 1, 0),
                     (SELECT count(*) FROM invites WHERE expires_at > ?1 AND uses < max_uses),
                     (SELECT page_count * page_size FROM pragma_page_count, pragma_page_size)",
                [now],
                |row| {
                    Ok(Statistics {
                        users: row.get(0)?,
                        active_sessions: row.get(1)?,
                        next_session_expiry: row.get(2)?,
                        audit_records: row.get(3)?,
                        open_invites: row.get(4)?,
                        database_bytes: row.get(5)?,
                    })
                },
            )
        })
        .await
        .map(Option::unwrap_or_default)
    }

    async fn health(&self, now: u64) -> Result<(), Fault> {
        let sql = "SELECT count(*) FROM settings";
        self.read(move |db| db.number(many("settings"), sql, []))
            .await?;
        // A write that is undone would never meet the disk.
        let lacking = self.writer.lacking();
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
