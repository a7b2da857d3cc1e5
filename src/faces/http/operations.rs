//! Health and measurements for operators.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::dev::ServerHandle;
use actix_web::web::{self, Data, Json};
use api::bodies::{Live, Ready};

use crate::app::{App, Problem, gauges, readiness};
use crate::platform::memory::Protections;
use crate::platform::net;

/// Says that the process runs.
pub async fn live() -> Json<Live> {
    Json(Live {
        status: "live".to_owned(),
    })
}

/// Reports whether the server is ready.
pub async fn ready(app: Data<App>) -> Result<Json<Ready>, Problem> {
    readiness::ready(&app).await.map(Json)
}

/// Writes the measurements.
pub async fn metrics(app: Data<App>) -> HttpResponse {
    let text = gauges::text(&app, &Protections::inspect().gauges()).await;
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
    pub(crate) fn serve(app: &Arc<App>, listener: TcpListener) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let limits = net::Limits {
            workers: 1,
            connections: 16,
            ..net::Limits::default()
        };
        let unreadable = Arc::clone(app.metrics().unreadable_requests());
        let app = Data::from(Arc::clone(app));
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
