//! Registration: two messages of OPAQUE, then one transaction.
//!
//! Specification: `docs/protocol/accounts.md#registration`.

use api::bodies::{
    Entered, RegistrationFinish, RegistrationStart, RegistrationStarted, RegistrationWish,
};
use api::{Action, Blob, Code};
use protocol::{name, opaque};
use serde::{Deserialize, Serialize};
use store::{
    Admission, InviteCode, InviteUse, NewUser, RegisterError, RegistrationMode, Role, UserId,
    hash_invite_code,
};

use crate::app::origin::Origin;
use crate::app::sessions::device::credential_hash;
use crate::app::sessions::{DeviceCookie, Entry, Opening};
use crate::app::tokens::Purpose;
use crate::app::{App, Problem};

use super::admin_link;
use super::audit;
use super::handle::Handle;
use super::keys::CheckedKeys;
use super::safes;

#[derive(Serialize, Deserialize)]
struct State {
    user_id: UserId,
    handle: String,
    right: Right,
}

#[derive(Serialize, Deserialize)]
enum Right {
    Open,
    /// The code of the invite.
    Invite(InviteCode),
    Setup,
    AdminLink([u8; 32]),
}

/// Answers the first message.
pub async fn start(
    app: &App,
    origin: &Origin,
    body: RegistrationStart,
) -> Result<RegistrationStarted, Problem> {
    app.limits().registration(origin.ip).await?;
    let link = Link {
        handle: &body.handle,
        setup: body.setup.as_deref().map(String::as_str),
        invite: body.invite.as_deref(),
    };
    let right = admit(app, &link).await?;
    let handle = free_handle(app, &body.handle).await?;
    let user_id = UserId::from(app.ambient().random());
    let response = opaque::register_respond(app.opaque(), &body.request, handle.credential_id())
        .map_err(|_| Problem::malformed("The OPAQUE request cannot be read."))?;
    let state = State {
        user_id,
        handle: handle.as_str().to_owned(),
        right,
    };
    Ok(RegistrationStarted {
        response: Blob::new(response),
        token: Blob::new(app.tokens().seal(Purpose::Registration, &state).await?),
        user_id,
        ksf: None,
    })
}

fn parse_handle(text: &str) -> Result<Handle, Problem> {
    Handle::parse(text).map_err(|error| Problem::new(Code::HandleRefused, error.to_string()))
}

/// Makes every check of a registration, and keeps nothing.
///
/// It reports an unusable invite also if registration is open, because the link should have made two people
/// contacts.
pub async fn check(app: &App, origin: &Origin, body: RegistrationWish) -> Result<(), Problem> {
    app.limits().registration_check(origin.ip).await?;
    let link = Link {
        handle: &body.handle,
        setup: body.setup.as_deref().map(String::as_str),
        invite: body.invite.as_deref(),
    };
    let right = admit(app, &link).await?;
    if matches!(right, Right::Open) && body.invite.is_some() {
        return Err(RegisterError::InviteUnusable.into());
    }
    free_handle(app, &body.handle).await?;
    alias(&body.alias)?;
    Ok(())
}

/// Parses a handle and checks that it is free.
async fn free_handle(app: &App, text: &str) -> Result<Handle, Problem> {
    let handle = parse_handle(text)?;
    if app.store().handle_taken(handle.as_str()).await? {
        return Err(RegisterError::HandleTaken.into());
    }
    Ok(handle)
}

/// The set-up secret or the invite of a request.
struct Link<'a> {
    handle: &'a str,
    setup: Option<&'a str>,
    invite: Option<&'a str>,
}

/// Checks what permits this registration; it is used up only at the end of the registration.
async fn admit(app: &App, link: &Link<'_>) -> Result<Right, Problem> {
    if let Some(secret) = link.setup {
        if app.setup().admits(secret).await? {
            return Ok(Right::Setup);
        }
        let handle = parse_handle(link.handle)?;
        let now = app.ambient().now();
        return match admin_link::hash_of(secret, &handle) {
            Some(hash) if app.store().admin_link_usable(hash, now).await? => {
                Ok(Right::AdminLink(hash))
            }
            _ => Err(RegisterError::AdminLinkUnusable.into()),
        };
    }
    match app.setup().settings().registration {
        RegistrationMode::Closed => Err(closed()),
        RegistrationMode::Open if link.invite.is_none() => Ok(Right::Open),
        mode => {
            let usable = match link.invite {
                Some(code) => usable_invite(app, code).await?,
                None => None,
            };
            match (usable, mode) {
                (Some(code), _) => Ok(Right::Invite(code)),
                // An invite that is used up is no reason to turn away whom an open server takes.
                (None, RegistrationMode::Open) => Ok(Right::Open),
                (None, _) => Err(RegisterError::InviteUnusable.into()),
            }
        }
    }
}

async fn usable_invite(app: &App, code: &str) -> Result<Option<InviteCode>, Problem> {
    let Ok(code) = code.parse::<InviteCode>() else {
        return Ok(None);
    };
    let found = app.store().find_invite(hash_invite_code(&code)).await?;
    let now = app.ambient().now();
    Ok(found.filter(|invite| invite.is_usable(now)).map(|_| code))
}

/// Refuses a registration if what permitted its start is no longer valid.
fn may_finish(admission: &Admission, mode: RegistrationMode) -> Result<(), Problem> {
    match (admission, mode) {
        (Admission::Setup | Admission::AdminLink(_), _)
        | (_, RegistrationMode::Open)
        | (Admission::Invite(_), RegistrationMode::Invite) => Ok(()),
        (_, RegistrationMode::Closed) | (Admission::Open, RegistrationMode::Invite) => {
            Err(closed())
        }
    }
}

fn closed() -> Problem {
    Problem::new(
        Code::RegistrationClosed,
        "Ask the administrator of this server.",
    )
}

/// Makes the account and signs in.
pub async fn finish(
    app: &App,
    origin: &Origin,
    device: &DeviceCookie,
    body: RegistrationFinish,
) -> Result<Entry, Problem> {
    let alias = alias(&body.alias)?;
    let now = app.ambient().now();
    let opaque_record = opaque::register_record(&body.upload)
        .map_err(|_| Problem::malformed("The OPAQUE upload cannot be read."))?;
    let keys = CheckedKeys::check(body.public_keys.into_vec())?;
    let safe = safes::write(app, body.safe)?;
    let state: State = app
        .tokens()
        .open_once(Purpose::Registration, &body.token)
        .await?;
    let user_id = state.user_id;
    let prekeys = keys.batch(&body.prekeys, user_id, now)?;
    let admission = match state.right {
        Right::Open => Admission::Open,
        Right::Invite(code) => Admission::Invite(InviteUse::of(&code, user_id)),
        Right::Setup => Admission::Setup,
        Right::AdminLink(hash) => Admission::AdminLink(hash),
    };
    let credentials = credential_hash(&opaque_record);
    // Held until the account is there: whoever closes registration waits, and nobody comes after.
    let policy = app.setup().policy().await;
    may_finish(&admission, policy.mode())?;
    let opening = Opening::new(app, user_id, origin, "registration", body.device_name);
    let mut details = origin.details();
    details["right"] = match admission {
        Admission::Open => "open",
        Admission::Invite(_) => "invite",
        Admission::Setup => "setup",
        Admission::AdminLink(_) => "admin_link",
    }
    .into();
    let records = vec![
        audit::event(Some(user_id), Action::AccountRegistered, now, details),
        audit::event(Some(user_id), Action::KeysPublished, now, origin.details()),
        opening.audit(origin),
    ];
    let user = NewUser {
        user_id,
        handle: state.handle.into(),
        alias: alias.into(),
        opaque_record: opaque_record.into(),
        fingerprint: keys.fingerprint(),
        public_keys: keys.row(now),
        safe,
        prekey_safe: safes::prekey_safe(body.prekey_safe),
        prekeys,
        created_at: now,
        admission,
    };
    let role = app.store().register(user, opening.row(), records).await?;
    drop(policy);
    if role == Role::Admin && !app.setup().settings().setup_done {
        app.setup().done();
    }
    let devices = app.devices();
    let device = devices.remember(device, user_id, &credentials, app.ambient());
    Ok(Entry {
        entered: Entered {
            user_id,
            role,
            session_id: opening.id(),
        },
        session: opening.secret(),
        device,
    })
}

/// Normalises an alias.
pub(super) fn alias(text: &str) -> Result<String, Problem> {
    name::alias(text).map_err(|error| Problem::new(Code::AliasRefused, error.to_string()))
}

impl From<RegisterError> for Problem {
    fn from(error: RegisterError) -> Self {
        let detail = error.to_string();
        match &error {
            RegisterError::HandleTaken => Problem::new(Code::HandleTaken, detail),
            RegisterError::AlreadyRegistered => Problem::new(Code::AlreadyRegistered, detail),
            RegisterError::InviteUnusable => Problem::new(Code::InviteUnusable, detail),
            RegisterError::AlreadySetUp | RegisterError::AdminLinkUnusable => {
                Problem::new(Code::SetupUnusable, detail)
            }
            RegisterError::Fault(fault) => Problem::from(fault),
        }
    }
}
