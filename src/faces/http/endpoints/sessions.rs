//! Sessions: showing, ending, re-authentication, and the half of the resume wrap.

use actix_session::Session;
use actix_web::HttpRequest;
use actix_web::web::{Data, Json, Path};
use api::bodies::{
    self, CurrentSession, ReauthFinish, ReauthStart, Reauthenticated, ResumeHalf, RevokeOthers,
    SignInStarted,
};

use crate::app::origin::Origin;
use crate::app::sessions::{SignedIn, manage, reauth};
use crate::app::{App, Problem};
use crate::faces::http::signed_in;

use super::{Answer, done};

/// Shows who is signed in.
pub(crate) async fn show(app: Data<App>, who: SignedIn) -> Result<Json<CurrentSession>, Problem> {
    manage::show(&app, &who).await.map(Json)
}

/// Signs out; the browser loses its cookie whatever becomes of the rest.
pub(crate) async fn sign_out(
    app: Data<App>,
    request: HttpRequest,
    origin: Origin,
    cookie: Session,
) -> Answer {
    let found = signed_in(&request).await;
    cookie.purge();
    done(manage::sign_out(&app, found?.as_ref(), &origin).await)
}

/// Begins a re-authentication.
pub(crate) async fn start_reauth(
    app: Data<App>,
    who: SignedIn,
    body: Json<ReauthStart>,
) -> Result<Json<SignInStarted>, Problem> {
    let started = reauth::begin(&app, &who, body.into_inner());
    started.await.map(Json)
}

/// Proves the passphrase again.
pub(crate) async fn finish_reauth(
    app: Data<App>,
    who: SignedIn,
    origin: Origin,
    body: Json<ReauthFinish>,
) -> Result<Json<Reauthenticated>, Problem> {
    let proven = reauth::finish(&app, &who, &origin, body.into_inner());
    proven.await.map(Json)
}

/// Says that the person did something.
pub(crate) async fn active(app: Data<App>, who: SignedIn) -> Answer {
    manage::active(&app, &who);
    done(Ok(()))
}

/// Keeps the half of a resume wrap.
pub(crate) async fn put_resume(app: Data<App>, who: SignedIn, body: Json<ResumeHalf>) -> Answer {
    done(manage::put_resume(&app, &who, body.into_inner()).await)
}

/// Returns the half of a resume wrap.
pub(crate) async fn get_resume(app: Data<App>, who: SignedIn) -> Result<Json<ResumeHalf>, Problem> {
    manage::get_resume(&app, &who).await.map(Json)
}

/// Erases the half of a resume wrap.
pub(crate) async fn delete_resume(app: Data<App>, who: SignedIn) -> Answer {
    done(manage::delete_resume(&app, &who).await)
}

/// Lists the account's sessions.
pub(crate) async fn list(
    app: Data<App>,
    who: SignedIn,
) -> Result<Json<Vec<bodies::Session>>, Problem> {
    manage::list(&app, &who).await.map(Json)
}

/// Ends one session.
pub(crate) async fn revoke(
    app: Data<App>,
    who: SignedIn,
    origin: Origin,
    id: Path<String>,
) -> Answer {
    done(manage::revoke(&app, &who, &origin, &id).await)
}

/// Ends every other session.
pub(crate) async fn revoke_others(
    app: Data<App>,
    who: SignedIn,
    origin: Origin,
    body: Json<RevokeOthers>,
) -> Answer {
    done(manage::revoke_others(&app, &who, &origin, body.into_inner()).await)
}
