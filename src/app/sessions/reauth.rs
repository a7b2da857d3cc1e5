//! Re-authentication: the passphrase again, for requests that a cookie alone must not authorise.
//!
//! Specification: `docs/protocol/accounts.md#re-authentication`.

use api::bodies::{self, ReauthFinish, ReauthStart, SignInStarted};
use api::{Action, Blob, Code};
use protocol::opaque;
use serde::{Deserialize, Serialize};

use crate::app::accounts::handle::Handle;
use crate::app::limits::{Guesser, Limit};
use crate::app::tokens::{Purpose, TokenError};
use crate::app::{App, Problem};

use super::device::credential_hash;
use super::sign_in::{self, State, overtaken};
use super::{Deed, Epoch, SignedIn};
use crate::app::origin::Origin;

/// What the proof says.
#[derive(Serialize, Deserialize)]
struct Proof {
    session: [u8; 32],
    epoch: Epoch,
    credentials: Blob,
}

/// Answers the first message.
pub async fn begin(app: &App, who: &SignedIn, body: ReauthStart) -> Result<SignInStarted, Problem> {
    let handle = Handle::parse(who.session().handle()).map_err(|_| Problem::signed_out())?;
    // A session is a sign-in of before: nobody else's attempts count against it.
    let guesser = Guesser::Known {
        account: *who.user_id().as_bytes(),
        device: *who.session().id().as_bytes(),
    };
    app.limits()
        .guess(Limit::Reauthentication, &guesser)
        .await?;
    let epoch = app.sessions().epoch();
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
        epoch,
        credentials: Blob::new(credential_hash(&credential.opaque_record).to_vec()),
        opaque: Blob::from(state),
    };
    Ok(SignInStarted {
        response: Blob::new(response),
        token: Blob::new(app.tokens().seal(Purpose::Reauth, &state).await?),
        ksf: None,
    })
}

/// Checks the second message.
pub async fn finish(
    app: &App,
    who: &SignedIn,
    origin: &Origin,
    body: ReauthFinish,
) -> Result<bodies::Reauthenticated, Problem> {
    let state: State = app
        .tokens()
        .open_once(Purpose::Reauth, &body.token)
        .await
        .map_err(unopened)?;
    let user = who.user_id();
    let own = state.user == Some(*user.as_bytes()) && !overtaken(app, user, &state).await?;
    if !own || opaque::login_finish(&state.opaque, &body.finalization).is_err() {
        let reason = "the passphrase is wrong, given again in a session";
        sign_in::failed(app, origin, Some(user), Action::SignInFailed, reason).await?;
        return Err(refused());
    }
    app.sessions().note(who.session(), Deed::Reauthentication);
    let proof = Proof {
        session: *who.session().id().as_bytes(),
        epoch: state.epoch,
        credentials: state.credentials,
    };
    Ok(bodies::Reauthenticated {
        reauth_token: Blob::new(app.tokens().seal(Purpose::Reauthenticated, &proof).await?),
    })
}

/// Proof that the passphrase was given in this session within five minutes; only the check can make one.
pub struct Reauthenticated(());

impl Reauthenticated {
    /// Checks a token and marks it as used.
    pub async fn check(app: &App, who: &SignedIn, token: &[u8]) -> Result<Self, Problem> {
        let proof: Proof = app
            .tokens()
            .open_once(Purpose::Reauthenticated, token)
            .await
            .map_err(unopened)?;
        let (sessions, user) = (app.sessions(), who.user_id());
        let over = sessions.is_superseded(user, proof.epoch)
            || sessions.are_replaced(user, &proof.credentials).await?;
        if proof.session == *who.session().id().as_bytes() && !over {
            Ok(Self(()))
        } else {
            Err(refused())
        }
    }
}

fn unopened(error: TokenError) -> Problem {
    match error {
        TokenError::Unreachable(unreachable) => unreachable.into(),
        TokenError::Expired | TokenError::Used => refused(),
    }
}

fn refused() -> Problem {
    Problem::new(Code::ReauthFailed, "Give the passphrase and try again.")
}
