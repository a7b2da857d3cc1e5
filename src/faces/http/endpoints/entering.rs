//! Registration, sign-in and recovery.

use actix_session::Session;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Json};
use api::bodies::{
    RecoveryFinish, RecoveryStart, RecoveryStarted, RegistrationFinish, RegistrationStart,
    RegistrationStarted, RegistrationWish, Server, SignInFinish, SignInStart, SignInStarted,
};

use crate::app::accounts::{recovery, registration, server};
use crate::app::origin::Origin;
use crate::app::sessions::{DeviceCookie, Entry, sign_in};
use crate::app::{App, Problem};
use crate::faces::http::cookie::{hand_out, loaded_id};
use crate::faces::http::device::device_cookie;

use super::{Answer, done};

/// Describes the server.
pub(crate) async fn describe(app: Data<App>) -> Json<Server> {
    Json(server::describe(&app).await)
}

/// Begins a registration.
pub(crate) async fn start_registration(
    app: Data<App>,
    origin: Origin,
    body: Json<RegistrationStart>,
) -> Result<Json<RegistrationStarted>, Problem> {
    let started = registration::start(&app, &origin, body.into_inner());
    started.await.map(Json)
}

/// Says whether a registration would be taken.
pub(crate) async fn check_registration(
    app: Data<App>,
    origin: Origin,
    body: Json<RegistrationWish>,
) -> Answer {
    done(registration::check(&app, &origin, body.into_inner()).await)
}

/// Makes the account and signs in.
pub(crate) async fn finish_registration(
    app: Data<App>,
    origin: Origin,
    device: DeviceCookie,
    cookie: Session,
    body: Json<RegistrationFinish>,
) -> Answer {
    let entry = registration::finish(&app, &origin, &device, body.into_inner()).await?;
    entered(&app, &cookie, StatusCode::CREATED, entry)
}

/// Begins a sign-in.
pub(crate) async fn start_sign_in(
    app: Data<App>,
    origin: Origin,
    device: DeviceCookie,
    body: Json<SignInStart>,
) -> Result<Json<SignInStarted>, Problem> {
    let started = sign_in::begin(&app, &origin, &device, body.into_inner());
    started.await.map(Json)
}

/// Signs in.
pub(crate) async fn finish_sign_in(
    app: Data<App>,
    origin: Origin,
    device: DeviceCookie,
    cookie: Session,
    body: Json<SignInFinish>,
) -> Answer {
    let before = loaded_id(&cookie.entries());
    let entry = sign_in::finish(&app, &origin, &device, before, body.into_inner()).await?;
    entered(&app, &cookie, StatusCode::OK, entry)
}

/// Begins a recovery.
pub(crate) async fn start_recovery(
    app: Data<App>,
    origin: Origin,
    device: DeviceCookie,
    body: Json<RecoveryStart>,
) -> Result<Json<RecoveryStarted>, Problem> {
    let started = recovery::start(&app, &origin, &device, body.into_inner());
    started.await.map(Json)
}

/// Replaces the credentials and signs in.
pub(crate) async fn finish_recovery(
    app: Data<App>,
    origin: Origin,
    device: DeviceCookie,
    cookie: Session,
    body: Json<RecoveryFinish>,
) -> Answer {
    let before = loaded_id(&cookie.entries());
    let entry = recovery::finish(&app, &origin, &device, before, body.into_inner()).await?;
    entered(&app, &cookie, StatusCode::OK, entry)
}

/// Answers whoever has entered, with the cookies of the session and of the known device.
fn entered(app: &App, cookie: &Session, status: StatusCode, entry: Entry) -> Answer {
    hand_out(cookie, &entry.session)?;
    Ok(HttpResponse::build(status)
        .cookie(device_cookie(app, entry.device))
        .json(entry.entered))
}
