//! New identity: replaces public keys, prekeys and safes in one transaction.
//!
//! Specification: `docs/protocol/accounts.md#new-identity`.

use actix_web::HttpResponse;
use actix_web::web::{Data, Json};
use api::Blob;
use serde::Deserialize;
use store::IdentityChange;
use utoipa::ToSchema;

use crate::http::Problem;
use crate::sessions::reauth::Reauthenticated;
use crate::sessions::{Origin, SignedIn};
use crate::state::App;

use super::audit;
use super::keys::CheckedKeys;
use super::safes::{SafeData, SafeWrite};

/// A new identity.
#[derive(Deserialize, ToSchema)]
pub struct NewIdentity {
    /// Proof from a re-authentication: a cookie alone must not replace an identity.
    pub reauth_token: Blob,
    /// Encoded public keys.
    pub public_keys: Blob,
    /// Encoded batch of prekeys, signed by them.
    pub prekeys: Blob,
    /// The key safe, one version up.
    pub safe: SafeWrite,
    /// The prekey safe, one version up.
    pub prekey_safe: SafeData,
}

/// Replaces the account's identity.
pub async fn replace(
    app: Data<App>,
    who: SignedIn,
    origin: Origin,
    body: Json<NewIdentity>,
) -> Result<HttpResponse, Problem> {
    let body = body.into_inner();
    let now = app.ambient().now();
    let user = who.user_id();
    let keys = CheckedKeys::check(body.public_keys.into_vec())?;
    let prekeys = keys.batch(&body.prekeys, user, now)?;
    let safe: store::SafeWrite = body.safe.try_into()?;
    let prekey_safe: store::PrekeySafe = body.prekey_safe.into();
    let _proof = Reauthenticated::check(&app, &who, &body.reauth_token)?;
    let record = audit::change(&app, &who, &origin, "keys.identity_replaced")?;
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
    app.hub().withdraw_bundles(user);
    app.claims().forget_recipient(user);
    app.hub()
        .safe_written(&who, Some(version), Some(prekey_version));
    Ok(HttpResponse::NoContent().finish())
}
