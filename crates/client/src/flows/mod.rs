//! Coming in: registration, sign-in, recovery, change of passphrase, resuming after a reload.
//!
//! One flow is under way at a time. Each is a state machine that the server's answers move on.

mod change;
mod confirm;
mod deletion;
mod identity;
mod ksf;
mod offer;
mod opening;
mod passphrase;
mod recover;
mod register;
mod resume;
pub(crate) mod sessions;
mod sign_in;
mod start;
mod unheard;

pub(crate) use change::Change;
pub(crate) use identity::NewIdentity;
pub(crate) use opening::{KeySource, Opening};
pub(crate) use recover::Recover;
pub(crate) use register::Register;
pub(crate) use resume::{Resume, remembered_key};
pub(crate) use sign_in::SignIn;
pub(crate) use unheard::Unheard;

use api::{Code, Own};
use confirm::Prepared;

use crate::core::Core;
use crate::failure::Failure;
use crate::state::safes::Recall;
use crate::timers::Timer;

/// The flow under way.
pub(crate) enum Flow {
    Register(Box<Register>),
    SignIn(Box<SignIn>),
    Recover(Box<Recover>),
    Change(Box<Change>),
    Resume(Resume),
    Opening(Box<Opening>),
}

/// The step of a flow that a request belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    RegisterStart,
    RegisterFinish,
    LoginStart,
    LoginFinish,
    LoginRefused,
    RecoverStart,
    RecoverFinish,
    ReauthStart,
    ReauthFinish,
    PassphraseStart,
    PassphraseFinish,
    IdentityPut,
    AccountDelete,
    OpeningSession,
    OpeningSafes,
}

impl Step {
    /// Whether its request changes at the server what the flow is about: from then on the answer alone
    /// says how things stand.
    pub(crate) const fn decides(self) -> bool {
        match self {
            Self::RegisterFinish
            | Self::RecoverFinish
            | Self::PassphraseFinish
            | Self::IdentityPut
            | Self::AccountDelete => true,
            Self::RegisterStart
            | Self::LoginStart
            | Self::LoginFinish
            | Self::LoginRefused
            | Self::RecoverStart
            | Self::ReauthStart
            | Self::ReauthFinish
            | Self::PassphraseStart
            | Self::OpeningSession
            | Self::OpeningSafes => false,
        }
    }
}

impl Flow {
    /// The command that began it.
    pub(crate) fn during(&self) -> &'static str {
        match self {
            Self::Register(_) => "register",
            Self::SignIn(flow) => flow.during(),
            Self::Recover(_) => "recover",
            Self::Change(flow) => flow.during(),
            Self::Resume(_) => "start",
            Self::Opening(flow) => flow.during,
        }
    }

    /// What this browser remembers of the account that the flow is about to open.
    fn recall(&mut self) -> Option<&mut Recall> {
        match self {
            Self::Opening(flow) => Some(&mut flow.recall),
            Self::Recover(flow) => flow.recall.as_mut(),
            _ => None,
        }
    }

    /// Of when the backup is that the person is being asked about.
    fn asks_about(&self) -> Option<u64> {
        match self {
            Self::Opening(flow) => flow.recall.asks(),
            Self::Recover(flow) => flow.recall.as_ref()?.asks(),
            _ => None,
        }
    }

    /// What is uploaded once the new recovery key was kept.
    fn prepared(&self) -> Option<&Prepared> {
        match self {
            Self::Register(flow) => flow.prepared.as_ref(),
            Self::Recover(flow) => flow.prepared.as_ref(),
            _ => None,
        }
    }
}

impl Core {
    /// Whether a new flow may begin; says so when not.
    pub(crate) fn may_begin(&mut self, during: &'static str) -> bool {
        if self.flow.is_some() {
            self.io.failed(during, Failure::new(Own::Busy));
            return false;
        }
        // Answers to one that was given up are not for this one.
        self.io.forget_steps();
        true
    }

    /// Ends the flow under way with a failure; its secrets are overwritten as they drop.
    pub(crate) fn flow_failed(&mut self, failure: Failure) {
        if let Some(flow) = self.flow.take() {
            self.io.timers.cancel(Timer::Confirmation);
            self.io.failed(flow.during(), failure);
            if let (Flow::Change(_), Some(open)) = (&flow, self.unlocked.as_mut()) {
                open.safe.writes_resume(&mut self.io);
            }
        }
    }

    /// Whether the server was asked for what the flow is about, and has not answered.
    pub(crate) fn awaits_outcome(&self) -> bool {
        self.flow.is_some() && self.io.awaits_outcome()
    }

    /// `cancel`: gives the flow up, unless the server was asked for what it changes.
    pub(crate) fn cancel(&mut self) {
        if self
            .flow
            .as_ref()
            .is_some_and(|flow| flow.asks_about().is_some())
        {
            self.decline_restored();
            return;
        }
        if self.awaits_outcome() {
            self.io.failed("cancel", Failure::new(Own::CannotCancel));
            return;
        }
        if self.decline_clock() {
            return;
        }
        self.flow = None;
        self.io.timers.cancel(Timer::Confirmation);
        self.emit_state();
    }

    /// The answer to a step; `None` when the server could not be reached.
    pub(crate) fn flow_answered(&mut self, step: Step, answer: Option<(u16, Vec<u8>)>) {
        if self.flow.is_none() {
            // Given up in the meantime.
            return;
        }
        // What something on the way answers says nothing of the change either.
        if step.decides() && answer.as_ref().is_some_and(|(status, _)| *status < 500) {
            self.heard();
        }
        let Some((status, body)) = answer else {
            let failure = Failure::new(Own::Offline);
            if step == Step::AccountDelete {
                self.deletion_failed(false, failure);
            } else {
                self.flow_failed(failure);
            }
            return;
        };
        if step == Step::LoginRefused {
            self.login_refused();
            return;
        }
        if !(200..300).contains(&status) {
            self.step_refused(step, status, &body);
            return;
        }
        let done = match step {
            Step::RegisterStart => self.register_started(&body),
            Step::RegisterFinish => self.register_finished(&body),
            Step::LoginStart => self.login_started(&body),
            Step::LoginFinish => self.login_finished(&body),
            Step::LoginRefused => Ok(()),
            Step::RecoverStart => self.recover_started(&body),
            Step::RecoverFinish => self.recover_finished(&body),
            Step::ReauthStart => self.change_reauth_started(&body),
            Step::ReauthFinish => self.change_reauthenticated(&body),
            Step::PassphraseStart => self.change_started(&body),
            Step::PassphraseFinish => self.change_finished(),
            Step::IdentityPut => self.identity_stored(),
            Step::AccountDelete => {
                self.account_deleted();
                Ok(())
            }
            Step::OpeningSession => self.opening_session(&body),
            Step::OpeningSafes => self.opening_safes(&body),
        };
        if let Err(failure) = done {
            self.flow_failed(failure);
        }
    }

    fn step_refused(&mut self, step: Step, status: u16, body: &[u8]) {
        let failure = Failure::from_answer(status, body);
        if step == Step::AccountDelete {
            self.deletion_failed(status == 401, failure);
            return;
        }
        let session_over = matches!(step, Step::LoginStart | Step::LoginFinish)
            && failure.code != Code::SignInFailed.name()
            && status == 401;
        if session_over && self.unlock_by_signing_in() {
            return;
        }
        if matches!(step, Step::OpeningSession | Step::OpeningSafes) && status == 401 {
            self.flow = None;
            self.session_over("expired");
            return;
        }
        if failure.code == Code::SafeConflict.name() && self.change_again() {
            return;
        }
        self.flow_failed(failure);
    }
}

/// Reads an answer's JSON.
pub(crate) fn parse<T: serde::de::DeserializeOwned>(body: &[u8]) -> Result<T, Failure> {
    serde_json::from_slice(body).map_err(|_| Failure::new(Own::ServerReply))
}
