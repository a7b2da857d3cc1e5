//! Verifies the audit log in parts while the server runs.

use std::sync::PoisonError;

use ::audit::Verifier;
use api::bodies::{Verification, Verified};
use store::{Fault, Store};

use super::Auditor;
use ambient::Ambient;

/// Records of one part.
const CHUNK: u32 = 500;

/// The most findings that are shown.
const SHOWN: usize = 20;

impl Auditor {
    /// Returns the verification that runs or ran last.
    pub fn verification(&self) -> Verification {
        self.verifying().clone()
    }

    /// Marks a verification as started; returns `false` if one is in progress.
    pub fn begin_verification(&self) -> bool {
        let mut verification = self.verifying();
        !std::mem::replace(&mut verification.running, true)
    }

    /// Marks the verification in progress as aborted.
    pub fn abandon_verification(&self) {
        self.verifying().running = false;
    }

    /// Verifies the whole log, in constant memory, with the keys: also that this server wrote each
    /// record, and that details open.
    pub async fn verify(&self, store: &Store, ambient: &Ambient) -> Result<Verified, Fault> {
        let result = self.read_in_order(store, ambient).await;
        let mut verification = self.verifying();
        verification.running = false;
        if let Ok(verified) = &result {
            verification.last = Some(verified.clone());
        }
        result
    }

    async fn read_in_order(&self, store: &Store, ambient: &Ambient) -> Result<Verified, Fault> {
        let _order = self.order.lock().await;
        let tip = store.audit_tip().await?;
        // So that a head vouches for everything that is read.
        self.sign(store, ambient, None).await?;
        {
            let mut verification = self.verifying();
            verification.done = 0;
            verification.total = tip.id;
        }
        let mut verifier = Verifier::new(Some(self.verify_key.clone()), None);
        for door in store.audit_doors().await? {
            verifier.door(door);
        }
        let mut after = Some(0);
        while let Some(id) = after {
            let chunk = store.audit_chunk(id, CHUNK, true).await?;
            after = chunk.next;
            // Signatures take their time, which the threads that serve do not have.
            let checked = tokio::task::spawn_blocking(move || {
                for item in chunk.items {
                    item.verify(&mut verifier);
                }
                verifier
            });
            verifier = checked
                .await
                .map_err(|_| Fault::Unavailable("an internal error".to_owned()))?;
            self.verifying().done = verifier.last();
        }
        let verdict = verifier.finish();
        let findings = verdict.findings.iter().take(SHOWN);
        Ok(Verified {
            whole: verdict.is_whole(),
            at: ambient.now(),
            records: verdict.records,
            from: verdict.from,
            to: verdict.to,
            heads: verdict.heads,
            vouched: verdict.vouched,
            findings: findings.map(ToString::to_string).collect(),
        })
    }

    fn verifying(&self) -> std::sync::MutexGuard<'_, Verification> {
        self.verification
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
