//! Figures over SQLite.

use async_trait::async_trait;

use crate::classes::Public;
use crate::damage::Damage;
use crate::fault::Fault;
use crate::sqlite::SqliteBackend;
use crate::sqlite::db::many;
use crate::statistics::{Statistics, StatisticsSource};

/// Bytes of the write that shows whether there is room: about what a sign-in writes.
const PROBE: usize = 16 * 1024;

#[async_trait]
impl StatisticsSource for SqliteBackend {
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
        let value = format!("{now:0>PROBE$}");
        self.write(PROBE, move |tx| {
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

    fn take_damages(&self) -> Vec<Damage> {
        self.sealer.tags.damages.take()
    }
}
