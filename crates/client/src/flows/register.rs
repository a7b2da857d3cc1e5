//! Registration: passphrase, recovery key, identity, first prekeys.
//!
//! Specification: `docs/protocol/accounts.md#registration`.

use api::Own;
use protocol::name;
use protocol::opaque::{RegisterState, register_start};
use protocol::recovery_key::RecoveryKey;
use zeroize::Zeroizing;

use crate::core::Core;
use crate::event::Phase;
use crate::failure::Failure;
use crate::flows::confirm::Prepared;
use crate::flows::passphrase::prepared;
use crate::flows::sessions::Invite;
use crate::flows::{Flow, Step, ksf, parse};
use crate::purpose::Purpose;
use crate::refuse::of_safe;
use crate::secret_text::SecretText;
use crate::state::safes::{NewSafes, Remembered};
use crate::wire::{
    Blob, RegistrationFinish, RegistrationStart, RegistrationStarted, RegistrationWish,
};

/// A registration under way.
pub(crate) struct Register {
    handle: String,
    alias: String,
    invite: Option<Invite>,
    state: Option<RegisterState>,
    pub(super) prepared: Option<Prepared>,
    /// The first public keys and the first batch of prekeys.
    first: (Vec<u8>, Vec<u8>),
}

/// What somebody asks for, in the form that is kept.
struct Wish {
    handle: String,
    alias: String,
    invite: Option<Invite>,
}

impl Wish {
    fn read(handle: &str, alias: &str, invite: Option<&str>) -> Result<Self, Failure> {
        let handle = name::bare_handle(handle);
        name::check_handle(handle)?;
        let alias = match alias.trim() {
            "" => handle.to_owned(),
            given => name::alias(given)?,
        };
        Ok(Self {
            handle: handle.to_owned(),
            alias,
            invite: invite.map(str::parse::<Invite>).transpose()?,
        })
    }
}

/// A secret on its way into a body, which wipes it.
fn secret(text: &SecretText) -> Zeroizing<String> {
    Zeroizing::new(text.expose().to_owned())
}

impl Core {
    /// `check_registration`.
    pub(crate) fn check_registration(
        &mut self,
        handle: &str,
        alias: &str,
        setup: Option<&SecretText>,
        invite: Option<&str>,
    ) {
        match Wish::read(handle, alias, invite) {
            Ok(wish) => {
                let code = wish.invite.as_ref().map(|invite| invite.code.to_string());
                let body = RegistrationWish {
                    handle: wish.handle,
                    alias: wish.alias,
                    setup: setup.map(secret),
                    invite: code,
                };
                self.io
                    .post("/registration/check", &body, Purpose::RegistrationCheck);
            }
            Err(failure) => self.io.failed("check_registration", failure),
        }
    }

    /// `register`.
    pub(crate) fn register(
        &mut self,
        handle: String,
        alias: String,
        passphrase: SecretText,
        setup: Option<SecretText>,
        invite: Option<String>,
    ) {
        let during = "register";
        if !self.may_begin(during) {
            return;
        }
        let wrong = if passphrase.expose().is_empty() {
            Some(Own::EmptyPassphrase)
        } else if self.phase == Phase::Unlocked {
            Some(Own::Busy)
        } else {
            None
        };
        if let Some(code) = wrong {
            self.io.failed(during, Failure::new(code));
            return;
        }
        let wish = match Wish::read(&handle, &alias, invite.as_deref()) {
            Ok(wish) => wish,
            Err(failure) => {
                self.io.failed(during, failure);
                return;
            }
        };
        let Wish {
            handle,
            alias,
            invite,
        } = wish;
        let code = invite.as_ref().map(|invite| invite.code.to_string());
        match register_start(&mut self.io.rng, prepared(&passphrase).expose().as_bytes()) {
            Ok((state, request)) => {
                let body = RegistrationStart {
                    handle: handle.clone(),
                    request: request.into(),
                    setup: setup.as_ref().map(secret),
                    invite: code,
                };
                self.io.post(
                    "/registration/start",
                    &body,
                    Purpose::Flow(Step::RegisterStart),
                );
                self.flow = Some(Flow::Register(Box::new(Register {
                    handle,
                    alias,
                    invite,
                    state: Some(state),
                    prepared: None,
                    first: Default::default(),
                })));
            }
            Err(error) => self
                .io
                .failed(during, ksf::failure(error, Own::ServerReply)),
        }
    }

    pub(crate) fn register_started(&mut self, body: &[u8]) -> Result<(), Failure> {
        let started: RegistrationStarted = parse(body)?;
        let now = self.io.stamp();
        let Some(Flow::Register(flow)) = self.flow.as_mut() else {
            return Ok(());
        };
        let (offered, state) = (started.ksf.as_ref(), flow.state.take());
        let (upload, export) = ksf::finish(&mut self.io, offered, state, &started.response)?;
        let recovery = RecoveryKey::random(&mut self.io.rng);
        let safes = NewSafes::make(&mut self.io.rng, started.user_id, &export, &recovery, now)
            .map_err(|error| Failure::from(of_safe(&error)))?;
        flow.first = (safes.public_keys, safes.batch);
        flow.prepared = Some(Prepared {
            token: started.token,
            upload,
            user_id: started.user_id,
            recovery,
            key: safes.key,
            safe: safes.safe,
            prekey_safe: safes.prekey_safe,
            written: Remembered {
                marks: safes.marks,
                epoch: None,
            },
        });
        self.show_recovery_key();
        Ok(())
    }

    pub(super) fn finish_registration(&mut self) {
        let Some(Flow::Register(flow)) = self.flow.as_mut() else {
            return;
        };
        let Some(prepared) = flow.prepared.as_mut() else {
            return;
        };
        let (public_keys, batch) = std::mem::take(&mut flow.first);
        let body = RegistrationFinish {
            token: std::mem::take(&mut prepared.token),
            upload: Blob::from(std::mem::take(&mut prepared.upload)),
            alias: flow.alias.clone(),
            public_keys: Blob::from(public_keys),
            safe: std::mem::take(&mut prepared.safe),
            prekey_safe: std::mem::take(&mut prepared.prekey_safe),
            prekeys: Blob::from(batch),
            device_name: None,
        };
        self.io.post(
            "/registration/finish",
            &body,
            Purpose::Flow(Step::RegisterFinish),
        );
    }

    pub(crate) fn register_finished(&mut self, _body: &[u8]) -> Result<(), Failure> {
        let Some(Flow::Register(flow)) = self.flow.take() else {
            return Ok(());
        };
        let Some(prepared) = flow.prepared else {
            return Ok(());
        };
        let names = (flow.handle, flow.alias);
        self.come_in(prepared, names, "register", "registered");
        if let Some(Flow::Opening(opening)) = self.flow.as_mut() {
            opening.invite = flow.invite;
        }
        Ok(())
    }
}
