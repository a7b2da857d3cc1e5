//! Hands a sender the recipient's keys: live bundles, or a prekey.
//!
//! Specification: `docs/protocol/messages.md#fetching-keys-to-write-to`.

use api::Blob;
use api::bodies::{Bundles, LiveBundle, WantBundles};
use store::UserId;

use crate::app::sessions::SignedIn;
use crate::app::{App, Problem};

use super::people::nobody;

/// Hands out bundles and, where needed, a prekey.
pub async fn hand_out(
    app: &App,
    who: &SignedIn,
    id: &str,
    body: WantBundles,
) -> Result<Bundles, Problem> {
    app.limits().claim(who.key()).await?;
    let recipient: UserId = id.parse().map_err(|_| nobody())?;
    let keys = app
        .store()
        .public_keys(recipient)
        .await?
        .ok_or_else(nobody)?;
    let now = app.ambient().now();
    let live = app.hub().bundles(recipient, now).await?;
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
    Ok(Bundles {
        public_keys: Blob::new(keys.keys.account_keys),
        live: live
            .into_iter()
            .map(|(live_id, bundle)| LiveBundle {
                live_id,
                bundle: Blob::new(bundle),
            })
            .collect(),
        prekey: prekey.map(Blob::new),
    })
}
