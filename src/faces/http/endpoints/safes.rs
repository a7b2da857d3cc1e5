//! Safes and the account's own prekeys.

use actix_web::HttpResponse;
use actix_web::web::{Data, Json, Query};
use api::bodies::{
    KnownSafes, PrekeyBatch, PrekeySafeChange, PrekeyStock, PrekeysInUse, SafeChange,
};

use crate::app::accounts::{prekeys, safes};
use crate::app::origin::Origin;
use crate::app::sessions::SignedIn;
use crate::app::{App, Problem};

use super::{Answer, done};

/// Reads both safes, or nothing where the reader has these versions already.
pub(crate) async fn read(app: Data<App>, who: SignedIn, known: Query<KnownSafes>) -> Answer {
    Ok(match safes::read(&app, &who, &known).await? {
        Some(safes) => HttpResponse::Ok().json(safes),
        None => HttpResponse::NoContent().finish(),
    })
}

/// Replaces the key safe's data.
pub(crate) async fn replace(app: Data<App>, who: SignedIn, body: Json<SafeChange>) -> Answer {
    done(safes::replace(&app, &who, body.into_inner()).await)
}

/// Replaces the prekey safe.
pub(crate) async fn replace_prekeys(
    app: Data<App>,
    who: SignedIn,
    body: Json<PrekeySafeChange>,
) -> Answer {
    done(safes::replace_prekeys(&app, &who, body.into_inner()).await)
}

/// Publishes a batch of prekeys.
pub(crate) async fn publish(
    app: Data<App>,
    who: SignedIn,
    origin: Origin,
    body: Json<PrekeyBatch>,
) -> Result<Json<PrekeyStock>, Problem> {
    let left = prekeys::publish(&app, &who, &origin, body.into_inner());
    left.await.map(Json)
}

/// Says what is left of the prekeys.
pub(crate) async fn stock(app: Data<App>, who: SignedIn) -> Result<Json<PrekeyStock>, Problem> {
    prekeys::stock(&app, &who).await.map(Json)
}

/// Lists prekeys under which something waits.
pub(crate) async fn in_use(app: Data<App>, who: SignedIn) -> Result<Json<PrekeysInUse>, Problem> {
    prekeys::in_use(&app, &who).await.map(Json)
}
