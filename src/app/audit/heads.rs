//! Signs heads: each minute if there are new records, and each thousand records; never over a record that
//! this server did not write.

use api::Action;
use std::sync::Arc;

use ::audit::{Head, SignedHead, Witnessed};
use serde_json::json;
use store::{ChainHead, Fault, Store};

use super::Auditor;
use crate::app::accounts::audit;
use ambient::Ambient;

impl Auditor {
    /// Signs heads if enough records or enough time have passed: one for each thousand records, however many
    /// came at once.
    pub(super) async fn sign_when_due(
        &self,
        store: &Store,
        ambient: &Ambient,
    ) -> Result<(), Fault> {
        let every = self.settings.audit_head_every.max(1);
        let tip = store.audit_tip().await?;
        loop {
            let (record_id, timestamp) = self
                .state()
                .newest
                .map_or((0, 0), |head| (head.record_id, head.timestamp));
            let new = tip.id.saturating_sub(record_id);
            let waited = ambient.now().saturating_sub(timestamp);
            if new == 0 || (new < every && waited < self.settings.audit_head_secs) {
                return Ok(());
            }
            if !self.sign(store, ambient, Some(every)).await? {
                return Ok(());
            }
        }
    }

    /// Signs the newest record of this server, at most `most` records after the newest head, unless that head
    /// covers it. Returns whether it made a head.
    pub(super) async fn sign(
        &self,
        store: &Store,
        ambient: &Ambient,
        most: Option<u64>,
    ) -> Result<bool, Fault> {
        let (newest, tip) = loop {
            if self.state().foreign.is_some() {
                return Ok(false);
            }
            let newest = self.state().newest;
            let signed = newest.map(|head| ChainHead {
                id: head.record_id,
                hash: head.hash,
            });
            let own = store.own_audit_tip(signed, most).await?;
            let Some(foreign) = own.foreign else {
                break (newest, own.tip);
            };
            let there = store.newest_audit_head().await?;
            let known = newest.map_or(0, |head| head.number);
            if there.as_ref().is_some_and(|it| it.head.number > known) {
                // Another instance signed since: what it signed is judged, and then what came after it.
                self.build_on(store, ambient, there).await?;
                continue;
            }
            self.refuse(store, ambient, foreign.id, foreign.to_string())
                .await?;
            break (newest, own.tip);
        };
        if tip.id == 0 || newest.is_some_and(|head| head.record_id >= tip.id) {
            return Ok(false);
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
            self.build_on(store, ambient, newest).await?;
        }
        Ok(true)
    }

    /// Continues from the newest head of the database if its signature is valid; otherwise stops signing.
    pub(super) async fn build_on(
        &self,
        store: &Store,
        ambient: &Ambient,
        newest: Option<SignedHead>,
    ) -> Result<(), Fault> {
        match newest {
            Some(head) if !self.verify_key.verify(&head) => {
                let head = head.head;
                let reason = format!(
                    "head {} of record {}: it is not signed with this server's key",
                    head.number, head.record_id
                );
                self.refuse(store, ambient, head.record_id, reason).await
            }
            newest => {
                self.state().newest = newest.map(|head| head.head);
                Ok(())
            }
        }
    }

    /// Stops signing, and reports it in the server's log, in the audit log, in the measurements and on the
    /// admin page.
    async fn refuse(
        &self,
        store: &Store,
        ambient: &Ambient,
        record: u64,
        reason: String,
    ) -> Result<(), Fault> {
        tracing::error!(
            %reason,
            "the audit log holds what this server did not write: no head is signed over it or after \
             it; keep a copy of the database, find out who can write to it, and restore a backup"
        );
        self.state().foreign = Some(reason.clone());
        let details = json!({ "record": record, "reason": reason });
        let record = audit::event(None, Action::AuditForeignRecord, ambient.now(), details);
        store.append_audit(vec![record]).await
    }
}
