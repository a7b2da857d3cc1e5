//! Background jobs: expiry, clean-up, pruning, returning memory.
//!
//! Each job reads the injected clock; only [`Jobs::run`] waits, and tests call [`Jobs::tick`].

mod lead;

use api::Action;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::json;
use store::{Damage, Fault};

use crate::app::App;
use crate::app::accounts::audit;
use crate::app::backups::clear_leftovers;
use crate::app::jobs::lead::Lead;

/// Messages that one step of the purge ends at most, so that requests go on in between.
const PURGE_STEP: usize = 512;

/// Seconds between two runs of what is done each minute.
const MINUTE: u64 = 60;

/// The server's jobs.
#[derive(Clone)]
pub struct Jobs {
    app: Arc<App>,
    last_minute: Arc<AtomicU64>,
    lead: Arc<Lead>,
}

impl Jobs {
    /// Makes the jobs; nothing runs yet.
    pub fn new(app: Arc<App>) -> Self {
        let last_minute = Arc::new(AtomicU64::new(app.ambient().now()));
        let lead = Arc::new(Lead::new(app.ambient().random()));
        Self {
            app,
            last_minute,
            lead,
        }
    }

    /// Cleans up what expired while the server was down.
    pub async fn at_start(&self) -> Result<(), Fault> {
        let now = self.app.ambient().now();
        let ended = self.app.sessions().clean_up(now).await?;
        tracing::info!(sessions = ended, "expired sessions were ended");
        self.app.keys().begin_what_is_due(&self.app).await?;
        self.keep_figures(now).await?;
        self.prune().await
    }

    /// Reads the figures of the database for the measurements.
    async fn keep_figures(&self, now: u64) -> Result<(), Fault> {
        let figures = self.app.store().statistics(now).await?;
        self.app.metrics().keep(figures);
        Ok(())
    }

    /// Runs what is due at this time of the injected clock.
    pub async fn tick(&self) {
        self.purge().await;
        let now = self.app.ambient().now();
        self.app.sessions().sweep(now, false).await;
        self.app.sessions().finish_sign_outs(now).await;
        self.write_repeats(false).await;
        let (store, ambient) = (self.app.store(), self.app.ambient());
        if self.lead.leads(store, now).await {
            self.app.auditor().tick(store, ambient).await;
            self.app.backups().tick(store, ambient);
        }
        if store.is_shared() {
            self.follow_others().await;
        }
        let last = self.last_minute.load(Ordering::Relaxed);
        if now >= last + MINUTE {
            self.last_minute.store(now, Ordering::Relaxed);
            if let Err(cause) = self.each_minute(now).await {
                tracing::error!(%cause, "a job failed and will be tried again");
            }
        }
    }

    /// Ticks until the future is dropped: each second, or earlier where a message ends earlier.
    pub async fn run(self) {
        loop {
            let now_ms = self.app.ambient().now_ms();
            let due_ms = self.app.vault().next_expiry_ms().await;
            let due_ms = due_ms.ok().flatten().unwrap_or(u64::MAX);
            let wait_ms = due_ms.saturating_sub(now_ms).clamp(20, 1000);
            tokio::time::sleep(Duration::from_millis(wait_ms)).await;
            self.tick().await;
            let vault = Arc::clone(&self.app);
            // It takes milliseconds, which the threads that serve do not have.
            let _ = tokio::task::spawn_blocking(move || vault.vault().give_back_when_idle()).await;
        }
    }

    /// Writes what waits to be written and ends what has expired.
    pub async fn at_shutdown(&self) -> Result<(), Fault> {
        let now = self.app.ambient().now();
        self.app.sessions().sweep(now, true).await;
        self.app.sessions().finish_sign_outs(now).await;
        self.write_repeats(true).await;
        self.lead.give_up(self.app.store()).await;
        self.app.sessions().clean_up(now).await.map(drop)
    }

    /// Writes records that wait and counts whose time is over; with `all` every count.
    async fn write_repeats(&self, all: bool) {
        let due = self.app.repeats().due(all);
        if due.is_empty() {
            return;
        }
        if let Err(cause) = self.app.store().append_audit(due.clone()).await {
            tracing::error!(%cause, "audit records were not written and will be tried again");
            self.app.repeats().put_back(due);
        }
    }

    /// Takes over what other instances changed.
    async fn follow_others(&self) {
        let store = self.app.store();
        if let Err(cause) = self.app.setup().look_again(store).await {
            tracing::error!(%cause, "settings that another instance changed are not followed yet");
        }
        if let Err(cause) = store.follow_keys().await {
            tracing::error!(%cause, "a key that another instance made is not followed yet");
        }
        if let Err(cause) = self.app.sessions().follow_changes().await {
            tracing::error!(%cause, "accounts that another instance changed are not followed yet");
        }
    }

    async fn purge(&self) {
        loop {
            match self.app.vault().purge_due(PURGE_STEP).await {
                Ok(report) if report.more => tokio::task::yield_now().await,
                Ok(_) => return,
                Err(cause) => {
                    tracing::error!(%cause, "what expired is not wiped yet and will be tried again");
                    return;
                }
            }
        }
    }

    async fn each_minute(&self, now: u64) -> Result<(), Fault> {
        let requests = self.app.metrics().take_unreadable_requests();
        if requests > 0 {
            tracing::warn!(requests, "requests that could not be read were refused");
        }
        // First, where a notice of another instance was lost: whatever else fails, who was shut out stays so.
        if self.app.store().is_shared()
            && let Err(cause) = self.app.sessions().look_again().await
        {
            tracing::error!(%cause, "sessions that ended elsewhere are not all known yet");
        }
        self.app.repeats().forget_idle();
        self.app.sessions().forget_superseded(now);
        if let Err(cause) = self.app.plane().tidy().await {
            tracing::error!(%cause, "what expired in the ephemeral plane is not forgotten yet");
        }
        self.check_plane().await;
        self.note_what_was_met(now).await?;
        self.keep_figures(now).await?;
        self.clear_leftovers().await;
        if !self.lead.leads(self.app.store(), now).await {
            return Ok(());
        }
        self.app.sessions().clean_up(now).await?;
        self.app.keys().begin_what_is_due(&self.app).await?;
        self.prune().await
    }

    /// Looks at whether the ephemeral plane is still set up to forget.
    async fn check_plane(&self) {
        let trouble = match self.app.plane().check().await {
            Ok(Ok(())) => return,
            Ok(Err(trouble)) => trouble.to_string(),
            Err(cause) => cause.to_string(),
        };
        tracing::error!(trouble, "the ephemeral plane cannot be used");
    }

    /// Removes what a backup that was killed left beside the database.
    async fn clear_leftovers(&self) {
        let Ok(database) = self.app.config().database_path() else {
            return;
        };
        let _ = tokio::task::spawn_blocking(move || clear_leftovers(&database)).await;
    }

    /// Writes down the rows that were met damaged, each once since the start.
    async fn note_what_was_met(&self, now: u64) -> Result<(), Fault> {
        let mut records = Vec::new();
        for Damage { table, row, reason } in self.app.store().take_damages() {
            let details = json!({ "table": table, "row": row, "reason": reason });
            records.push(audit::event(None, Action::StoreRowDamaged, now, details));
        }
        if records.is_empty() {
            return Ok(());
        }
        self.app.store().append_audit(records).await
    }

    async fn prune(&self) -> Result<(), Fault> {
        let now = self.app.ambient().now();
        while self.app.store().prune_prekeys(now).await? > 0 {}
        while self.app.store().prune_invites(now).await? > 0 {}
        Ok(())
    }
}
