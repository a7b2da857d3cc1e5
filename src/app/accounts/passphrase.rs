//! Change of the passphrase: replaces the OPAQUE record and both safes in one transaction.
//!
//! Specification: `docs/protocol/accounts.md#changing-the-passphrase`.

use api::bodies::{PassphraseFinish, PassphraseStart, PassphraseStarted};
use api::{Action, Blob};
use protocol::opaque;
use serde::{Deserialize, Serialize};
use store::{CredentialChange, KeepSessions};

use crate::app::origin::Origin;
use crate::app::sessions::device::credential_hash;
use crate::app::sessions::reauth::Reauthenticated;
use crate::app::sessions::{DeviceCookie, SignedIn};
use crate::app::tokens::Purpose;
use crate::app::{App, Problem};
use api::close;

use super::audit;
use super::handle::Handle;
use super::safes;

#[derive(Serialize, Deserialize)]
struct State {
    user_id: [u8; 16],
}

/// Answers the first message.
pub async fn start(
    app: &App,
    who: &SignedIn,
    body: &PassphraseStart,
) -> Result<PassphraseStarted, Problem> {
    let handle = Handle::parse(who.session().handle()).map_err(|_| Problem::signed_out())?;
    let response = opaque::register_respond(app.opaque(), &body.request, handle.credential_id())
        .map_err(|_| Problem::malformed("The OPAQUE request cannot be read."))?;
    let state = State {
        user_id: *who.user_id().as_bytes(),
    };
    Ok(PassphraseStarted {
        response: Blob::new(response),
        token: Blob::new(app.tokens().seal(Purpose::Passphrase, &state).await?),
        ksf: None,
    })
}

/// Replaces record and safes and ends every other session; returns the known device's cookie.
pub async fn finish(
    app: &App,
    who: &SignedIn,
    origin: &Origin,
    device: &DeviceCookie,
    body: PassphraseFinish,
) -> Result<String, Problem> {
    let opaque_record = opaque::register_record(&body.upload)
        .map_err(|_| Problem::malformed("The OPAQUE upload cannot be read."))?;
    let safe = safes::write(app, body.safe)?;
    let prekey_safe = safes::prekey_safe(body.prekey_safe);
    let _proof = Reauthenticated::check(app, who, &body.reauth_token).await?;
    let state: State = app
        .tokens()
        .open_once(Purpose::Passphrase, &body.token)
        .await?;
    if state.user_id != *who.user_id().as_bytes() {
        return Err(Problem::forbidden("This step was begun by somebody else."));
    }
    let user = who.user_id();
    let record = audit::change(app, who, origin, Action::AccountPassphraseChanged).await?;
    let credentials = credential_hash(&opaque_record);
    let (version, prekey_version) = (safe.version, prekey_safe.version);
    let change = CredentialChange {
        user_id: user,
        opaque_record: opaque_record.into(),
        expected_safe_version: version.saturating_sub(1),
        safe,
        expected_prekey_version: prekey_version.saturating_sub(1),
        prekey_safe,
        keep: KeepSessions::Only(who.session().id()),
        new_session: None,
    };
    let superseding = app.sessions().supersede(user);
    let ended = app
        .store()
        .replace_credentials(change, vec![record])
        .await?;
    drop(superseding);
    app.sessions()
        .end(user, &ended, close::PASSPHRASE_CHANGED)
        .await;
    app.hub()
        .safe_written(who, Some(version), Some(prekey_version))
        .await;
    let devices = app.devices();
    Ok(devices.remember(device, user, &credentials, app.ambient()))
}
