//! Statements about `settings` and `server_secrets`, and figures.

use crate::classes::{Public, Sealed};
use crate::engine::Answer;
use crate::engine::place::many;
use crate::engine::settings::{SettingChanges, SettingRow, SettingRows};
use crate::engine::sql::{Hold, Sql, count_each};
use crate::statistics::Statistics;

impl<D: Sql> SettingRows for D {
    fn setting(&self, name: &str) -> Answer<Option<SettingRow>> {
        let hold = self.hold(Hold::Shared);
        let sql = format!("SELECT value, tag FROM settings WHERE name = ?1{hold}");
        self.one(many("settings"), &sql, &[&Public(name)], |row| {
            Ok(SettingRow {
                value: row.get(0)?,
                tag: row.get(1)?,
            })
        })
    }

    fn secret(&self, name: &str) -> Answer<Option<Sealed>> {
        let sql = "SELECT encrypted_secret FROM server_secrets WHERE name = ?1";
        self.one(many("server_secrets"), sql, &[&Public(name)], |row| {
            row.get(0)
        })
    }

    fn statistics(&self, now: u64) -> Answer<Statistics> {
        let database_bytes = self.size()?;
        self.one(
            many("statistics"),
            "SELECT (SELECT count(*) FROM users),
                 (SELECT count(*) FROM sessions WHERE expires_at > ?1),
                 (SELECT min(expires_at) FROM sessions WHERE expires_at > ?1),
                 -- Ids have no gaps, and the oldest leave first.
                 coalesce((SELECT max(id) FROM audit_log)
                     - (SELECT min(id) FROM audit_log) + 1, 0),
                 (SELECT count(*) FROM invites WHERE expires_at > ?1 AND uses < max_uses)",
            &[&now],
            |row| {
                Ok(Statistics {
                    users: row.get(0)?,
                    active_sessions: row.get(1)?,
                    next_session_expiry: row.get(2)?,
                    audit_records: row.get(3)?,
                    open_invites: row.get(4)?,
                    database_bytes,
                })
            },
        )
        .map(Option::unwrap_or_default)
    }

    fn count_rows(&self, table: &'static str) -> Answer<u64> {
        self.number(many(table), &format!("SELECT count(*) FROM {table}"), &[])
    }

    fn table_counts(&self) -> Answer<Vec<(String, u64)>> {
        count_each(self)
    }
}

impl<D: Sql> SettingChanges for D {
    fn put_setting(&self, name: &str, value: &str, tag: Option<&[u8]>) -> Answer {
        self.run(
            many("settings"),
            "INSERT INTO settings (name, value, tag) VALUES (?1, ?2, ?3)
             ON CONFLICT (name) DO UPDATE SET value = excluded.value, tag = excluded.tag",
            &[&Public(name), &Public(value), &tag.map(Public)],
        )
    }

    fn swap_setting(&self, name: &str, from: &str, to: &str) -> Answer<bool> {
        let sql = "UPDATE settings SET value = ?1 WHERE name = ?2 AND value = ?3";
        let values = [Public(to), Public(name), Public(from)];
        let [to, name, from] = &values;
        self.changed(many("settings"), sql, &[to, name, from])
    }

    fn delete_setting(&self, name: &str) -> Answer<bool> {
        let sql = "DELETE FROM settings WHERE name = ?1";
        self.changed(many("settings"), sql, &[&Public(name)])
    }

    fn insert_secret(&self, name: &str, secret: &Sealed, now: u64) -> Answer<bool> {
        self.changed(
            many("server_secrets"),
            "INSERT INTO server_secrets (name, encrypted_secret, created_at)
             VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
            &[&Public(name), &secret, &now],
        )
    }

    fn delete_secret(&self, name: &str) -> Answer<bool> {
        let sql = "DELETE FROM server_secrets WHERE name = ?1";
        self.changed(many("server_secrets"), sql, &[&Public(name)])
    }
}
