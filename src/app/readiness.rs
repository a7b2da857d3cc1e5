//! Whether the server can serve.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use api::bodies::Ready;
use api::{BundleState, Code, Health};

use super::{App, Problem};

/// Whether the server was asked to stop.
#[derive(Debug, Default)]
pub struct Drain(AtomicBool);

impl Drain {
    /// Returns whether the server serves on only until nobody is sent to it any more.
    pub fn has_begun(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Says from now on that the server is not ready, and waits as long as a proxy may take to hear it, or
    /// until `at_once` resolves.
    pub async fn run(&self, seconds: u64, at_once: impl Future<Output = ()>) {
        self.0.store(true, Ordering::Relaxed);
        if seconds == 0 {
            return;
        }
        tracing::info!(seconds, "not ready from now on, and serving on meanwhile");
        tokio::select! {
            () = tokio::time::sleep(Duration::from_secs(seconds)) => {}
            () = at_once => {}
        }
    }
}

/// Parts that the server needs, and whether each can be used.
#[derive(Debug, Clone, Copy)]
pub struct Parts {
    /// The database takes a write.
    pub database: bool,
    /// Every key that values are sealed under can be used.
    pub keys: bool,
    /// Every node of the ephemeral plane answers and is set up as it must be.
    pub plane: bool,
}

impl Parts {
    /// Tries all parts at the same time, each at most once in a few seconds; the log has the cause of a failure.
    pub async fn look(app: &App) -> Self {
        let (now, now_ms) = (app.ambient().now(), app.ambient().now_ms());
        let (health, keys) = (app.store().clone(), app.store().clone());
        let health = || async move { health.health(now).await };
        let keys = || async move { keys.use_every_key().await };
        let plane = app.plane().clone();
        let plane = || async move {
            let checked = plane.check().await.map_err(|it| it.to_string())?;
            checked.map_err(|it| it.to_string())
        };
        let (database, keys, plane) = tokio::join!(
            app.database_health().usable(now_ms, health),
            app.key_health().usable(now_ms, keys),
            app.plane_health().usable(now_ms, plane),
        );
        Self {
            database,
            keys,
            plane,
        }
    }

    /// Says what cannot be used.
    fn fault(self) -> Option<&'static str> {
        Some(match (self.database, self.keys) {
            (true, true) if self.plane => return None,
            (true, true) => "The nodes that hold messages cannot be used.",
            (false, true) => "The database cannot be used.",
            (true, false) => "The keys cannot be used.",
            (false, false) => "Neither the database nor the keys can be used.",
        })
    }
}

/// Reports whether the server is ready: a trial write to the database succeeds (at most one every few
/// seconds), the keys are usable, the ephemeral plane answers and is set up as it must be, and nobody asked
/// the server to stop. A missing bundle does not matter to the API.
///
/// Only the log has the cause of a failure, because everybody may ask.
pub async fn ready(app: &App) -> Result<Ready, Problem> {
    let parts = Parts::look(app).await;
    let bundle = match app.bundle_hash() {
        Some(_) => BundleState::Present,
        None => BundleState::Missing,
    };
    let ready = Ready {
        status: "ready".to_owned(),
        database: health(parts.database),
        keys: health(parts.keys),
        bundle,
    };
    let fault = match parts.fault() {
        Some(fault) => format!("{fault} The server's log has the cause."),
        None if app.drain().has_begun() => "The server stops; ask another one.".to_owned(),
        None => return Ok(ready),
    };
    Err(Problem::new(Code::NotReady, fault)
        .retry_after(5)
        .with("database", ready.database.as_str().into())
        .with("keys", ready.keys.as_str().into())
        .with("bundle", bundle.as_str().into()))
}

fn health(works: bool) -> Health {
    if works { Health::Ok } else { Health::Failed }
}
