//! Rows of `settings` and `server_secrets`.

use crate::classes::Sealed;
use crate::fault::Fault;
use crate::statistics::Statistics;

/// A setting's value, and its tag if it decides.
pub(crate) struct SettingRow {
    pub value: String,
    pub tag: Option<Vec<u8>>,
}

/// Reads settings, secrets and figures.
pub(crate) trait SettingRows {
    fn setting(&self, name: &str) -> Result<Option<SettingRow>, Fault>;

    fn secret(&self, name: &str) -> Result<Option<Sealed>, Fault>;

    fn statistics(&self, now: u64) -> Result<Statistics, Fault>;

    fn count_rows(&self, table: &'static str) -> Result<u64, Fault>;

    /// Rows of each table, by name.
    fn table_counts(&self) -> Result<Vec<(String, u64)>, Fault>;
}

/// Changes settings and secrets.
pub(crate) trait SettingChanges {
    fn put_setting(&self, name: &str, value: &str, tag: Option<&[u8]>) -> Result<(), Fault>;

    /// Replaces a value without a tag; `false` if it was another.
    fn swap_setting(&self, name: &str, from: &str, to: &str) -> Result<bool, Fault>;

    /// Adds one to a number without a tag, which begins with 0.
    fn count_up(&self, name: &str) -> Result<(), Fault>;

    fn delete_setting(&self, name: &str) -> Result<bool, Fault>;

    /// Inserts a secret; `false` if there is one with this name.
    fn insert_secret(&self, name: &str, secret: &Sealed, now: u64) -> Result<bool, Fault>;

    fn delete_secret(&self, name: &str) -> Result<bool, Fault>;
}
