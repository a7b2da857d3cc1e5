//! Starts key jobs, and works on the running one.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::json;
use store::{BeginError, Fault, KekState, KeyJob, NewKey, Store};
use tokio::sync::Notify;

use crate::app::App;
use crate::app::administration::intent::{Actor, Intent, KEY_RENEWAL, KEY_ROTATION};
use crate::app::authority::{Authorized, Principal, permit};
use crate::config::Config;
use ambient::Ambient;

/// How long a job works before it checks whether to stop.
const BUDGET: Duration = Duration::from_millis(40);
/// How long it pauses after that.
const PAUSE: Duration = Duration::from_millis(10);
/// How often the server checks for a job.
const LOOK: Duration = Duration::from_secs(1);
/// How long a job waits after a failure.
const PATIENCE: Duration = Duration::from_secs(30);

/// The server's part in key jobs.
#[derive(Default)]
pub struct KeyService {
    /// Why the running job does not proceed.
    trouble: Mutex<Option<String>>,
    begun: Notify,
}

/// Starts a rotation. Its intent is recorded before, its start with it, and its outcome at its end.
pub async fn rotate(
    store: &Store,
    ambient: &Ambient,
    actor: Actor,
    new: NewKey,
    reason: &str,
) -> Result<KeyJob, BeginError> {
    let intent = Intent::declare(store, ambient, actor, &KEY_ROTATION, json!({})).await?;
    let (store, now, reason) = (store.clone(), ambient.now(), reason.to_owned());
    intent
        .carry_out(async move |declared| {
            let outcome = vec![declared.done(now)];
            store.begin_rotation(new, reason, now, outcome).await
        })
        .await
}

/// Starts a renewal of the data keys.
pub async fn renew(
    store: &Store,
    ambient: &Ambient,
    actor: Actor,
    reason: &str,
) -> Result<KeyJob, BeginError> {
    let intent = Intent::declare(store, ambient, actor, &KEY_RENEWAL, json!({})).await?;
    let (store, now, reason) = (store.clone(), ambient.now(), reason.to_owned());
    intent
        .carry_out(async move |declared| {
            let outcome = vec![declared.done(now)];
            store.begin_renewal(reason, now, outcome).await
        })
        .await
}

/// Works on the running job until it ends, without a server; reports progress.
pub async fn drive(
    store: &Store,
    ambient: &Ambient,
    mut tell: impl FnMut(&KeyJob),
) -> Result<(), Fault> {
    while let Some(job) = store.step_key_job(BUDGET, ambient.now()).await? {
        let finished = job.finished;
        tell(&job);
        if finished {
            break;
        }
    }
    Ok(())
}

impl KeyService {
    /// Returns why the running job does not proceed, if so.
    pub fn trouble(&self) -> Option<String> {
        self.trouble
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn set_trouble(&self, trouble: Option<String>) {
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = trouble;
    }

    /// Wakes the worker of jobs.
    pub fn begun(&self) {
        self.begun.notify_one();
    }

    /// Starts a rotation.
    pub async fn rotate(
        &self,
        app: &App,
        actor: Actor,
        new: NewKey,
        reason: &str,
    ) -> Result<KeyJob, BeginError> {
        let job = rotate(app.store(), app.ambient(), actor, new, reason).await?;
        self.begun();
        Ok(job)
    }

    /// Starts a renewal of the data keys.
    pub async fn renew(&self, app: &App, actor: Actor, reason: &str) -> Result<KeyJob, BeginError> {
        let job = renew(app.store(), app.ambient(), actor, reason).await?;
        self.begun();
        Ok(job)
    }

    /// Starts a rotation if another provider was configured or the key is old enough.
    pub async fn begin_what_is_due(&self, app: &App) -> Result<(), Fault> {
        if let Some(job) = app.store().key_job().await?
            && !job.finished
        {
            return Ok(());
        }
        let keks = app.store().keks().await?;
        let Some(active) = keks.into_iter().find(|kek| kek.state == KekState::Active) else {
            return Ok(());
        };
        let reason = if active.provider != app.config().keys.kek_provider.tag().to_string() {
            "another provider is configured"
        } else if due_at(app.config(), active.created_at)
            .is_some_and(|due| due <= app.ambient().now())
        {
            "the key is as old as keys may be"
        } else {
            return Ok(());
        };
        tracing::info!(reason, "a rotation of the keys begins");
        let Ok(server) = Authorized::<permit::ChangeKeys>::check(Principal::Server(reason)) else {
            return Ok(());
        };
        let actor = Actor::of(&server, None);
        match self.rotate(app, actor, NewKey::Configured, reason).await {
            Ok(_) | Err(BeginError::Running(_)) => Ok(()),
            Err(BeginError::Fault(fault)) => Err(fault),
            Err(error) => {
                tracing::error!(cause = %error, "the keys could not be rotated; it is tried again");
                self.set_trouble(Some(error.to_string()));
                Ok(())
            }
        }
    }

    /// Works on the running job briefly; returns whether there is more to do.
    pub async fn step(&self, app: &App) -> Result<bool, Fault> {
        let stepped = app.store().step_key_job(BUDGET, app.ambient().now()).await;
        match stepped {
            Ok(None) => Ok(false),
            Ok(Some(job)) => {
                self.set_trouble(None);
                if job.finished {
                    tracing::info!(values = job.done, reason = job.reason, "a key job is done");
                }
                Ok(!job.finished)
            }
            Err(fault) => {
                tracing::error!(cause = %fault, "a key job cannot go on; it is tried again");
                self.set_trouble(Some(fault.to_string()));
                Err(fault)
            }
        }
    }
}

/// Returns when a key of this creation time is to be replaced.
pub fn due_at(config: &Config, created_at: u64) -> Option<u64> {
    let days = config.keys.kek_days;
    (days > 0).then(|| created_at.saturating_add(days.saturating_mul(86_400)))
}

/// Works on key jobs until the future is dropped.
pub async fn run(app: Arc<App>) {
    loop {
        let wait = match app.keys().step(&app).await {
            Ok(true) => PAUSE,
            Ok(false) => LOOK,
            Err(_) => PATIENCE,
        };
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = app.keys().begun.notified() => {}
        }
    }
}
