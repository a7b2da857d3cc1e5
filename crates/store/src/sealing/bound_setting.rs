//! Rows of `settings` that decide who may do what; each has a tag.

use crate::engine::sqlite::db::{Db, many};
use crate::fault::Fault;
use crate::sealing::classes::Public;
use crate::sealing::tags::{Tagged, Tags};

/// Who may register.
pub(crate) const REGISTRATION: &str = "registration";
/// Whether the first administrator has been made.
pub(crate) const SETUP: &str = "setup";
pub(crate) const SETUP_OPEN: &str = "open";
pub(crate) const SETUP_DONE: &str = "done";
/// The link that makes an administrator, as `hash:expires_at`.
pub(crate) const ADMIN_LINK: &str = "admin_link";
/// The newest audit record of before records had tags, as `id:hash`.
pub(crate) const AUDIT_ADOPTED: &str = "audit_adopted";
/// The newest audit record that a head signs: a log without it was cut.
pub(crate) const AUDIT_SIGNED: &str = "audit_signed";
/// Those that a database may have had before rows had tags.
pub(crate) const BEFORE_TAGS: [&str; 3] = [REGISTRATION, SETUP, ADMIN_LINK];

/// A setting that decides.
pub(crate) struct BoundSetting<'a> {
    pub name: &'a str,
    pub value: &'a str,
}

impl Tagged for BoundSetting<'_> {
    const TABLE: &'static str = "settings";

    fn with_values<T>(&self, use_them: impl FnOnce(&[&[u8]]) -> T) -> T {
        use_them(&[self.name.as_bytes(), self.value.as_bytes()])
    }
}

impl BoundSetting<'_> {
    /// The value of a setting that may be absent.
    pub(crate) fn find(db: Db<'_>, tags: &Tags, name: &str) -> Result<Option<String>, Fault> {
        let sql = "SELECT value, tag FROM settings WHERE name = ?1";
        let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
        let found: Option<(String, Option<Vec<u8>>)> =
            db.one(many("settings"), sql, [Public(name)], read)?;
        let Some((value, tag)) = found else {
            return Ok(None);
        };
        let bound = BoundSetting {
            name,
            value: &value,
        };
        tags.damages.noted(if tags.fits(&bound, tag.as_deref()) {
            Ok(Some(value))
        } else {
            let reason = "it was changed by somebody else than this program";
            Err(Fault::damaged("settings", name, reason))
        })
    }

    /// The value of a setting that every database has.
    pub(crate) fn value(db: Db<'_>, tags: &Tags, name: &str) -> Result<String, Fault> {
        let gone = || Fault::damaged("settings", name, "the row is gone");
        Self::find(db, tags, name)?.ok_or_else(gone)
    }

    /// Writes a setting.
    pub(crate) fn put(db: Db<'_>, tags: &Tags, name: &str, value: &str) -> Result<(), Fault> {
        let tag = tags.of(&BoundSetting { name, value });
        db.execute(
            many("settings"),
            "INSERT INTO settings (name, value, tag) VALUES (?1, ?2, ?3)
             ON CONFLICT (name) DO UPDATE SET value = excluded.value, tag = excluded.tag",
            (Public(name), Public(value), tag),
        )
        .map(drop)
    }
}
