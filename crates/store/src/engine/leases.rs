//! Rows of `leases`.

use crate::engine::Answer;

/// Changes leases.
pub(crate) trait LeaseChanges {
    /// Gives a lease to this holder, until then; `false` while it is another's.
    fn take_lease(&self, name: &str, holder: &[u8; 16], now: u64, ends_at: u64) -> Answer<bool>;

    /// Takes a lease away from this holder.
    fn end_lease(&self, name: &str, holder: &[u8; 16]) -> Answer;
}
