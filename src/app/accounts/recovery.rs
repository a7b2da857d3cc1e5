//! Recovery: sign-in with the recovery key, and a new passphrase.
//!
//! Specification: `docs/protocol/accounts.md#recovery`.

use api::bodies::{Entered, RecoveryFinish, RecoveryStart, RecoveryStarted};
use api::{Action, Blob, Code};
use protocol::opaque;
use serde::{Deserialize, Serialize};
use sha3::{Digest, Sha3_256};
use store::{CredentialChange, KeepSessions, ReplaceError, SessionId, UserId};
use subtle::ConstantTimeEq;

use crate::app::limits::Limit;
use crate::app::origin::Origin;
use crate::app::sessions::claimant::Claimant;
use crate::app::sessions::device::credential_hash;
use crate::app::sessions::{DeviceCookie, Entry, Epoch, Opening, sign_in};
use crate::app::tokens::{Purpose, TokenError};
use crate::app::{App, Problem};
use api::close;

use super::audit;
use super::safes;

#[derive(Serialize, Deserialize)]
struct State {
    user_id: UserId,
    epoch: Epoch,
    /// Hash of the credentials that are replaced.
    credentials: Blob,
}

/// Checks the proof and returns the safes.
pub async fn start(
    app: &App,
    origin: &Origin,
    device: &DeviceCookie,
    body: RecoveryStart,
) -> Result<RecoveryStarted, Problem> {
    let limit = Limit::Recovery;
    let claimant = Claimant::look_up(app, origin, device, &body.handle, limit).await?;
    let (credential, epoch) = (&claimant.credential, claimant.epoch);
    // An unknown handle is compared with a hash that nothing has.
    let expected = credential
        .as_ref()
        .map_or([0; 32], |credential| credential.recovery_proof_hash);
    let given: [u8; 32] = Sha3_256::digest(&*body.proof).into();
    let proven = bool::from(given.ct_eq(&expected));
    let (Some(credential), true) = (credential, proven) else {
        let user = claimant.user();
        let reason = user.map_or(sign_in::NOBODY, |_| "the recovery key is wrong");
        sign_in::failed(app, origin, user, Action::AccountRecoveryFailed, reason).await?;
        return Err(refused());
    };
    let (safe, prekey_safe) = app
        .store()
        .safes(credential.user_id)
        .await?
        .ok_or_else(refused)?;
    let response = opaque::register_respond(app.opaque(), &body.request, claimant.name())
        .map_err(|_| Problem::malformed("The OPAQUE request cannot be read."))?;
    let user_id = credential.user_id;
    let state = State {
        user_id,
        epoch,
        credentials: Blob::new(claimant.credentials.to_vec()),
    };
    Ok(RecoveryStarted {
        response: Blob::new(response),
        token: Blob::new(app.tokens().seal(Purpose::Recovery, &state).await?),
        user_id,
        safe: safes::shown(safe),
        prekey_safe: safes::shown_prekeys(prekey_safe),
        ksf: None,
    })
}

/// Replaces the credentials, ends every session and starts a new one.
pub async fn finish(
    app: &App,
    origin: &Origin,
    device: &DeviceCookie,
    before: Option<SessionId>,
    body: RecoveryFinish,
) -> Result<Entry, Problem> {
    let opaque_record = opaque::register_record(&body.upload)
        .map_err(|_| Problem::malformed("The OPAQUE upload cannot be read."))?;
    let safe = safes::write(app, body.safe)?;
    let prekey_safe = safes::prekey_safe(body.prekey_safe);
    let state: State = app
        .tokens()
        .open_once(Purpose::Recovery, &body.token)
        .await?;
    let user = state.user_id;
    let sessions = app.sessions();
    if sessions.is_superseded(user, state.epoch)
        || sessions.are_replaced(user, &state.credentials).await?
    {
        return Err(TokenError::Expired.into());
    }
    let superseding = app.sessions().supersede(user);
    let credentials = credential_hash(&opaque_record);
    let opening = Opening::new(app, user, origin, "recovery", body.device_name);
    let now = app.ambient().now();
    let records = vec![
        audit::event(Some(user), Action::AccountRecovered, now, origin.details()),
        opening.audit(origin),
    ];
    let change = CredentialChange {
        user_id: user,
        opaque_record: opaque_record.into(),
        expected_safe_version: safe.version.saturating_sub(1),
        safe,
        expected_prekey_version: prekey_safe.version.saturating_sub(1),
        prekey_safe,
        keep: KeepSessions::None,
        new_session: Some(opening.row()),
    };
    let ended = app.store().replace_credentials(change, records).await?;
    drop(superseding);
    app.sessions()
        .end(user, &ended, close::ACCOUNT_RECOVERED)
        .await;
    sign_in::replace_current(app, before, origin).await?;
    let session = app.sessions().find(opening.id()).await?;
    let session = session.ok_or_else(refused)?;
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

fn refused() -> Problem {
    Problem::new(
        Code::RecoveryFailed,
        "Check handle and recovery key and try again.",
    )
}

impl From<ReplaceError> for Problem {
    fn from(error: ReplaceError) -> Self {
        match &error {
            ReplaceError::NoSuchUser => Problem::signed_out(),
            ReplaceError::VersionNotAbove => Problem::malformed(error.to_string()),
            ReplaceError::Conflict(conflict) => Problem::from(conflict),
            ReplaceError::StaleBatch { .. } => Problem::new(Code::StaleBatch, error.to_string()),
            ReplaceError::Fault(fault) => Problem::from(fault),
        }
    }
}
