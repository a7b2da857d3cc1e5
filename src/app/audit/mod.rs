//! The audit log's proof while the server runs: heads, witnesses, retention, verification.

mod deliver;
mod export;
mod heads;
pub(crate) mod record;
mod repeats;
mod retention;
mod rollback;
mod verification;
mod witness;

use std::sync::{Arc, Mutex, PoisonError};

use ::audit::{Fingerprint, Head, HeadSigningKey, HeadVerifyKey, Header};
use api::bodies::{AuditProof, NewestHead, Verification, WitnessState};
use store::{AuditFilter, CLOCK_TOLERANCE_SECS, Fault, Store};

pub use self::deliver::{WitnessFileError, check_witness_file};
pub use self::export::{Damaged, Wanted, export};
pub use self::repeats::Repeats;
pub use self::witness::{Backoff, Witnesses};
use crate::config::Auditing;
use ambient::Ambient;

/// Name of the secret that signs heads.
pub const SECRET: &str = "audit-signing";

/// What signs heads, sends them to witnesses, lets old records go and verifies what is left.
pub struct Auditor {
    key: Arc<HeadSigningKey>,
    verify_key: HeadVerifyKey,
    fingerprint: Fingerprint,
    settings: Auditing,
    witnesses: Witnesses,
    state: Mutex<State>,
    verification: Mutex<Verification>,
    /// Held while records are read in order, and while some are deleted.
    order: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct State {
    newest: Option<Head>,
    /// When the door was last looked at, in unix seconds.
    looked: u64,
    /// Whether something may still be waiting to go through the door.
    passing: bool,
    rolled_back: Option<String>,
    /// What in the log this server did not write; nothing is signed from there on.
    foreign: Option<String>,
}

/// Warns where the log ends in the future.
async fn warn_of_the_clock(store: &Store, ambient: &Ambient) -> Result<(), Fault> {
    let page = store.query_audit(AuditFilter::default(), None, 1).await?;
    let record = page.records.first().map(|record| record.timestamp);
    let head = store.newest_audit_head().await?;
    let newest = record.max(head.map(|signed| signed.head.timestamp));
    let now = ambient.now();
    if let Some(at) = newest
        && at > now.saturating_add(CLOCK_TOLERANCE_SECS)
    {
        tracing::warn!(
            newest_record = at,
            now,
            "the audit log ends in the future: the clock was ahead, or is behind now; look at the clock \
             and its time server. Sessions that began in the future are ended, and what was dated in the \
             future keeps its date"
        );
    }
    Ok(())
}

impl Auditor {
    /// Joins the parts and looks whether a witness knows more than the database.
    ///
    /// Before the server's first record of this start: a witness is asked what was there.
    pub async fn start(
        store: &Store,
        ambient: &Ambient,
        key: HeadSigningKey,
        settings: Auditing,
        witnesses: Witnesses,
    ) -> Result<Self, Fault> {
        warn_of_the_clock(store, ambient).await?;
        let verify_key = key.verify_key();
        let fingerprint = verify_key.fingerprint();
        store
            .publish_audit_key(Header::key_text(&verify_key))
            .await?;
        let addresses = settings.witnesses().unwrap_or_default();
        let known = rollback::newest_in_files(addresses, verify_key.clone()).await;
        let rolled_back = rollback::look(store, ambient, known).await?;
        let this = Self {
            key: Arc::new(key),
            verify_key,
            fingerprint,
            settings,
            witnesses,
            state: Mutex::new(State {
                newest: None,
                // What a kill left half way goes on at once.
                passing: true,
                looked: 0,
                rolled_back,
                foreign: None,
            }),
            verification: Mutex::new(Verification::default()),
            order: tokio::sync::Mutex::new(()),
        };
        let newest = store.newest_audit_head().await?;
        this.build_on(store, ambient, newest).await?;
        // What is there before this start writes anything is looked at before anything else.
        this.sign(store, ambient, None).await?;
        Ok(this)
    }

    /// Returns the key that heads are verified with, as it is published.
    pub fn published_key(&self) -> (String, String) {
        (
            self.fingerprint.to_string(),
            Header::key_text(&self.verify_key),
        )
    }

    /// Does what is due: a head, and what the retention lets go.
    pub async fn tick(&self, store: &Store, ambient: &Ambient) {
        if let Err(cause) = self.sign_when_due(store, ambient).await {
            tracing::error!(%cause, "no head could be signed; it will be tried again");
        }
        if let Err(cause) = self.retain(store, ambient).await {
            tracing::error!(%cause, "the audit log's retention failed and will be tried again");
        }
    }

    /// Signs what is new, as at the start and at the end.
    pub async fn sign_now(&self, store: &Store, ambient: &Ambient) -> Result<(), Fault> {
        self.sign(store, ambient, None).await.map(drop)
    }

    /// Sends what waits once more and lets go of the witnesses. It blocks.
    pub fn close(&self) {
        self.witnesses.close();
    }

    /// Returns the state for the admin page.
    pub async fn proof(&self, store: &Store) -> Result<AuditProof, Fault> {
        let tip = store.audit_tip().await?;
        let state = self.state();
        Ok(AuditProof {
            key: self.fingerprint.to_string(),
            head: state.newest.map(|head| NewestHead {
                number: head.number,
                record_id: head.record_id,
                hash: hex::encode(head.hash),
                timestamp: head.timestamp,
            }),
            newest_record: tip.id,
            witnesses: self.witnesses.states(),
            rolled_back: state.rolled_back.clone(),
            foreign: state.foreign.clone(),
            verification: self.verification(),
        })
    }

    /// Returns figures for the measurements: name, help, value.
    pub fn gauges(&self) -> [(&'static str, &'static str, u64); 6] {
        let states = self.witnesses.states();
        let sum = |of: fn(&WitnessState) -> u64| states.iter().map(of).sum();
        let state = self.state();
        [
            (
                "audit_head_record",
                "The newest record that a head signs.",
                state.newest.map_or(0, |head| head.record_id),
            ),
            (
                "audit_head_seconds",
                "Unix time of the newest head.",
                state.newest.map_or(0, |head| head.timestamp),
            ),
            (
                "audit_witness_failures",
                "Heads that a witness did not take at the first try.",
                sum(|it| it.failures),
            ),
            (
                "audit_witness_waiting",
                "Heads that wait for a witness.",
                sum(|it| it.waiting),
            ),
            (
                "audit_rolled_back",
                "Whether a witness knows more than the database.",
                u64::from(state.rolled_back.is_some()),
            ),
            (
                "audit_foreign",
                "Whether the log holds what this server did not write.",
                u64::from(state.foreign.is_some()),
            ),
        ]
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
