//! People, what is needed to write to them, and invites.

use actix_web::HttpResponse;
use actix_web::web::{Data, Json, Path};
use api::bodies::{Bundles, Invite, NewInvite, Person, UseInvite, WantBundles};

use crate::app::accounts::{bundles, invites, people};
use crate::app::origin::Origin;
use crate::app::sessions::SignedIn;
use crate::app::{App, Problem};

use super::{Answer, done};

/// Finds somebody by handle.
pub(crate) async fn by_handle(
    app: Data<App>,
    who: SignedIn,
    handle: Path<String>,
) -> Result<Json<Person>, Problem> {
    people::by_handle(&app, &who, &handle).await.map(Json)
}

/// Finds somebody by id.
pub(crate) async fn by_id(
    app: Data<App>,
    who: SignedIn,
    id: Path<String>,
) -> Result<Json<Person>, Problem> {
    people::by_id(&app, &who, &id).await.map(Json)
}

/// Hands out what is needed to write to somebody.
pub(crate) async fn hand_out(
    app: Data<App>,
    who: SignedIn,
    id: Path<String>,
    body: Json<WantBundles>,
) -> Result<Json<Bundles>, Problem> {
    let handed = bundles::hand_out(&app, &who, &id, body.into_inner());
    handed.await.map(Json)
}

/// Lists one's own invites.
pub(crate) async fn invites(app: Data<App>, who: SignedIn) -> Result<Json<Vec<Invite>>, Problem> {
    invites::list(&app, &who).await.map(Json)
}

/// Makes an invite.
pub(crate) async fn create_invite(
    app: Data<App>,
    who: SignedIn,
    origin: Origin,
    body: Json<NewInvite>,
) -> Answer {
    let made = invites::create(&app, &who, &origin, body.into_inner()).await?;
    Ok(HttpResponse::Created().json(made))
}

/// Uses an invite.
pub(crate) async fn use_invite(
    app: Data<App>,
    who: SignedIn,
    origin: Origin,
    body: Json<UseInvite>,
) -> Answer {
    done(invites::take(&app, &who, &origin, body.into_inner()).await)
}

/// Withdraws an invite.
pub(crate) async fn withdraw_invite(
    app: Data<App>,
    who: SignedIn,
    origin: Origin,
    id: Path<String>,
) -> Answer {
    done(invites::withdraw(&app, &who, &origin, &id).await)
}
