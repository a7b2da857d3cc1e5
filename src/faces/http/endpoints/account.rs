//! Changes of one's own account.

use actix_session::Session;
use actix_web::HttpResponse;
use actix_web::web::{Data, Json};
use api::bodies::{
    AccountChange, AccountDeletion, IdentityChange, PassphraseFinish, PassphraseStart,
    PassphraseStarted,
};

use crate::app::accounts::{erasure, identity, passphrase, people};
use crate::app::origin::Origin;
use crate::app::sessions::{DeviceCookie, SignedIn};
use crate::app::{App, Problem};
use crate::faces::http::device::device_cookie;

use super::{Answer, done};

/// Begins a change of passphrase.
pub(crate) async fn start_passphrase(
    app: Data<App>,
    who: SignedIn,
    body: Json<PassphraseStart>,
) -> Result<Json<PassphraseStarted>, Problem> {
    passphrase::start(&app, &who, &body).await.map(Json)
}

/// Changes the passphrase.
pub(crate) async fn finish_passphrase(
    app: Data<App>,
    who: SignedIn,
    origin: Origin,
    device: DeviceCookie,
    body: Json<PassphraseFinish>,
) -> Answer {
    let device = passphrase::finish(&app, &who, &origin, &device, body.into_inner()).await?;
    Ok(HttpResponse::NoContent()
        .cookie(device_cookie(&app, device))
        .finish())
}

/// Changes one's own account.
pub(crate) async fn change(
    app: Data<App>,
    who: SignedIn,
    origin: Origin,
    body: Json<AccountChange>,
) -> Answer {
    done(people::change(&app, &who, &origin, body.into_inner()).await)
}

/// Replaces the account's identity.
pub(crate) async fn replace_identity(
    app: Data<App>,
    who: SignedIn,
    origin: Origin,
    body: Json<IdentityChange>,
) -> Answer {
    done(identity::replace(&app, &who, &origin, body.into_inner()).await)
}

/// Erases one's own account.
pub(crate) async fn delete(
    app: Data<App>,
    who: SignedIn,
    origin: Origin,
    cookie: Session,
    body: Json<AccountDeletion>,
) -> Answer {
    erasure::delete(&app, &who, &origin, body.into_inner()).await?;
    cookie.purge();
    done(Ok(()))
}
