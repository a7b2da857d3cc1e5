//! Description of the server for everybody.
//!
//! Specification: `docs/protocol.md#http`.

use actix_web::web::{Data, Json};
use api::Blob;
use api::ids::{BootId, RestoreId};
use serde::Serialize;
use store::RegistrationMode;
use utoipa::ToSchema;

use crate::state::App;

/// Facts about the server that the sign-in page needs.
#[derive(Serialize, ToSchema)]
pub struct Server {
    /// Version of the program.
    pub version: &'static str,
    /// The signed id of this start of the server.
    pub boot: Boot,
    /// Unix seconds.
    pub now: u64,
    /// `closed`, `invite` or `open`.
    #[schema(value_type = String)]
    pub registration: RegistrationMode,
    /// Whether the first administrator has been made.
    pub setup_done: bool,
    /// Hash of the browser bundle, if there is one.
    pub bundle_hash: Option<String>,
    /// The restore, if the database came from a backup.
    pub restored: Option<Restored>,
}

/// A restore of the database.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub struct Restored {
    /// Random at each restore.
    pub epoch: RestoreId,
    /// Unix seconds of the backup; later changes are lost.
    pub at: u64,
}

impl Restored {
    /// Returns the restore of this server's database.
    pub fn of(app: &App) -> Option<Self> {
        app.backups().restored().map(|restored| Self {
            epoch: RestoreId::from_bytes(restored.epoch),
            at: restored.at,
        })
    }
}

/// The id of this start of the server.
#[derive(Serialize, ToSchema)]
pub struct Boot {
    /// Random at every start.
    pub id: BootId,
    /// The id and the time of the start, signed.
    pub signed: Blob,
}

/// Describes the server.
pub async fn describe(app: Data<App>) -> Json<Server> {
    let settings = app.setup().settings();
    Json(Server {
        version: env!("CARGO_PKG_VERSION"),
        boot: Boot {
            id: app.boot().id(),
            signed: Blob::new(app.boot().signed().to_vec()),
        },
        now: app.ambient().now(),
        registration: settings.registration,
        setup_done: settings.setup_done,
        bundle_hash: app.pages().bundle_hash().map(str::to_owned),
        restored: Restored::of(&app),
    })
}
