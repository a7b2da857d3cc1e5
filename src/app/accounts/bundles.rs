//! Hands a sender the recipient's keys: live bundles, or a prekey.
//!
//! Specification: `docs/protocol/messages.md#fetching-keys-to-write-to`.

use actix_web::web::{Data, Json, Path};
use api::Blob;
use api::bodies::{Bundles, LiveBundle, WantBundles};
use store::UserId;

use crate::app::sessions::SignedIn;
use crate::app::state::App;
use crate::faces::http::Problem;

use super::people::nobody;

/// Hands out bundles and, where needed, a prekey.
pub async fn hand_out(
    app: Data<App>,
    who: SignedIn,
    id: Path<String>,
    body: Json<WantBundles>,
) -> Result<Json<Bundles>, Problem> {
    app.limits().claim(who.key())?;
    let recipient: UserId = id.parse().map_err(|_| nobody())?;
    let keys = app
        .store()
        .public_keys(recipient)
        .await?
        .ok_or_else(nobody)?;
    let now = app.ambient().now();
    let live = app.hub().bundles(recipient, now);
    let prekey = if body.want_prekey || live.is_empty() {
        app.claims()
            .claim(
                app.store(),
                who.session().id(),
                who.user_id(),
                recipient,
                now,
            )
            .await?
    } else {
        None
    };
    Ok(Json(Bundles {
        public_keys: Blob::new(keys.keys.account_keys),
        live: live
            .into_iter()
            .map(|(live_id, bundle)| LiveBundle {
                live_id,
                bundle: Blob::new(bundle),
            })
            .collect(),
        prekey: prekey.map(Blob::new),
    }))
}
