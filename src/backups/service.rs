//! The server's part in backups: when they are due, how far one is, what there is.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use backup::{Kind, Progress, Standing, TargetError, Wish};
use serde::Serialize;
use serde_json::json;
use store::{Restored, Store};
use utoipa::ToSchema;

use super::engine::Engine;
use super::error::BackupError;
use super::files::clear_leftovers;
use crate::accounts::audit;
use crate::admin::intent::{Actor, BACKUP, Intent};
use crate::clock::Ambient;
use crate::config::Config;

/// Seconds until a failed backup is tried again.
const PATIENCE: u64 = 300;
/// Backups that the page lists.
const LISTED: usize = 50;

/// A backup under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Job {
    /// `full` or `incremental`.
    pub kind: String,
    /// What is being done: `copying`, `writing`, `verifying`.
    pub phase: String,
    /// How much of it is done.
    pub done: u64,
    /// How much there is.
    pub total: u64,
    /// Unix seconds.
    pub started_at: u64,
}

/// A backup in the target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Listed {
    /// Its name.
    pub id: String,
    /// `full` or `incremental`.
    pub kind: String,
    /// Unix seconds of its state.
    pub created_at: u64,
    /// Bytes that it holds.
    pub bytes: u64,
    /// Whether the key of the database is inside.
    pub key_inside: bool,
    /// Why it cannot be used, if so.
    pub trouble: Option<String>,
}

/// Backups as administrators see them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct View {
    /// Where they go; absent where nobody said.
    pub target: Option<String>,
    /// Which are kept.
    pub keep: String,
    /// The one under way.
    pub running: Option<Job>,
    /// Unix seconds of the newest one.
    pub last_success: Option<u64>,
    /// Why the last try failed, if it did.
    pub trouble: Option<String>,
    /// Unix seconds at which the next begins by itself.
    pub next_due: Option<u64>,
    /// How many there are.
    pub count: usize,
    /// The newest ones, newest first.
    pub backups: Vec<Listed>,
}

struct Running {
    wish: Wish,
    started_at: u64,
    progress: Progress,
}

#[derive(Default)]
struct State {
    running: Option<Running>,
    /// Whether the target was looked at since the start.
    looked: bool,
    count: usize,
    backups: Vec<Listed>,
    last: Option<u64>,
    last_full: Option<u64>,
    trouble: Option<String>,
    not_before: u64,
    failures: u64,
}

/// Backups of a running server.
pub struct Backups {
    /// Where they go, if somebody said so.
    config: Option<Config>,
    engine: Mutex<Option<Arc<Engine>>>,
    restored: Option<Restored>,
    /// Seconds.
    incremental: u64,
    full: u64,
    keep: String,
    state: Mutex<State>,
}

/// Why a backup was not begun.
#[derive(Debug, thiserror::Error)]
pub enum BeginError {
    /// Nobody said where backups go.
    #[error(transparent)]
    Settings(#[from] BackupError),
    /// One is under way.
    #[error("a backup is under way: wait until it is done")]
    Running,
}

impl Backups {
    /// Reads the settings, removes what a cut left behind, and writes a restore into the audit log.
    pub async fn start(
        config: &Config,
        store: &Store,
        ambient: &Ambient,
    ) -> Result<Self, BackupError> {
        clear_leftovers(&super::engine::database_of(config));
        let engine = match Engine::open(config, ambient) {
            Ok(engine) => engine.map(Arc::new),
            // A disk that is not there yet keeps nobody from chatting.
            Err(cause @ BackupError::Target(TargetError::Folder { .. })) => {
                tracing::error!(%cause, "there are no backups until this is put right");
                None
            }
            Err(error) => return Err(error),
        };
        let restored = store.restored().await?;
        if let Some(restored) = &restored {
            let details = json!({
                "backup_of": restored.at,
                "epoch": hex::encode(restored.epoch),
            });
            let record = audit::event(None, "backup.restored", ambient.now(), details);
            if store.note_restored(vec![record]).await? {
                tracing::warn!(
                    backup_of = restored.at,
                    "this database came out of a backup: sessions ended, public prekeys were withdrawn"
                );
            }
        }
        let wanted = config.backups.backup_target.is_some();
        Ok(Self {
            config: wanted.then(|| config.clone()),
            engine: Mutex::new(engine),
            restored,
            incremental: config.backups.backup_incremental_minutes.saturating_mul(60),
            full: config.backups.backup_full_hours.saturating_mul(3_600),
            keep: config.backups.policy()?.to_string(),
            state: Mutex::default(),
        })
    }

    /// Whether, and of when, the database was restored.
    pub fn restored(&self) -> Option<Restored> {
        self.restored
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The target, opened when it can be.
    fn engine(&self, ambient: &Ambient) -> Result<Arc<Engine>, BackupError> {
        let config = self.config.as_ref().ok_or(BackupError::NoTarget)?;
        let mut engine = self.engine.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(engine) = &*engine {
            return Ok(Arc::clone(engine));
        }
        let opened = Arc::new(Engine::open(config, ambient)?.ok_or(BackupError::NoTarget)?);
        *engine = Some(Arc::clone(&opened));
        Ok(opened)
    }

    /// Begins what is due at this time.
    pub fn tick(self: &Arc<Self>, store: &Store, ambient: &Ambient) {
        if self.config.is_none() {
            return;
        }
        let now = ambient.now();
        let wish = {
            let state = self.state();
            if state.running.is_some() || now < state.not_before {
                return;
            }
            // The first look at the target says when the last one was.
            match state.looked {
                false => None,
                true => match self.due(&state, now) {
                    Some(wish) => Some(wish),
                    None => return,
                },
            }
        };
        let begun = match wish {
            None => self.look(ambient),
            Some(wish) => self
                .begin(store, ambient, wish, Actor::server("the schedule"))
                .map(drop),
        };
        if let Err(cause) = begun {
            self.failed(&cause, now);
        }
    }

    /// Which kind is due.
    fn due(&self, state: &State, now: u64) -> Option<Wish> {
        let after = |last: Option<u64>, every: u64| match last {
            None => self.incremental > 0 || self.full > 0,
            Some(last) => every > 0 && now >= last.saturating_add(every),
        };
        if after(state.last_full, self.full) {
            Some(Wish::Full)
        } else if after(state.last, self.incremental) {
            Some(Wish::Incremental)
        } else {
            None
        }
    }

    /// Begins a backup now; it goes on by itself.
    pub fn begin(
        self: &Arc<Self>,
        store: &Store,
        ambient: &Ambient,
        wish: Wish,
        actor: Actor,
    ) -> Result<Job, BeginError> {
        let engine = self.engine(ambient)?;
        let progress = Progress::default();
        {
            let mut state = self.state();
            if state.running.is_some() {
                return Err(BeginError::Running);
            }
            state.running = Some(Running {
                wish,
                started_at: ambient.now(),
                progress: progress.clone(),
            });
        }
        let (this, store, clock) = (Arc::clone(self), store.clone(), ambient.clone());
        let started = on_a_thread(move || async move {
            let outcome = audited(&engine, &store, &clock, wish, actor, &progress).await;
            this.settle(&engine, &clock, outcome).await;
        });
        if let Err(error) = started {
            self.state().running = None;
            return Err(error.into());
        }
        let state = self.state();
        let job = state.running.as_ref().map(shown);
        Ok(job.unwrap_or_else(|| Job {
            kind: kind_of(wish).to_owned(),
            phase: "waiting".to_owned(),
            done: 0,
            total: 0,
            started_at: ambient.now(),
        }))
    }

    /// Looks at the target once, without making anything.
    fn look(self: &Arc<Self>, ambient: &Ambient) -> Result<(), BeginError> {
        let engine = self.engine(ambient)?;
        // Not again before this one is over.
        self.state().not_before = u64::MAX;
        let (this, clock) = (Arc::clone(self), ambient.clone());
        Ok(on_a_thread(move || async move {
            this.settle(&engine, &clock, Ok(())).await;
        })?)
    }

    /// Keeps what came of it and looks at the target again.
    async fn settle(&self, engine: &Engine, ambient: &Ambient, outcome: Result<(), BackupError>) {
        let found = match outcome {
            Ok(()) => engine.catalogue().await,
            Err(error) => Err(error),
        };
        let now = ambient.now();
        match found {
            Ok(found) => {
                let mut state = self.state();
                state.running = None;
                state.not_before = 0;
                state.looked = true;
                state.trouble = None;
                state.count = found.backups.len();
                let newest = |kind: Option<Kind>| {
                    let mut whole = found.manifests().rev().filter(|it| found.is_whole(it));
                    let fitting = whole.find(|it| kind.is_none_or(|kind| it.kind() == kind));
                    // A clock that was wrong once must not keep the schedule waiting for years.
                    fitting.map(|it| it.created_at.min(now))
                };
                state.last = newest(None);
                state.last_full = newest(Some(Kind::Full));
                state.backups = found
                    .backups
                    .iter()
                    .rev()
                    .take(LISTED)
                    .map(listed)
                    .collect();
            }
            Err(cause) => self.failed(&cause, now),
        }
    }

    fn failed(&self, cause: &dyn std::fmt::Display, now: u64) {
        tracing::error!(%cause, "a backup failed and will be tried again");
        let mut state = self.state();
        state.running = None;
        state.failures += 1;
        state.trouble = Some(cause.to_string());
        state.not_before = now + PATIENCE;
    }

    /// What administrators see.
    pub fn view(&self) -> View {
        let state = self.state();
        let next =
            |last: Option<u64>, every: u64| Some(last?.saturating_add(every)).filter(|_| every > 0);
        let next_due = next(state.last, self.incremental)
            .into_iter()
            .chain(next(state.last_full, self.full))
            .min();
        View {
            target: self
                .config
                .as_ref()
                .and_then(|config| config.backups.backup_target.clone()),
            keep: self.keep.clone(),
            running: state.running.as_ref().map(shown),
            last_success: state.last,
            trouble: state.trouble.clone(),
            next_due: next_due.map(|due| due.max(state.not_before)),
            count: state.count,
            backups: state.backups.clone(),
        }
    }

    /// Figures of (name, help, value) for the metrics; none where there are no backups.
    pub fn gauges(&self, now: u64) -> Vec<(&'static str, &'static str, u64)> {
        if self.config.is_none() {
            return Vec::new();
        }
        let state = self.state();
        let mut gauges = vec![
            (
                "backup_failures",
                "Backups that failed since the start.",
                state.failures,
            ),
            ("backups", "Backups in the target.", state.count as u64),
        ];
        if let Some(last) = state.last {
            gauges.push((
                "backup_age_seconds",
                "Age of the newest backup.",
                now.saturating_sub(last),
            ));
        }
        gauges
    }
}

/// Runs work that reads, hashes and seals for long on a thread of its own.
fn on_a_thread<F>(work: impl FnOnce() -> F + Send + 'static) -> Result<(), BackupError>
where
    F: Future<Output = ()>,
{
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(BackupError::Thread)?;
    std::thread::Builder::new()
        .name("backup".to_owned())
        .spawn(move || runtime.block_on(work()))
        .map(drop)
        .map_err(BackupError::Thread)
}

/// Makes a backup between its intent and its outcome.
async fn audited(
    engine: &Arc<Engine>,
    store: &Store,
    ambient: &Ambient,
    wish: Wish,
    actor: Actor,
    progress: &Progress,
) -> Result<(), BackupError> {
    let what = json!({ "kind": kind_of(wish), "target": engine.target().address() });
    let intent = Intent::declare(store, ambient, actor, &BACKUP, what).await?;
    let (engine, store) = (Arc::clone(engine), store.clone());
    let (ambient, progress) = (ambient.clone(), progress.clone());
    intent
        .perform(async move {
            let made = engine
                .back_up(&store, &ambient, wish, None, &progress)
                .await;
            made.map(drop)
        })
        .await
}

fn kind_of(wish: Wish) -> &'static str {
    match wish {
        Wish::Full => Kind::Full.as_str(),
        Wish::Incremental => Kind::Incremental.as_str(),
    }
}

fn shown(running: &Running) -> Job {
    let Standing { phase, done, total } = running.progress.look();
    Job {
        kind: kind_of(running.wish).to_owned(),
        phase: phase.as_str().to_owned(),
        done,
        total,
        started_at: running.started_at,
    }
}

fn listed(listed: &backup::Listed) -> Listed {
    let manifest = listed.manifest.as_ref();
    Listed {
        id: listed.id.to_string(),
        kind: listed.id.kind().as_str().to_owned(),
        created_at: listed.id.time(),
        bytes: manifest.map_or(0, |manifest| manifest.stored_bytes()),
        key_inside: manifest.is_ok_and(|manifest| manifest.key_inside),
        trouble: manifest.err().map(ToString::to_string),
    }
}
