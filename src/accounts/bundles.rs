//! Hands a sender the recipient's keys: live bundles, or a prekey.
//!
//! Specification: `docs/protocol/messages.md#fetching-keys-to-write-to`.

use actix_web::web::{Data, Json, Path};
use api::Blob;
use api::ids::LiveId;
use serde::{Deserialize, Serialize};
use store::UserId;
use utoipa::ToSchema;

use crate::http::Problem;
use crate::sessions::SignedIn;
use crate::state::App;

use super::people::nobody;

/// Query of the request.
#[derive(Deserialize, ToSchema)]
pub struct Wanted {
    /// Whether a prekey is wanted although the recipient is live.
    #[serde(default)]
    pub want_prekey: bool,
}

/// One live session of the recipient.
#[derive(Serialize, ToSchema)]
pub struct LiveBundle {
    /// Which session.
    pub live_id: LiveId,
    /// Its encoded bundle.
    pub bundle: Blob,
}

/// The recipient's keys.
#[derive(Serialize, ToSchema)]
pub struct Bundles {
    /// Encoded public keys.
    pub public_keys: Blob,
    /// Every live session that published a bundle.
    pub live: Vec<LiveBundle>,
    /// An encoded claimed prekey, if it was wanted or no session is live.
    pub prekey: Option<Blob>,
}

/// Returns bundles and, if needed, a prekey.
pub async fn hand_out(
    app: Data<App>,
    who: SignedIn,
    id: Path<String>,
    body: Json<Wanted>,
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
