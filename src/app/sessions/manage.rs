//! An account's sessions: show, list, end, and the server's half of the resume wrap.
//!
//! Specification: `docs/protocol/accounts.md#sessions`.

use api::bodies::{self, CurrentSession, ResumeHalf, RevokeOthers};
use api::ids::SessionId;
use api::{Action, Blob, close};

use crate::app::accounts::audit;
use crate::app::{App, Problem};

use super::reauth::Reauthenticated;
use super::{Deed, SignedIn};
use crate::app::origin::Origin;

/// The most bytes of the server's half of a resume wrap.
const MAX_HALF: usize = 256;

/// Shows the session.
pub async fn show(app: &App, who: &SignedIn) -> Result<CurrentSession, Problem> {
    let user = app
        .store()
        .user_by_id(who.user_id())
        .await?
        .ok_or_else(Problem::signed_out)?;
    let session = who.session();
    Ok(CurrentSession {
        session_id: session.id(),
        user_id: user.user_id,
        handle: user.handle,
        alias: user.alias,
        role: user.role,
        created_at: session.created_at(),
        idle_expires_at: session.idle_expires_at(),
        absolute_expires_at: session.absolute_expires_at(),
    })
}

/// Signs out; succeeds also without a session.
pub async fn sign_out(app: &App, who: Option<&SignedIn>, origin: &Origin) -> Result<(), Problem> {
    if let Some(who) = who {
        let record = audit::event(
            Some(who.user_id()),
            Action::SessionSignedOut,
            app.ambient().now(),
            origin.details(),
        );
        app.sessions().sign_out(who.session(), record).await;
    }
    Ok(())
}

/// Lists the account's sessions, newest first.
pub async fn list(app: &App, who: &SignedIn) -> Result<Vec<bodies::Session>, Problem> {
    let now = app.ambient().now();
    let rows = app.store().list_sessions(who.user_id(), now).await?;
    let current = who.session().id();
    Ok(rows
        .into_iter()
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
        .collect())
}

/// Ends one session of the account.
pub async fn revoke(app: &App, who: &SignedIn, origin: &Origin, id: &str) -> Result<(), Problem> {
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
        .end(who.user_id(), &[id], close::SESSION_ENDED)
        .await;
    Ok(())
}

/// Ends every other session of the account.
pub async fn revoke_others(
    app: &App,
    who: &SignedIn,
    origin: &Origin,
    body: RevokeOthers,
) -> Result<(), Problem> {
    let _proof = Reauthenticated::check(app, who, &body.reauth_token).await?;
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
        .end(who.user_id(), &ended, close::SESSION_ENDED)
        .await;
    Ok(())
}

/// Records activity of the person.
pub fn active(app: &App, who: &SignedIn) {
    app.sessions().note(who.session(), Deed::Input);
}

/// Keeps the half of a resume wrap in memory, bound to the session.
pub async fn put_resume(app: &App, who: &SignedIn, body: ResumeHalf) -> Result<(), Problem> {
    let half = body.half;
    if half.is_empty() || half.len() > MAX_HALF {
        return Err(Problem::malformed("A half has 1 to 256 bytes."));
    }
    let (halves, session) = (app.plane().resume_halves(), who.session());
    let until = session.absolute_expires_at();
    halves.keep(session.id(), half.into_secret(), until).await?;
    // What ended the session may have erased its half before this one was there.
    if session.is_over(app.ambient().now()) {
        halves.erase(&[session.id()]).await?;
    }
    Ok(())
}

/// Returns the half of a resume wrap.
pub async fn get_resume(app: &App, who: &SignedIn) -> Result<ResumeHalf, Problem> {
    let half = app.plane().resume_halves().half(who.session().id()).await?;
    let half = half.ok_or_else(Problem::not_found)?;
    Ok(ResumeHalf {
        half: Blob::from(half),
    })
}

/// Erases the half of a resume wrap.
pub async fn delete_resume(app: &App, who: &SignedIn) -> Result<(), Problem> {
    let halves = app.plane().resume_halves();
    Ok(halves.erase(&[who.session().id()]).await?)
}
