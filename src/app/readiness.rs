//! Whether the server can serve.

use api::bodies::Ready;
use api::{BundleState, Code, Health};
use store::Fault;

use super::{App, Problem};

/// Reports whether the server is ready: a trial write to the database succeeds (at most one every few
/// seconds), the keys are usable, and the ephemeral plane answers and is set up as it must be. A missing bundle does not matter to the API.
///
/// Only the log has the cause of a failure, because everybody may ask.
pub async fn ready(app: &App) -> Result<Ready, Problem> {
    let (now, now_ms) = (app.ambient().now(), app.ambient().now_ms());
    let store = app.store().clone();
    let ask = || async move { store.health(now).await };
    let database = app.database_health().usable(now_ms, ask).await;
    let store = app.store().clone();
    let ask = || async move { store.use_every_key().await };
    let keys = app.key_health().usable(now_ms, ask).await;
    let plane = app.plane().clone();
    let ask = || async move {
        let unusable = |cause: String| Fault::Unavailable(cause);
        let checked = plane.check().await.map_err(|it| unusable(it.to_string()))?;
        checked.map_err(|it| unusable(it.to_string()))
    };
    let plane = app.plane_health().usable(now_ms, ask).await;
    let bundle = match app.bundle_hash() {
        Some(_) => BundleState::Present,
        None => BundleState::Missing,
    };
    let ready = Ready {
        status: "ready".to_owned(),
        database: health(database),
        keys: health(keys),
        bundle,
    };
    let fault = match (database, keys) {
        (true, true) if plane => return Ok(ready),
        (true, true) => "The nodes that hold messages cannot be used.",
        (false, true) => "The database cannot be used.",
        (true, false) => "The keys cannot be used.",
        (false, false) => "Neither the database nor the keys can be used.",
    };
    Err(Problem::new(
        Code::NotReady,
        format!("{fault} The server's log has the cause."),
    )
    .retry_after(5)
    .with("database", ready.database.as_str().into())
    .with("keys", ready.keys.as_str().into())
    .with("bundle", bundle.as_str().into()))
}

fn health(works: bool) -> Health {
    if works { Health::Ok } else { Health::Failed }
}
