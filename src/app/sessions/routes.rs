//! Endpoints of sessions: show, list, end, and the server's half of the resume wrap.
//!
//! Specification: `docs/protocol/accounts.md#sessions`.

use actix_session::Session;
use actix_web::web::{Data, Json, Path};
use actix_web::{HttpRequest, HttpResponse};
use api::bodies::{self, CurrentSession, ResumeHalf, RevokeOthers};
use api::ids::SessionId;
use api::{Action, Blob, close};

use crate::app::accounts::audit;
use crate::app::state::App;
use crate::faces::http::Problem;

use super::reauth::Reauthenticated;
use super::{Deed, Origin, SignedIn};

/// The most bytes of the server's half of a resume wrap.
const MAX_HALF: usize = 256;

/// Shows the session.
pub async fn show(app: Data<App>, who: SignedIn) -> Result<Json<CurrentSession>, Problem> {
    let user = app
        .store()
        .user_by_id(who.user_id())
        .await?
        .ok_or_else(Problem::signed_out)?;
    let session = who.session();
    Ok(Json(CurrentSession {
        user_id: user.user_id,
        handle: user.handle,
        alias: user.alias,
        role: user.role,
        created_at: session.created_at(),
        idle_expires_at: session.idle_expires_at(),
        absolute_expires_at: session.absolute_expires_at(),
    }))
}

/// Signs out; succeeds also without a session.
pub async fn sign_out(
    app: Data<App>,
    request: HttpRequest,
    origin: Origin,
    cookie: Session,
) -> Result<HttpResponse, Problem> {
    let found = super::extract::signed_in(&request).await;
    // Whatever becomes of the rest, this browser has no cookie any more.
    cookie.purge();
    if let Some(who) = found? {
        let record = audit::event(
            Some(who.user_id()),
            Action::SessionSignedOut,
            app.ambient().now(),
            origin.details(),
        );
        app.sessions().sign_out(who.session(), record).await;
    }
    Ok(HttpResponse::NoContent().finish())
}

/// Lists the account's sessions, newest first.
pub async fn list(app: Data<App>, who: SignedIn) -> Result<Json<Vec<bodies::Session>>, Problem> {
    let now = app.ambient().now();
    let rows = app.store().list_sessions(who.user_id(), now).await?;
    let current = who.session().id();
    Ok(Json(
        rows.into_iter()
            // A damaged one signs nobody in; the store's log names it.
            .filter_map(|(_, row)| row.ok())
            .filter(|row| !app.sessions().has_signed_out(row.session_id))
            .map(|row| bodies::Session {
                id: row.session_id,
                current: row.session_id == current,
                created_at: row.created_at,
                last_activity: app
                    .sessions()
                    .last_activity(row.session_id)
                    .unwrap_or(row.last_activity),
                method: row.details.method,
                device_name: row.details.device_name,
                ip: row.details.ip,
                user_agent: row.details.user_agent,
            })
            .collect(),
    ))
}

/// Ends one session of the account.
pub async fn revoke(
    app: Data<App>,
    who: SignedIn,
    origin: Origin,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let id: SessionId = id.parse().map_err(|_| Problem::not_found())?;
    let record = audit::event(
        Some(who.user_id()),
        Action::SessionRevoked,
        app.ambient().now(),
        origin.details(),
    );
    let ended = app
        .store()
        .delete_session(who.user_id(), id, vec![record])
        .await?;
    if !ended {
        return Err(Problem::not_found());
    }
    app.sessions()
        .end(who.user_id(), &[id], close::SESSION_ENDED);
    Ok(HttpResponse::NoContent().finish())
}

/// Ends every other session of the account.
pub async fn revoke_others(
    app: Data<App>,
    who: SignedIn,
    origin: Origin,
    body: Json<RevokeOthers>,
) -> Result<HttpResponse, Problem> {
    let _proof = Reauthenticated::check(&app, &who, &body.reauth_token)?;
    let mut details = origin.details();
    details["reason"] = "all others".into();
    let record = audit::event(
        Some(who.user_id()),
        Action::SessionRevoked,
        app.ambient().now(),
        details,
    );
    let superseding = app.sessions().supersede(who.user_id());
    let ended = app
        .store()
        .delete_other_sessions(who.user_id(), Some(who.session().id()), vec![record])
        .await?;
    drop(superseding);
    app.sessions()
        .end(who.user_id(), &ended, close::SESSION_ENDED);
    Ok(HttpResponse::NoContent().finish())
}

/// Records activity of the person.
pub async fn active(app: Data<App>, who: SignedIn) -> HttpResponse {
    app.sessions().note(who.session(), Deed::Input);
    HttpResponse::NoContent().finish()
}

/// Keeps the half of a resume wrap in memory, bound to the session.
pub async fn put_resume(who: SignedIn, body: Json<ResumeHalf>) -> Result<HttpResponse, Problem> {
    let half = body.into_inner().half;
    if half.is_empty() || half.len() > MAX_HALF {
        return Err(Problem::malformed("A half has 1 to 256 bytes."));
    }
    who.session().set_resume(Some(half.into_secret()));
    Ok(HttpResponse::NoContent().finish())
}

/// Returns the half of a resume wrap.
pub async fn get_resume(who: SignedIn) -> Result<Json<ResumeHalf>, Problem> {
    let half = who.session().resume().ok_or_else(Problem::not_found)?;
    Ok(Json(ResumeHalf {
        half: Blob::from(half),
    }))
}

/// Erases the half of a resume wrap.
pub async fn delete_resume(who: SignedIn) -> HttpResponse {
    who.session().set_resume(None);
    HttpResponse::NoContent().finish()
}
