//! New identity: replaces public keys, prekeys and safes in one transaction.
//!
//! Specification: `docs/protocol/accounts.md#new-identity`.

use api::Action;
use api::bodies;
use store::IdentityChange;

use crate::app::origin::Origin;
use crate::app::sessions::SignedIn;
use crate::app::sessions::reauth::Reauthenticated;
use crate::app::{App, Problem};

use super::audit;
use super::keys::CheckedKeys;
use super::safes;

/// Replaces the account's identity.
pub async fn replace(
    app: &App,
    who: &SignedIn,
    origin: &Origin,
    body: bodies::IdentityChange,
) -> Result<(), Problem> {
    let now = app.ambient().now();
    let user = who.user_id();
    let keys = CheckedKeys::check(body.public_keys.into_vec())?;
    let prekeys = keys.batch(&body.prekeys, user, now)?;
    let safe = safes::write(app, body.safe)?;
    let prekey_safe = safes::prekey_safe(body.prekey_safe);
    let _proof = Reauthenticated::check(app, who, &body.reauth_token).await?;
    let record = audit::change(app, who, origin, Action::KeysIdentityReplaced).await?;
    let (version, prekey_version) = (safe.version, prekey_safe.version);
    let change = IdentityChange {
        user_id: user,
        fingerprint: keys.fingerprint(),
        public_keys: keys.row(now),
        prekeys,
        expected_safe_version: version.saturating_sub(1),
        safe,
        expected_prekey_version: prekey_version.saturating_sub(1),
        prekey_safe,
    };
    app.store().replace_identity(change, vec![record]).await?;
    app.plane().presence().withdraw_all(user).await?;
    app.plane().claims().forget_recipient(user).await?;
    app.hub()
        .safe_written(who, Some(version), Some(prekey_version))
        .await;
    Ok(())
}
