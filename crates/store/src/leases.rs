//! Leases: what only one instance may do at a time.

use async_trait::async_trait;

use crate::fault::Fault;

/// An instance of the server; random at each start.
pub type Holder = [u8; 16];

/// Takes and ends leases.
///
/// Times are unix seconds of the instance's own clock: clocks of instances may differ by less than what a lease
/// has left when it is renewed.
#[async_trait]
pub trait Leases: Send + Sync {
    /// Whether other instances may have the same database; without them nobody needs a lease.
    fn is_shared(&self) -> bool;

    /// Takes a lease, or keeps it, until `ends_at`; `false` while another instance has it.
    async fn take_lease(
        &self,
        name: &'static str,
        holder: Holder,
        now: u64,
        ends_at: u64,
    ) -> Result<bool, Fault>;

    /// Gives a lease back, if this instance has it.
    async fn end_lease(&self, name: &'static str, holder: Holder) -> Result<(), Fault>;
}
