//! Re-authentication: the passphrase again, for what a cookie alone must not do.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Json};
use protocol::opaque;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::accounts::handle::Handle;
use crate::http::{Blob, Problem};
use crate::state::App;
use crate::tokens::Purpose;

use super::sign_in::{self, Started, State};
use super::{Origin, SignedIn};

/// The first message.
#[derive(Deserialize, ToSchema)]
pub struct Start {
    /// OPAQUE credential request.
    pub request: Blob,
}

/// The second message.
#[derive(Deserialize, ToSchema)]
pub struct Finish {
    /// From the answer to the first message.
    pub token: Blob,
    /// OPAQUE credential finalization.
    pub finalization: Blob,
}

/// The answer to the second message.
#[derive(Serialize, ToSchema)]
pub struct Proven {
    /// Proof of the passphrase for this session, for five minutes and once.
    pub reauth_token: Blob,
}

/// What the proof says.
#[derive(Serialize, Deserialize)]
struct Proof {
    session: [u8; 32],
}

/// Answers the first message.
pub async fn begin(
    app: Data<App>,
    who: SignedIn,
    origin: Origin,
    body: Json<Start>,
) -> Result<Json<Started>, Problem> {
    let handle = Handle::parse(who.session().handle()).map_err(|_| Problem::signed_out())?;
    app.limits().sign_in(origin.ip, handle.digest())?;
    let credential = app
        .store()
        .credential_by_id(who.user_id())
        .await?
        .ok_or_else(Problem::signed_out)?;
    let (state, response) = opaque::login_respond(
        app.opaque(),
        Some(&credential.opaque_record),
        &body.request,
        handle.credential_id(),
        &mut app.ambient().rng(),
    )
    .map_err(|_| Problem::malformed("The OPAQUE request cannot be read."))?;
    let state = State {
        user: Some(*who.user_id().as_bytes()),
        opaque: Blob(state),
    };
    Ok(Json(Started {
        response: Blob::new(response),
        token: Blob::new(app.tokens().seal(Purpose::Reauth, &state)?),
    }))
}

/// Checks the second message.
pub async fn finish(
    app: Data<App>,
    who: SignedIn,
    origin: Origin,
    body: Json<Finish>,
) -> Result<Json<Proven>, Problem> {
    let state: State = app
        .tokens()
        .open_once(Purpose::Reauth, &body.token)
        .map_err(|_| refused())?;
    let own = state.user == Some(*who.user_id().as_bytes());
    if !own || opaque::login_finish(&state.opaque, &body.finalization).is_err() {
        let reason = "the passphrase is wrong, given again in a session";
        let user = Some(who.user_id());
        sign_in::failed(&app, &origin, user, "sign_in.failed", reason).await?;
        return Err(refused());
    }
    app.sessions().act(who.session());
    let proof = Proof {
        session: *who.session().id().as_bytes(),
    };
    Ok(Json(Proven {
        reauth_token: Blob::new(app.tokens().seal(Purpose::Reauthenticated, &proof)?),
    }))
}

/// Proof that the passphrase was given in this session lately; only the check can make one.
pub struct Reauthenticated(());

impl Reauthenticated {
    /// Uses a token up.
    pub fn check(app: &App, who: &SignedIn, token: &[u8]) -> Result<Self, Problem> {
        let proof: Proof = app
            .tokens()
            .open_once(Purpose::Reauthenticated, token)
            .map_err(|_| refused())?;
        if proof.session == *who.session().id().as_bytes() {
            Ok(Self(()))
        } else {
            Err(refused())
        }
    }
}

fn refused() -> Problem {
    Problem::new(
        StatusCode::FORBIDDEN,
        "reauth-failed",
        "The passphrase is needed again",
        "Give the passphrase and try again.",
    )
}
