//! Sign-in with OPAQUE ([RFC 9807](https://www.rfc-editor.org/rfc/rfc9807)): known and unknown handles answer alike.
//!
//! Specification: `docs/protocol/accounts.md#sign-in`.

use api::bodies::{Entered, SignInFinish, SignInStart, SignInStarted};
use api::{Action, Blob, Code, close};
use protocol::opaque;
use serde::{Deserialize, Serialize};
use store::{CreateSessionError, Fault, SessionId, UserId};

use crate::app::accounts::audit;
use crate::app::limits::Limit;
use crate::app::tokens::{Purpose, TokenError};
use crate::app::{App, Problem};

use super::claimant::Claimant;
use super::{DeviceCookie, Entry, Epoch, Opening, SignedIn, start};
use crate::app::audit::record;
use crate::app::origin::Origin;

/// What travels in the token; the same size whether or not the account exists.
#[derive(Serialize, Deserialize)]
pub(super) struct State {
    /// The account, if it exists.
    pub(super) user: Option<[u8; 16]>,
    /// When the sign-in began.
    pub(super) epoch: Epoch,
    /// Hash of the credentials that are being proven.
    pub(super) credentials: Blob,
    /// OPAQUE's state.
    pub(super) opaque: Blob,
}

/// Answers the first message.
pub async fn begin(
    app: &App,
    origin: &Origin,
    device: &DeviceCookie,
    body: SignInStart,
) -> Result<SignInStarted, Problem> {
    let limit = Limit::SignIn;
    let claimant = Claimant::look_up(app, origin, device, &body.handle, limit).await?;
    let record = claimant.credential.as_ref().map(|it| &*it.opaque_record);
    let (state, response) = opaque::login_respond(
        app.opaque(),
        record,
        &body.request,
        claimant.name(),
        &mut app.ambient().rng(),
    )
    .map_err(|_| Problem::malformed("The OPAQUE request cannot be read."))?;
    let state = State {
        user: claimant.user().map(|user| *user.as_bytes()),
        epoch: claimant.epoch,
        credentials: Blob::new(claimant.credentials.to_vec()),
        opaque: Blob::from(state),
    };
    Ok(SignInStarted {
        response: Blob::new(response),
        token: Blob::new(app.tokens().seal(Purpose::SignIn, &state).await?),
        ksf: None,
    })
}

/// Checks the second message and signs in.
pub async fn finish(
    app: &App,
    origin: &Origin,
    device: &DeviceCookie,
    before: Option<SessionId>,
    body: SignInFinish,
) -> Result<Entry, Problem> {
    let opened = app.tokens().open_once(Purpose::SignIn, &body.token).await;
    if let Err(TokenError::Unreachable(unreachable)) = opened {
        return Err(unreachable.into());
    }
    let Ok(state): Result<State, _> = opened else {
        failed(app, origin, None, Action::SignInFailed, SPENT).await?;
        return Err(refused());
    };
    let user = state.user.map(UserId::from_bytes);
    let proven = opaque::login_finish(&state.opaque, &body.finalization).is_ok();
    let Some(user) = user.filter(|_| proven) else {
        let reason = user.map_or(NOBODY, |_| "the passphrase is wrong");
        failed(app, origin, user, Action::SignInFailed, reason).await?;
        return Err(refused());
    };
    if overtaken(app, user, &state).await? {
        failed(app, origin, Some(user), Action::SignInFailed, OVERTAKEN).await?;
        return Err(TokenError::Expired.into());
    }
    start::make_room(app, user, origin).await?;
    let opening = Opening::new(app, user, origin, "passphrase", body.device_name);
    let now = app.ambient().now();
    let records = vec![
        audit::event(Some(user), Action::SignInSucceeded, now, origin.details()),
        opening.audit(origin),
    ];
    match app.store().create_session(opening.row(), records).await {
        Ok(()) => {}
        Err(CreateSessionError::NotAllowed) => {
            let reason = "the account was disabled meanwhile";
            failed(app, origin, Some(user), Action::SignInFailed, reason).await?;
            return Err(refused());
        }
        Err(CreateSessionError::Fault(fault)) => return Err(Problem::from(&fault)),
        Err(error) => return Err(Problem::internal(&error)),
    }
    if overtaken(app, user, &state).await? {
        // What ended the account's sessions may have looked before this one was there.
        revoke(app, user, opening.id(), origin, OVERTAKEN).await?;
        return Err(TokenError::Expired.into());
    }
    replace_current(app, before, origin).await?;
    let session = app.sessions().find(opening.id()).await?;
    let session = session.ok_or_else(refused)?;
    let credentials = (&*state.credentials).try_into().unwrap_or_default();
    let devices = app.devices();
    let device = devices.remember(device, user, &credentials, app.ambient());
    Ok(Entry {
        entered: Entered {
            user_id: user,
            role: session.role(),
            session_id: opening.id(),
        },
        session: opening.secret(),
        device,
    })
}

/// Whether what was proven was ended or replaced after it was begun, on whichever instance.
pub(super) async fn overtaken(app: &App, user: UserId, state: &State) -> Result<bool, Fault> {
    let sessions = app.sessions();
    Ok(sessions.is_superseded(user, state.epoch)
        || sessions.are_replaced(user, &state.credentials).await?)
}

/// Ends one session of an account, in the store and in memory.
async fn revoke(
    app: &App,
    user: UserId,
    id: SessionId,
    origin: &Origin,
    reason: &str,
) -> Result<(), Problem> {
    let mut details = origin.details();
    details["reason"] = reason.into();
    let record = audit::event(
        Some(user),
        Action::SessionRevoked,
        app.ambient().now(),
        details,
    );
    app.store().delete_session(user, id, vec![record]).await?;
    app.sessions().end(user, &[id], close::SESSION_OVER).await;
    Ok(())
}

/// Ends the session that this browser had before it signed in again.
pub(crate) async fn replace_current(
    app: &App,
    before: Option<SessionId>,
    origin: &Origin,
) -> Result<(), Problem> {
    let before = match before {
        Some(id) => SignedIn::check(app.sessions(), id).await?,
        None => None,
    };
    let Some(before) = before else {
        return Ok(());
    };
    let id = before.session().id();
    revoke(app, before.user_id(), id, origin, "signed in again").await
}

/// Reason in the audit log: no such account, or one that must not sign in.
pub(crate) const NOBODY: &str = "there is no such account, or it is disabled";
/// Reason in the audit log: the token expired or was used.
pub(crate) const SPENT: &str = "the token was used, has expired or is another server's";
/// Reason in the audit log: the account's sessions were ended after the sign-in began.
const OVERTAKEN: &str = "it was begun before the account's sessions were ended";

/// Records a failure with its reason; beyond a rate it is only counted, so that nobody can fill the log.
pub(crate) async fn failed(
    app: &App,
    origin: &Origin,
    user: Option<UserId>,
    action: Action,
    reason: &'static str,
) -> Result<(), Problem> {
    let mut details = origin.answered(401);
    details["reason"] = reason.into();
    let event = audit::event(user, action, app.ambient().now(), details);
    record::write(app, event, origin.ip).await
}

/// The one answer to a wrong passphrase, an unknown handle and a spent token.
fn refused() -> Problem {
    Problem::new(
        Code::SignInFailed,
        "Check handle and passphrase and try again.",
    )
}
