//! Signing heads: each minute when there is something new, and each thousand records.

use std::sync::Arc;

use ::audit::{Head, Witnessed};
use store::{ChainHead, Fault, Store};

use super::Auditor;
use crate::clock::Ambient;

impl Auditor {
    /// Signs a head where enough records or enough time have passed.
    pub(super) async fn sign_when_due(
        &self,
        store: &Store,
        ambient: &Ambient,
    ) -> Result<(), Fault> {
        let tip = store.audit_tip().await?;
        let (record_id, timestamp) = self
            .state()
            .newest
            .map_or((0, 0), |head| (head.record_id, head.timestamp));
        let new = tip.id.saturating_sub(record_id);
        let waited = ambient.now().saturating_sub(timestamp);
        let many = new >= self.settings.audit_head_every;
        if new == 0 || (!many && waited < self.settings.audit_head_secs) {
            return Ok(());
        }
        self.sign(store, ambient, tip).await
    }

    /// Signs a record, unless a head does already, and offers the head to the witnesses.
    pub(super) async fn sign(
        &self,
        store: &Store,
        ambient: &Ambient,
        tip: ChainHead,
    ) -> Result<(), Fault> {
        let newest = self.state().newest;
        if tip.id == 0 || newest.is_some_and(|head| head.record_id >= tip.id) {
            return Ok(());
        }
        let head = Head {
            number: newest.map_or(0, |head| head.number) + 1,
            record_id: tip.id,
            hash: tip.hash,
            timestamp: ambient.now(),
        };
        let key = Arc::clone(&self.key);
        let mut rng = ambient.rng();
        // Two signatures take milliseconds, which the threads that serve do not have.
        let signed = tokio::task::spawn_blocking(move || key.sign(&mut rng, head))
            .await
            .map_err(|_| Fault::Unavailable("signing ended by an internal error".to_owned()))?;
        if store.append_audit_head(signed.clone()).await? {
            self.state().newest = Some(head);
            let line = Witnessed::new(&signed, self.fingerprint).line();
            self.witnesses.offer(head.record_id, &line);
        } else {
            // Another process signed: what it signed is the newest.
            let newest = store.newest_audit_head().await?;
            self.state().newest = newest.map(|head| head.head);
        }
        Ok(())
    }
}
