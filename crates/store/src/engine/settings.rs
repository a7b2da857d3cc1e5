//! Rows of `settings` and `server_secrets`.

use crate::classes::Sealed;
use crate::engine::Answer;
use crate::statistics::Statistics;

/// A setting's value, and its tag if it decides.
pub(crate) struct SettingRow {
    pub value: String,
    pub tag: Option<Vec<u8>>,
}

/// Reads settings, secrets and figures.
pub(crate) trait SettingRows {
    fn setting(&self, name: &str) -> Answer<Option<SettingRow>>;

    fn secret(&self, name: &str) -> Answer<Option<Sealed>>;

    fn statistics(&self, now: u64) -> Answer<Statistics>;

    fn count_rows(&self, table: &'static str) -> Answer<u64>;

    /// Rows of each table, by name.
    fn table_counts(&self) -> Answer<Vec<(String, u64)>>;
}

/// Changes settings and secrets.
pub(crate) trait SettingChanges {
    fn put_setting(&self, name: &str, value: &str, tag: Option<&[u8]>) -> Answer;

    /// Replaces a value without a tag; `false` if it was another.
    fn swap_setting(&self, name: &str, from: &str, to: &str) -> Answer<bool>;

    fn delete_setting(&self, name: &str) -> Answer<bool>;

    /// Inserts a secret; `false` if there is one with this name.
    fn insert_secret(&self, name: &str, secret: &Sealed, now: u64) -> Answer<bool>;

    fn delete_secret(&self, name: &str) -> Answer<bool>;
}
