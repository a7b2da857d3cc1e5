//! Health and measurements, for those who run the server.

use actix_web::HttpResponse;
use actix_web::web::{Data, Json};
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::Problem;
use crate::memory::Protections;
use crate::state::App;

/// Whether the process runs.
#[derive(Debug, Serialize, ToSchema)]
pub struct Live {
    /// Always `live`.
    pub status: &'static str,
}

/// Whether the server can serve.
#[derive(Debug, Serialize, ToSchema)]
pub struct Ready {
    /// `ready` or `not ready`.
    pub status: &'static str,
    /// `ok` or `failed`.
    pub database: &'static str,
    /// `present` or `missing`.
    pub bundle: &'static str,
}

/// Says that the process runs.
pub async fn live() -> Json<Live> {
    Json(Live { status: "live" })
}

/// Says whether the server can serve; a missing bundle leaves the API working.
pub async fn ready(app: Data<App>) -> HttpResponse {
    let healthy = match app.store().health().await {
        Ok(()) => true,
        Err(cause) => {
            tracing::error!(%cause, "the database is not healthy");
            false
        }
    };
    let bundle = match app.pages().assets() {
        Some(_) => "present",
        None => "missing",
    };
    let ready = Ready {
        status: if healthy { "ready" } else { "not ready" },
        database: if healthy { "ok" } else { "failed" },
        bundle,
    };
    if healthy {
        HttpResponse::Ok().json(ready)
    } else {
        HttpResponse::ServiceUnavailable().json(ready)
    }
}

/// Writes the measurements.
pub async fn metrics(app: Data<App>) -> Result<HttpResponse, Problem> {
    let stats = app.vault().stats();
    let durable = app.store().statistics(app.ambient().now()).await?;
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
        ("bytes_held", "Bytes of ciphertext held.", stats.bytes),
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
    Ok(HttpResponse::Ok()
        .content_type("text/plain; version=0.0.4; charset=utf-8")
        .body(text))
}
