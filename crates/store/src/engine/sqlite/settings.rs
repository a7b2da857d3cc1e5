//! Statements about `settings` and `server_secrets`, and figures.

use crate::classes::{Public, Sealed};
use crate::engine::Answer;
use crate::engine::place::many;
use crate::engine::settings::{SettingChanges, SettingRow, SettingRows};
use crate::engine::sqlite::db::Db;
use crate::statistics::Statistics;

impl SettingRows for Db<'_> {
    fn setting(&self, name: &str) -> Answer<Option<SettingRow>> {
        let sql = "SELECT value, tag FROM settings WHERE name = ?1";
        self.one(many("settings"), sql, [Public(name)], |row| {
            Ok(SettingRow {
                value: row.get(0)?,
                tag: row.get(1)?,
            })
        })
    }

    fn secret(&self, name: &str) -> Answer<Option<Sealed>> {
        let sql = "SELECT encrypted_secret FROM server_secrets WHERE name = ?1";
        self.one(many("server_secrets"), sql, [Public(name)], |row| {
            row.get(0)
        })
    }

    fn statistics(&self, now: u64) -> Answer<Statistics> {
        self.one(
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
        .map(Option::unwrap_or_default)
    }

    fn count_rows(&self, table: &'static str) -> Answer<u64> {
        self.number(many(table), &format!("SELECT count(*) FROM {table}"), [])
    }

    fn table_counts(&self) -> Answer<Vec<(String, u64)>> {
        let place = many("sqlite_schema");
        let names: Vec<String> = self.all(
            place,
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%'
                 ESCAPE '\\' ORDER BY name",
            [],
            |row| row.get(0),
        )?;
        names
            .into_iter()
            .map(|name| {
                let sql = format!("SELECT count(*) FROM \"{}\"", name.replace('"', "\"\""));
                Ok((name, self.number(place, &sql, [])?))
            })
            .collect()
    }
}

impl SettingChanges for Db<'_> {
    fn put_setting(&self, name: &str, value: &str, tag: Option<&[u8]>) -> Answer {
        self.run(
            many("settings"),
            "INSERT INTO settings (name, value, tag) VALUES (?1, ?2, ?3)
             ON CONFLICT (name) DO UPDATE SET value = excluded.value, tag = excluded.tag",
            (Public(name), Public(value), tag.map(Public)),
        )
    }

    fn swap_setting(&self, name: &str, from: &str, to: &str) -> Answer<bool> {
        let sql = "UPDATE settings SET value = ?1 WHERE name = ?2 AND value = ?3";
        let values = (Public(to), Public(name), Public(from));
        self.changed(many("settings"), sql, values)
    }

    fn delete_setting(&self, name: &str) -> Answer<bool> {
        let sql = "DELETE FROM settings WHERE name = ?1";
        self.changed(many("settings"), sql, [Public(name)])
    }

    fn insert_secret(&self, name: &str, secret: &Sealed, now: u64) -> Answer<bool> {
        self.changed(
            many("server_secrets"),
            "INSERT INTO server_secrets (name, encrypted_secret, created_at)
             VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
            (Public(name), secret, now),
        )
    }

    fn delete_secret(&self, name: &str) -> Answer<bool> {
        let sql = "DELETE FROM server_secrets WHERE name = ?1";
        self.changed(many("server_secrets"), sql, [Public(name)])
    }
}
