//! Description of the server for everybody.
//!
//! Specification: `docs/protocol.md#http`.

use api::Blob;
use api::bodies::{Boot, Restored, Server};
use api::ids::RestoreId;

use crate::app::App;

/// Returns what this server says of a restore.
pub(super) fn restored(app: &App) -> Option<Restored> {
    app.backups().restored().map(|restored| Restored {
        epoch: RestoreId::from_bytes(restored.epoch),
        at: restored.at,
    })
}

/// Describes the server.
pub async fn describe(app: &App) -> Server {
    // While the plane does not answer, what was said last is still true.
    let boot = app.present_boot().await.unwrap_or_else(|_| app.boot());
    let (id, signed) = boot.signed();
    let settings = app.setup().settings();
    Server {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        boot: Boot {
            id,
            signed: Blob::new(signed),
        },
        now: app.ambient().now(),
        registration: settings.registration,
        setup_done: settings.setup_done,
        bundle_hash: app.bundle_hash().clone(),
        restored: restored(app),
    }
}
