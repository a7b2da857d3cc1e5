//! Health and measurements for operators.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::dev::ServerHandle;
use actix_web::web::{self, Data, Json};
use api::bodies::{Live, Ready};
use api::{BundleState, Code, Health};

use crate::app::state::App;
use crate::faces::http::Problem;
use crate::platform::memory::Protections;
use crate::platform::net;

/// Says that the process runs.
pub async fn live() -> Json<Live> {
    Json(Live {
        status: "live".to_owned(),
    })
}

/// Reports whether the server is ready: a trial write to the database succeeds (at most one every few
/// seconds) and the keys are usable. A missing bundle does not matter to the API.
///
/// Only the log has the cause of a failure, because this endpoint is public.
pub async fn ready(app: Data<App>) -> Result<Json<Ready>, Problem> {
    let (now, now_ms) = (app.ambient().now(), app.ambient().now_ms());
    let store = app.store().clone();
    let ask = || async move { store.health(now).await };
    let database = app.database_health().usable(now_ms, ask).await;
    let store = app.store().clone();
    let ask = || async move { store.use_every_key().await };
    let keys = app.key_health().usable(now_ms, ask).await;
    let bundle = match app.pages().assets() {
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
        (true, true) => return Ok(Json(ready)),
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

/// Writes the measurements. It does not query the database: the jobs read those gauges.
pub async fn metrics(app: Data<App>) -> HttpResponse {
    let stats = app.vault().stats();
    let durable = app.metrics().durable();
    let mut gauges = vec![
        ("users", "Accounts.", durable.users),
        (
            "active_sessions",
            "Sessions that have not expired.",
            durable.active_sessions,
        ),
        (
            "audit_records",
            "Records of the audit log.",
            durable.audit_records,
        ),
        (
            "open_sockets",
            "Connected WebSockets.",
            app.hub().count() as u64,
        ),
        (
            "messages_held",
            "Messages that wait or are being read.",
            stats.messages,
        ),
        ("bytes_held", "Bytes that messages take.", stats.bytes),
        (
            "started_seconds",
            "Unix time of the start.",
            app.boot().started_at(),
        ),
    ];
    gauges.extend(Protections::inspect().gauges());
    gauges.extend(app.backups().gauges(app.ambient().now()));
    gauges.extend(app.auditor().gauges());
    let text = app.metrics().render(&gauges);
    HttpResponse::Ok()
        .content_type("application/openmetrics-text; version=1.0.0; charset=utf-8")
        .body(text)
}

/// The listener of the measurements, which have an address of their own.
pub(crate) struct Measurements {
    server: actix_server::Server,
    pub(crate) address: SocketAddr,
}

/// Stops the listener when it is dropped.
pub(crate) struct Measuring(ServerHandle);

impl Drop for Measuring {
    fn drop(&mut self) {
        drop(self.0.stop(false));
    }
}

impl Measurements {
    pub(crate) fn serve(app: &Data<App>, listener: TcpListener) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let limits = net::Limits {
            workers: 1,
            connections: 16,
            ..net::Limits::default()
        };
        let unreadable = Arc::clone(app.metrics().unreadable_requests());
        let app = Data::clone(app);
        let server = net::serve(
            vec![listener],
            None,
            &limits,
            &unreadable,
            |_| None,
            move || {
                actix_web::App::new()
                    .app_data(Data::clone(&app))
                    .route("/metrics", web::get().to(metrics))
            },
        )?;
        Ok(Self { server, address })
    }

    pub(crate) fn run(self) -> Measuring {
        let handle = self.server.handle();
        actix_web::rt::spawn(self.server);
        Measuring(handle)
    }
}
