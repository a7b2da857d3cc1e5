//! Replicas that answer look-ups: reads by which nothing is decided, and which may be some seconds old.
//!
//! A replica answers if, on the connection that is about to read, it says that it follows a primary, is of the
//! primary's database and life, and has replayed two things: what this instance was told is committed, so that
//! nobody misses what they did here, and what the primary had `lag` ago. The primary is asked for that twice a
//! second. No clock but this machine's counts, and a database in which nothing happens is never behind.
//!
//! Whatever a replica does not answer, the primary does.

use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use ambient::Clock;
use deadpool_postgres::{Object, Pool};
use futures_util::future::join_all;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

use crate::config::OpenError;
use crate::engine::postgres::connection::{Way, reason};
use crate::engine::postgres::readers;
use crate::engine::postgres::standing::{self, Position, Seen};
use crate::engine::{Acting, Read};
use crate::postgres::PostgresConfig;
use crate::statistics::ReplicaUse;

/// How often the primary and every replica are looked at.
const LOOK: Duration = Duration::from_millis(500);
/// How long a look may take.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often, and how long apart, a replica is asked whether it has what was committed just now.
const ASKED: (u32, Duration) = (20, Duration::from_millis(10));
/// Look-ups that may wait for a replica; the primary takes others.
const QUEUE: usize = 256;

/// Why a replica does not answer.
#[derive(Debug, PartialEq, Eq)]
enum Unfit {
    Away(String),
    NoReplica,
    Another,
    Behind,
    Unknown,
}

impl Unfit {
    fn reason(&self) -> &str {
        match self {
            Self::Away(reason) => reason,
            Self::NoReplica => "it is no replica: it follows no primary",
            Self::Another => {
                "it is of another database, or follows another life of it than DATABASE_URL names"
            }
            Self::Behind => "it is further behind than database_replica_lag_secs",
            Self::Unknown => "the primary does not say how far it is",
        }
    }
}

struct Replica {
    name: String,
    pool: Pool,
    /// What the last look came to; `None` before the first.
    found: Mutex<Option<Result<(), Unfit>>>,
}

impl Replica {
    fn is_in_use(&self) -> bool {
        let found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        matches!(*found, Some(Ok(())))
    }

    /// Keeps what a look came to; the log tells what changed.
    fn keep(&self, new: Result<(), Unfit>) {
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        if *found == Some(Ok(())) && new.is_ok() {
            return;
        }
        match (&*found, &new) {
            (_, Ok(())) => tracing::info!(replica = self.name, "a replica answers look-ups"),
            // One that is away is away in many words.
            (Some(Err(Unfit::Away(_))), Err(Unfit::Away(_))) => {}
            (Some(Err(before)), Err(unfit)) if before == unfit => {}
            (_, Err(unfit)) => tracing::warn!(
                replica = self.name,
                reason = unfit.reason(),
                "a replica is not used; the primary answers"
            ),
        }
        *found = Some(new);
    }
}

/// Every replica, and what is known of the primary.
struct Watched {
    replicas: Vec<Replica>,
    primary: Pool,
    seen: Mutex<Seen>,
    acknowledged: Arc<AtomicI64>,
    lag: Duration,
    clock: Arc<dyn Clock>,
    next: AtomicUsize,
}

/// The replicas that are configured.
pub(crate) struct Replicas {
    watched: Arc<Watched>,
    room: Arc<Semaphore>,
    runtime: Handle,
}

impl Replicas {
    /// Prepares for the replicas that are configured, if there are any, and looks at them from now on;
    /// `acknowledged` is how far this instance has been told that the log is on the disk.
    pub(crate) fn start(
        primary: &Way,
        config: &PostgresConfig,
        acknowledged: Arc<AtomicI64>,
        clock: Arc<dyn Clock>,
        runtime: Handle,
    ) -> Result<Self, OpenError> {
        let prepared = config.replicas.iter().map(|replica| {
            let refused = |error: OpenError| OpenError::Replica(error.to_string());
            let pool = Way::to(replica).and_then(|way| way.readers(replica.readers));
            Ok(Replica {
                name: replica.shown().display().to_string(),
                pool: pool.map_err(refused)?,
                found: Mutex::default(),
            })
        });
        let replicas: Vec<_> = prepared.collect::<Result<_, OpenError>>()?;
        let any = !replicas.is_empty();
        let watched = Arc::new(Watched {
            replicas,
            primary: primary.readers(1)?,
            seen: Mutex::default(),
            acknowledged,
            lag: config.replica_lag,
            clock,
            next: AtomicUsize::default(),
        });
        if any {
            runtime.spawn(watch(Arc::downgrade(&watched)));
        }
        Ok(Self {
            watched,
            room: Arc::new(Semaphore::new(QUEUE)),
            runtime,
        })
    }

    /// Runs a look-up at a replica; gives it back if none may answer.
    pub(crate) async fn submit(&self, work: Read) -> Result<(), Read> {
        if !self.watched.replicas.iter().any(Replica::is_in_use) {
            return Err(work);
        }
        let Ok(permit) = Arc::clone(&self.room).try_acquire_owned() else {
            return Err(work);
        };
        let watched = Arc::clone(&self.watched);
        // Connections belong to the engine's runtime: whoever asks may end before they do.
        let client = self.runtime.spawn(async move { watched.choose().await });
        let Ok(Some(client)) = client.await else {
            return Err(work);
        };
        let runtime = self.runtime.clone();
        self.runtime.spawn_blocking(move || {
            let _permit = permit;
            readers::run(client, &runtime, Acting::Server, work);
        });
        Ok(())
    }

    /// How many there are, and how many answer.
    pub(crate) fn in_use(&self) -> ReplicaUse {
        let replicas = &self.watched.replicas;
        ReplicaUse {
            configured: replicas.len() as u64,
            in_use: replicas.iter().filter(|it| it.is_in_use()).count() as u64,
        }
    }

    /// Refuses more; what is under way ends by itself.
    pub(crate) fn close(&self) {
        self.room.close();
        self.watched.primary.close();
        self.watched.replicas.iter().for_each(|it| it.pool.close());
    }
}

/// Looks at all of them until the engine is gone.
async fn watch(watched: Weak<Watched>) {
    let mut looks = interval(LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        looks.tick().await;
        let Some(watched) = watched.upgrade() else {
            return;
        };
        if watched.primary.is_closed() {
            return;
        }
        watched.look().await;
    }
}

impl Watched {
    async fn look(&self) {
        let now = self.clock.monotonic();
        let asked = async {
            let client = self.primary.get().await.ok()?;
            standing::ask(&client).await.ok()
        };
        if let Ok(Some(standing)) = timeout(PATIENCE, asked).await
            && !standing.follows
        {
            let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            seen.keep(now, &standing);
        }
        let looks = self.replicas.iter().map(|replica| async {
            let looked = timeout(PATIENCE, self.fit(replica, 0));
            let silent = Err(Unfit::Away("it does not answer".to_owned()));
            replica.keep(looked.await.unwrap_or(silent).map(drop));
        });
        join_all(looks).await;
    }

    /// A connection to a replica that has everything up to a position, and is not too far behind.
    async fn fit(&self, replica: &Replica, committed: Position) -> Result<Object, Unfit> {
        let away = |reason: String| Unfit::Away(reason);
        let client = replica.pool.get().await;
        let client = client.map_err(|error| away(reason(&error)))?;
        let standing = standing::ask(&client).await.map_err(away)?;
        let least = {
            let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            seen.least(self.clock.monotonic(), self.lag)
        };
        let (identity, least) = least.ok_or(Unfit::Unknown)?;
        if !standing.follows {
            return Err(Unfit::NoReplica);
        }
        if standing.identity != identity {
            return Err(Unfit::Another);
        }
        if standing.position < least.max(committed) {
            return Err(Unfit::Behind);
        }
        Ok(client)
    }

    /// A connection to the replica whose turn it is.
    async fn choose(&self) -> Option<Object> {
        let committed = self.acknowledged.load(Ordering::SeqCst);
        let turn = self.next.fetch_add(1, Ordering::Relaxed);
        let usable: Vec<_> = self.replicas.iter().filter(|it| it.is_in_use()).collect();
        let replica = usable.get(turn.checked_rem(usable.len())?)?;
        for _ in 0..ASKED.0 {
            match timeout(PATIENCE, self.fit(replica, committed)).await {
                Ok(Ok(client)) => return Some(client),
                // It has most likely been sent already.
                Ok(Err(Unfit::Behind)) => sleep(ASKED.1).await,
                Ok(Err(unfit)) => {
                    replica.keep(Err(unfit));
                    return None;
                }
                Err(_) => return None,
            }
        }
        None
    }
}
