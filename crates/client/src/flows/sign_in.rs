//! Signing in, and unlocking with the passphrase.
//!
//! Specification: `docs/protocol/accounts.md#sign-in`.

use api::{Code, Own};
use protocol::name;
use protocol::opaque::{LoginState, OpaqueError, login_start};

use crate::core::Core;
use crate::event::{Me, Phase};
use crate::failure::Failure;
use crate::flows::passphrase::Typed;
use crate::flows::{Flow, KeySource, Step, ksf, parse};
use crate::purpose::Purpose;
use crate::secret_text::SecretText;
use crate::wire::{
    Blob, Entered, ReauthFinish, ReauthStart, SignInFinish, SignInStart, SignInStarted,
};

/// Length of OPAQUE's finalization, for telling the server of a wrong passphrase.
const FINALIZATION_LEN: usize = 64;

/// A sign-in under way.
pub(crate) struct SignIn {
    /// Unlocking an account whose session still lives: no new session is made.
    reauth: bool,
    unlocking: bool,
    handle: String,
    device_name: Option<String>,
    passphrase: Typed,
    login: Option<LoginState>,
    key: Option<KeySource>,
}

impl SignIn {
    pub(crate) const fn during(&self) -> &'static str {
        if self.unlocking { "unlock" } else { "sign_in" }
    }
}

impl Core {
    /// `sign_in`.
    pub(crate) fn sign_in(
        &mut self,
        handle: String,
        passphrase: SecretText,
        device_name: Option<String>,
    ) {
        if !self.may_begin("sign_in") {
            return;
        }
        if matches!(self.phase, Phase::Unlocked) {
            self.io.failed("sign_in", Failure::new(Own::Busy));
            return;
        }
        self.begin_sign_in(SignIn {
            reauth: false,
            unlocking: false,
            handle: name::bare_handle(&handle).to_owned(),
            device_name,
            passphrase: Typed::new(passphrase),
            login: None,
            key: None,
        });
    }

    /// `unlock`.
    pub(crate) fn unlock(&mut self, passphrase: SecretText) {
        if !self.may_begin("unlock") {
            return;
        }
        let Some(me) = self
            .me
            .as_ref()
            .filter(|_| self.phase == Phase::Locked)
            .map(|me| me.handle.clone())
        else {
            self.io.failed("unlock", Failure::new(Own::NotSignedIn));
            return;
        };
        self.begin_sign_in(SignIn {
            reauth: self.session,
            unlocking: true,
            handle: me,
            device_name: None,
            passphrase: Typed::new(passphrase),
            login: None,
            key: None,
        });
    }

    fn begin_sign_in(&mut self, mut flow: SignIn) {
        match login_start(&mut self.io.rng, flow.passphrase.bytes()) {
            Ok((state, request)) => {
                flow.login = Some(state);
                let (request, step) = (Blob::from(request), Purpose::Flow(Step::LoginStart));
                if flow.reauth {
                    let body = ReauthStart { request };
                    self.io.post("/session/reauth/start", &body, step);
                } else {
                    let handle = flow.handle.clone();
                    let body = SignInStart { handle, request };
                    self.io.post("/session/start", &body, step);
                }
                self.flow = Some(Flow::SignIn(Box::new(flow)));
            }
            Err(error) => self
                .io
                .failed(flow.during(), ksf::failure(error, Code::SignInFailed)),
        }
    }

    /// The session ended while its owner typed the passphrase: sign in instead.
    pub(crate) fn unlock_by_signing_in(&mut self) -> bool {
        match self.flow.take() {
            Some(Flow::SignIn(mut flow)) if flow.reauth => {
                self.session = false;
                flow.reauth = false;
                flow.login = None;
                self.begin_sign_in(*flow);
                true
            }
            other => {
                self.flow = other;
                false
            }
        }
    }

    pub(crate) fn login_started(&mut self, body: &[u8]) -> Result<(), Failure> {
        let started: SignInStarted = parse(body)?;
        ksf::check(&mut self.io, started.ksf.as_ref())?;
        let Some(Flow::SignIn(flow)) = self.flow.as_mut() else {
            return Ok(());
        };
        let Some(login) = flow.login.take() else {
            return Err(Failure::new(Own::ServerReply));
        };
        let (finalization, step) = match login.finish(&mut self.io.rng, &started.response) {
            Ok((finalization, export)) => {
                flow.key = Some(KeySource::Export(export));
                (finalization, Step::LoginFinish)
            }
            // The server is told all the same, so that it can count and audit the attempt.
            Err(OpaqueError::Refused) => (vec![0; FINALIZATION_LEN], Step::LoginRefused),
            Err(error) => return Err(ksf::failure(error, Code::SignInFailed)),
        };
        let (token, finalization) = (started.token, Blob::from(finalization));
        let step = Purpose::Flow(step);
        if flow.reauth {
            let body = ReauthFinish {
                token,
                finalization,
            };
            self.io.post("/session/reauth/finish", &body, step);
        } else {
            let body = SignInFinish {
                token,
                finalization,
                device_name: flow.device_name.clone(),
            };
            self.io.post("/session/finish", &body, step);
        }
        Ok(())
    }

    /// The wrong passphrase was reported.
    pub(crate) fn login_refused(&mut self) {
        let again = match self.flow.as_mut() {
            Some(Flow::SignIn(flow)) => flow.passphrase.advance(),
            Some(Flow::Change(flow)) => flow.current.advance(),
            _ => false,
        };
        if again {
            match self.flow.take() {
                Some(Flow::SignIn(flow)) => self.begin_sign_in(*flow),
                Some(Flow::Change(flow)) => self.begin_reauth(flow),
                other => self.flow = other,
            }
            return;
        }
        let code = match self.flow.as_ref() {
            Some(Flow::SignIn(flow)) if flow.unlocking => Own::WrongPassphrase.words(),
            Some(Flow::Change(_)) => Own::WrongPassphrase.words(),
            _ => Code::SignInFailed.words(),
        };
        let mut failure = Failure::new(code);
        self.mention_restore(&mut failure);
        self.mention_unheard(&mut failure);
        self.flow_failed(failure);
    }

    pub(crate) fn login_finished(&mut self, body: &[u8]) -> Result<(), Failure> {
        let Some(Flow::SignIn(flow)) = self.flow.take() else {
            return Ok(());
        };
        let during = flow.during();
        let Some(key) = flow.key else {
            return Err(Failure::new(Own::ServerReply));
        };
        let reason = if flow.unlocking {
            "unlocked"
        } else {
            "signed_in"
        };
        if !flow.reauth {
            let done: Entered = match parse(body) {
                Ok(done) => done,
                Err(failure) => {
                    self.io.failed(during, failure);
                    return Ok(());
                }
            };
            self.me = Some(Me {
                user_id: done.user_id,
                alias: flow.handle.clone(),
                handle: flow.handle,
                role: done.role.to_string(),
            });
            self.session = true;
        }
        self.begin_opening(during, reason, key);
        Ok(())
    }
}
