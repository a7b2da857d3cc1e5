//! Backups in the running server: schedule, progress and list.

use api::Action;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use api::bodies::{self, Backup, BackupJob};
use backup::{Kind, Progress, TargetError, Wish};
use serde_json::json;
use store::{Restored, Store};
use tokio::sync::oneshot;

use super::engine::{Engine, warn_of_the_future};
use super::error::BackupError;
use super::files::clear_leftovers;
use super::schedule::{Newest, Schedule};
use super::view::{Running, shown};
use super::work::{Report, Work, carry_out};
use crate::app::accounts::audit;
use crate::app::administration::intent::Actor;
use crate::app::authority::{Authorized, Denied, Principal, permit};
use crate::config::Config;
use ambient::Ambient;

/// Seconds before a failed backup is tried again.
const PATIENCE: u64 = 300;
/// The most backups that the page lists.
const LISTED: usize = 50;

#[derive(Default)]
struct State {
    running: Option<Running>,
    /// Whether the target was read since the start.
    looked: bool,
    count: usize,
    backups: Vec<Backup>,
    newest: Newest,
    trouble: Option<String>,
    not_before: u64,
    failures: u64,
}

/// Backups of a running server.
pub struct Backups {
    /// The target, if it is configured.
    config: Option<Config>,
    engine: Mutex<Option<Arc<Engine>>>,
    restored: Option<Restored>,
    schedule: Schedule,
    keep: String,
    state: Mutex<State>,
}

/// Work that was begun.
pub struct Begun {
    /// As administrators see it.
    pub job: BackupJob,
    /// How far it is.
    pub progress: Progress,
    /// What came of it, or why nothing did.
    pub outcome: oneshot::Receiver<Result<Report, String>>,
}

/// Why work was not started.
#[derive(Debug, thiserror::Error)]
pub enum BeginError {
    /// No backup target is configured.
    #[error(transparent)]
    Settings(#[from] BackupError),
    /// A backup is in progress.
    #[error("a backup is under way: wait until it is done")]
    Running,
    /// The caller may not.
    #[error(transparent)]
    Denied(#[from] Denied),
}

impl Backups {
    /// Reads the settings, removes the files of an interrupted run, and records a restore in the audit log.
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
            let record = audit::event(None, Action::BackupRestored, ambient.now(), details);
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
            schedule: Schedule {
                incremental: config.backups.backup_incremental_minutes.saturating_mul(60),
                full: config.backups.backup_full_hours.saturating_mul(3_600),
            },
            keep: config.backups.policy()?.to_string(),
            state: Mutex::default(),
        })
    }

    /// Returns the restore of the database, if it was restored.
    pub fn restored(&self) -> Option<Restored> {
        self.restored
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the target; opens it first if needed.
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

    /// Starts the backup that is due at this time.
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
                true => match self.schedule.due(state.newest, now) {
                    Some(wish) => Some(wish),
                    None => return,
                },
            }
        };
        let begun = match wish {
            None => self.look(ambient),
            Some(wish) => self.begin_by_schedule(store, ambient, wish),
        };
        if let Err(cause) = begun {
            self.failed(&cause, now);
        }
    }

    fn begin_by_schedule(
        self: &Arc<Self>,
        store: &Store,
        ambient: &Ambient,
        wish: Wish,
    ) -> Result<(), BeginError> {
        let schedule = Principal::Server("the schedule");
        let server: Authorized<permit::MakeBackups> = Authorized::check(schedule)?;
        let actor = Actor::of(&server, None);
        let work = Work::Make {
            wish,
            with_key: false,
        };
        self.begin(store, ambient, work, actor).map(drop)
    }

    /// Starts work, which continues in the background.
    pub fn begin(
        self: &Arc<Self>,
        store: &Store,
        ambient: &Ambient,
        work: Work,
        actor: Actor,
    ) -> Result<Begun, BeginError> {
        let engine = self.engine(ambient)?;
        let config = self.config.clone().ok_or(BackupError::NoTarget)?;
        if matches!(work, Work::Make { with_key: true, .. }) {
            engine.key_file()?;
        }
        let progress = Progress::default();
        let wish = work.wish();
        let running = Running {
            wish: wish.unwrap_or(Wish::Incremental),
            started_at: ambient.now(),
            progress: progress.clone(),
        };
        let job = running.job();
        if wish.is_some() {
            let mut state = self.state();
            if state.running.is_some() {
                return Err(BeginError::Running);
            }
            state.running = Some(running);
        }
        let (tell, outcome) = oneshot::channel();
        let (this, store, clock) = (Arc::clone(self), store.clone(), ambient.clone());
        let begun = Begun {
            job,
            progress: progress.clone(),
            outcome,
        };
        let started = on_a_thread(move || async move {
            let done = carry_out(work, &engine, &config, &store, &clock, actor, &progress).await;
            let told = done
                .as_ref()
                .map(Report::clone)
                .map_err(ToString::to_string);
            if wish.is_some() {
                this.settle(&engine, &clock, done.map(drop)).await;
            }
            // Nobody may be waiting.
            let _told = tell.send(told);
        });
        if let Err(error) = started {
            if wish.is_some() {
                self.state().running = None;
            }
            return Err(error.into());
        }
        Ok(begun)
    }

    /// Reads the target once, without making anything.
    fn look(self: &Arc<Self>, ambient: &Ambient) -> Result<(), BeginError> {
        let engine = self.engine(ambient)?;
        // Not again before this one is over.
        self.state().not_before = u64::MAX;
        let (this, clock) = (Arc::clone(self), ambient.clone());
        Ok(on_a_thread(move || async move {
            this.settle(&engine, &clock, Ok(())).await;
        })?)
    }

    /// Stores the result and reads the target again.
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
                let future: Vec<_> = found.of_the_future(now).cloned().collect();
                warn_of_the_future(&future);
                let newest = |kind: Option<Kind>| {
                    let mut whole = found.manifests().rev().filter(|it| found.is_whole(it));
                    // A clock that was wrong once must not keep the schedule waiting for years.
                    let fitting = whole.find(|it| {
                        !future.contains(&it.id) && kind.is_none_or(|kind| it.kind() == kind)
                    });
                    fitting.map(|it| it.created_at.min(now))
                };
                state.newest = Newest {
                    any: newest(None),
                    full: newest(Some(Kind::Full)),
                };
                state.backups = found.backups.iter().rev().take(LISTED).map(shown).collect();
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
    pub fn view(&self) -> bodies::Backups {
        let state = self.state();
        let next_due = self.schedule.next(state.newest);
        bodies::Backups {
            target: self
                .config
                .as_ref()
                .and_then(|config| config.backups.backup_target.clone()),
            keep: self.keep.clone(),
            running: state.running.as_ref().map(Running::job),
            last_success: state.newest.any,
            trouble: state.trouble.clone(),
            next_due: next_due.map(|due| due.max(state.not_before)),
            count: state.count,
            backups: state.backups.clone(),
        }
    }

    /// Returns figures of (name, help, value) for the metrics; none without backups.
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
        if let Some(last) = state.newest.any {
            gauges.push((
                "backup_age_seconds",
                "Age of the newest backup.",
                now.saturating_sub(last),
            ));
        }
        gauges
    }
}

/// Runs long work on a separate thread.
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
