//! Verifies the audit log in parts while the server runs.

use std::sync::PoisonError;

use ::audit::Verifier;
use serde::Serialize;
use store::{Fault, Store};
use utoipa::ToSchema;

use super::Auditor;
use ambient::Ambient;

/// Records of one part.
const CHUNK: u32 = 500;

/// The most findings that are shown.
const SHOWN: usize = 20;

/// The verification in progress, and the result of the last.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
pub struct Verification {
    /// Whether a verification is in progress.
    pub running: bool,
    /// Records that it has read.
    pub done: u64,
    /// Number of records when it began.
    pub total: u64,
    /// Result of the last verification.
    pub last: Option<Verified>,
}

/// Result of a verification.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Verified {
    /// Whether there are no findings.
    pub whole: bool,
    /// Unix seconds of its end.
    pub at: u64,
    /// Number of records that were read.
    pub records: u64,
    /// Number of the first record.
    pub from: u64,
    /// Number of the last record.
    pub to: u64,
    /// Number of heads with valid signatures.
    pub heads: u64,
    /// The newest record that a verified head signs.
    pub vouched: u64,
    /// Findings, each in one sentence.
    pub findings: Vec<String>,
}

impl Verified {
    /// Returns whether a record was verified and a head covers it.
    pub fn covers(&self, record: u64) -> bool {
        self.whole && (self.from..=self.vouched).contains(&record)
    }
}

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
