//! What the server says of itself to everybody.
//!
//! Specification: `docs/protocol.md#http`.

use actix_web::web::{Data, Json};
use api::Blob;
use api::ids::{BootId, RestoreId};
use serde::Serialize;
use store::RegistrationMode;
use utoipa::ToSchema;

use crate::state::App;

/// What the sign-in page needs to know of the server.
#[derive(Serialize, ToSchema)]
pub struct Server {
    /// Version of the program.
    pub version: &'static str,
    /// Which start of the server this is.
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
    /// That the database came out of a backup, if it did.
    pub restored: Option<Restored>,
}

/// A restore, as the server says.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub struct Restored {
    /// Random at each restore.
    pub epoch: RestoreId,
    /// Unix seconds of the backup: what changed later is as it was then.
    pub at: u64,
}

impl Restored {
    /// What this server says.
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

/// Describes the server to whoever asks.
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
