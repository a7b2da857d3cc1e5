//! Leases.

use async_trait::async_trait;

use crate::fault::Fault;
use crate::leases::{Holder, Leases};
use crate::repository::Repository;

#[async_trait]
impl Leases for Repository {
    fn is_shared(&self) -> bool {
        self.engine.is_shared()
    }

    async fn take_lease(
        &self,
        name: &'static str,
        holder: Holder,
        now: u64,
        ends_at: u64,
    ) -> Result<bool, Fault> {
        self.write(0, move |tx| tx.rows.take_lease(name, &holder, now, ends_at))
            .await
    }

    async fn end_lease(&self, name: &'static str, holder: Holder) -> Result<(), Fault> {
        self.write(0, move |tx| tx.rows.end_lease(name, &holder))
            .await
    }
}
