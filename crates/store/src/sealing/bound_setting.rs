//! Rows of `settings` that decide who may do what; each has a tag.

use crate::engine::settings::SettingRow;
use crate::engine::{Changes, Rows};
use crate::fault::Fault;
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
    pub(crate) fn find(rows: &dyn Rows, tags: &Tags, name: &str) -> Result<Option<String>, Fault> {
        let Some(SettingRow { value, tag }) = rows.setting(name)? else {
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
    pub(crate) fn value(rows: &dyn Rows, tags: &Tags, name: &str) -> Result<String, Fault> {
        let gone = || Fault::damaged("settings", name, "the row is gone");
        Self::find(rows, tags, name)?.ok_or_else(gone)
    }

    /// Writes a setting.
    pub(crate) fn put(
        rows: &dyn Changes,
        tags: &Tags,
        name: &str,
        value: &str,
    ) -> Result<(), Fault> {
        let tag = tags.of(&BoundSetting { name, value });
        rows.put_setting(name, value, Some(&tag))
    }
}
