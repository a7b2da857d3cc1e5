//! Figures over SQLite.

use async_trait::async_trait;

use crate::fault::Fault;
use crate::sqlite::SqliteBackend;
use crate::sqlite::db::many;
use crate::statistics::{Statistics, StatisticsSource};

#[async_trait]
impl StatisticsSource for SqliteBackend {
    async fn statistics(&self, now: u64) -> Result<Statistics, Fault> {
        self.read(move |db| {
            db.one(
                many("sqlite_schema"),
                "SELECT (SELECT count(*) FROM users),
                     (SELECT count(*) FROM sessions WHERE expires_at > ?1),
                     (SELECT min(expires_at) FROM sessions WHERE expires_at > ?1),
                     (SELECT count(*) FROM audit_log),
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

    async fn health(&self) -> Result<(), Fault> {
        let sql = "SELECT count(*) FROM settings";
        self.read(move |db| db.number(many("settings"), sql, []))
            .await?;
        self.write(0, move |tx| {
            tx.db.number(many("settings"), sql, []).map(drop)
        })
        .await
    }
}
