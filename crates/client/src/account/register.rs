//! Registration: passphrase, recovery key, identity, first prekeys.

use protocol::opaque::{RegisterState, register_start};
use protocol::recovery_key::RecoveryKey;

use crate::account::sessions::Invite;
use crate::account::{Flow, KeySource, Step, ksf, parse};
use crate::core::Core;
use crate::event::{Event, Me, Phase};
use crate::failure::Failure;
use crate::id::Id;
use crate::people::user;
use crate::purpose::Purpose;
use crate::refuse::of_safe;
use crate::safe::NewSafes;
use crate::secret_text::SecretText;
use crate::timers::Timer;
use crate::wire::{Blob, RegistrationFinish, RegistrationStart, RegistrationStarted};

/// How long the server waits for a recovery key to be kept, milliseconds.
pub(super) const CONFIRM_MS: u64 = 590_000;

/// A registration under way.
pub(crate) struct Register {
    handle: String,
    alias: String,
    invite: Option<Invite>,
    state: Option<RegisterState>,
    prepared: Option<Prepared>,
}

/// All that is uploaded once the recovery key was kept.
struct Prepared {
    token: String,
    upload: Vec<u8>,
    user_id: Id,
    safes: NewSafes,
    recovery: RecoveryKey,
}

impl Core {
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
        let handle = handle.trim().trim_start_matches('@').to_owned();
        let alias = match alias.trim() {
            "" => handle.clone(),
            given => given.to_owned(),
        };
        let wrong = if handle.is_empty() || handle.chars().count() > 64 {
            Some("bad-handle")
        } else if alias.chars().count() > 64 {
            Some("bad-alias")
        } else if passphrase.expose().is_empty() {
            Some("empty-passphrase")
        } else if self.phase == Phase::Unlocked {
            Some("busy")
        } else {
            None
        };
        if let Some(code) = wrong {
            self.io.failed(during, Failure::new(code));
            return;
        }
        let invite = match invite
            .map(|fragment| fragment.parse::<Invite>())
            .transpose()
        {
            Ok(invite) => invite,
            Err(failure) => {
                self.io.failed(during, failure);
                return;
            }
        };
        match register_start(&mut self.io.rng, passphrase.expose().as_bytes()) {
            Ok((state, request)) => {
                let body = RegistrationStart {
                    handle: &handle,
                    request: request.into(),
                    setup: setup.as_ref().map(|s| s.expose()),
                    invite: invite.as_ref().map(|invite| invite.code.as_str()),
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
                })));
            }
            Err(error) => self.io.failed(during, ksf::failure(error, "server-reply")),
        }
    }

    pub(crate) fn register_started(&mut self, body: &[u8]) -> Result<(), Failure> {
        let started: RegistrationStarted = parse(body)?;
        ksf::check(started.ksf.as_ref()).inspect_err(|refusal| {
            self.io.refused(*refusal, None, None);
        })?;
        let now = self.io.now();
        let Some(Flow::Register(flow)) = self.flow.as_mut() else {
            return Ok(());
        };
        let Some(state) = flow.state.take() else {
            return Err(Failure::new("server-reply"));
        };
        let (upload, export) = state
            .finish(&mut self.io.rng, &started.response.0)
            .map_err(|error| ksf::failure(error, "server-reply"))?;
        let recovery = RecoveryKey::random(&mut self.io.rng);
        let safes = NewSafes::make(
            &mut self.io.rng,
            user(started.user_id),
            &export,
            &recovery,
            now,
        )
        .map_err(|error| Failure::from(of_safe(&error)))?;
        let shown = SecretText::new(recovery.display().as_str().to_owned());
        flow.prepared = Some(Prepared {
            token: started.token,
            upload,
            user_id: started.user_id,
            safes,
            recovery,
        });
        self.show_recovery_key(shown, "register");
        Ok(())
    }

    pub(super) fn show_recovery_key(&mut self, recovery_key: SecretText, during: &str) {
        let expires_ms = self.io.now_ms + CONFIRM_MS;
        self.io.timers.set(Timer::Confirmation, expires_ms);
        self.io.event(Event::RecoveryKey {
            recovery_key,
            during: during.to_owned(),
            expires_ms,
        });
    }

    /// The server has forgotten the attempt by now.
    pub(crate) fn confirmation_expired(&mut self) {
        self.flow_failed(Failure::new("token-expired"));
    }

    /// `confirm_recovery_key`.
    pub(crate) fn confirm_recovery_key(&mut self, typed: &SecretText) {
        let during = "confirm_recovery_key";
        let typed = match RecoveryKey::parse(typed.expose()) {
            Ok(typed) => typed,
            Err(_) => {
                self.io
                    .failed(during, Failure::new("recovery-key-mismatch"));
                return;
            }
        };
        let expected = match self.flow.as_ref() {
            Some(Flow::Register(flow)) => flow.prepared.as_ref().map(|p| &p.recovery),
            Some(Flow::Recover(flow)) => flow.new_key(),
            _ => None,
        };
        match expected {
            None => self.io.failed(during, Failure::new("nothing-to-confirm")),
            Some(expected) if *expected == typed => {
                self.io.timers.cancel(Timer::Confirmation);
                if matches!(self.flow, Some(Flow::Register(_))) {
                    self.finish_registration();
                } else {
                    self.finish_recovery();
                }
            }
            Some(_) => self
                .io
                .failed(during, Failure::new("recovery-key-mismatch")),
        }
    }

    fn finish_registration(&mut self) {
        let Some(Flow::Register(flow)) = self.flow.as_mut() else {
            return;
        };
        let Some(prepared) = flow.prepared.as_mut() else {
            return;
        };
        let safes = &mut prepared.safes;
        let body = RegistrationFinish {
            token: &prepared.token,
            upload: Blob(std::mem::take(&mut prepared.upload)),
            alias: &flow.alias,
            public_keys: Blob(std::mem::take(&mut safes.public_keys)),
            safe: std::mem::take(&mut safes.safe),
            prekey_safe: std::mem::take(&mut safes.prekey_safe),
            prekeys: Blob(std::mem::take(&mut safes.batch)),
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
        self.me = Some(Me {
            user_id: prepared.user_id,
            handle: flow.handle,
            alias: flow.alias,
            role: String::new(),
        });
        self.session = true;
        self.begin_opening("register", "registered", KeySource::Key(prepared.safes.key));
        if let Some(Flow::Opening(opening)) = self.flow.as_mut() {
            opening.invite = flow.invite;
        }
        Ok(())
    }
}
