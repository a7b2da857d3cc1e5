//! What the passphrase must be proven for: changing it, signing out everywhere else, a new identity,
//! deleting the account.
//!
//! The first three replace the safe key, and of them the first two OPAQUE's record and the wraps with
//! it, at once.
//!
//! Specification: `docs/protocol/accounts.md#changing-the-passphrase`.

use api::Own;
use protocol::opaque::{
    ExportKey, LoginState, OpaqueError, RegisterState, login_start, register_start,
};
use protocol::safe::SafeKey;

use crate::core::Core;
use crate::event::{Event, Phase};
use crate::failure::Failure;
use crate::flows::deletion::Asked;
use crate::flows::passphrase::{Typed, prepared};
use crate::flows::unheard::proof_of;
use crate::flows::{Flow, NewIdentity, Step, ksf, parse};
use crate::purpose::Purpose;
use crate::refuse::of_safe;
use crate::secret_text::SecretText;
use crate::state::safes::Marks;
use crate::wire::{
    Blob, PassphraseFinish, PassphraseStart, PassphraseStarted, ReauthFinish, ReauthStart,
    Reauthenticated, SignInStarted,
};

/// How often a change is begun anew because another browser wrote a safe meanwhile.
const MOST_OVERTAKEN: u32 = 2;

/// What is done once the passphrase is proven.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Goal {
    Passphrase,
    /// The same passphrase again: record, wraps and key are new, and only this session stays.
    RevokeOthers,
    Identity,
    Deletion,
}

/// A change under way.
pub(crate) struct Change {
    goal: Goal,
    /// What is proven.
    pub(super) current: Typed,
    /// What is registered, in its prepared form.
    new: SecretText,
    /// Of the passphrase that was proven.
    export: Option<ExportKey>,
    pub(super) identity: Option<Box<NewIdentity>>,
    login: Option<LoginState>,
    state: Option<RegisterState>,
    reauth_token: Blob,
    done: Option<(SafeKey, Marks)>,
    /// The server was asked to erase the account.
    pub(super) deletion: Option<Asked>,
    /// How often another browser wrote a safe meanwhile.
    overtaken: u32,
}

impl Change {
    pub(super) const fn during(&self) -> &'static str {
        self.goal.during()
    }
}

impl Goal {
    const fn during(self) -> &'static str {
        match self {
            Self::Passphrase => "change_passphrase",
            Self::RevokeOthers => "revoke_other_sessions",
            Self::Identity => "new_identity",
            Self::Deletion => "delete_account",
        }
    }
}

impl Core {
    /// `change_passphrase`.
    pub(crate) fn change_passphrase(&mut self, current: SecretText, new: SecretText) {
        self.begin_change(Goal::Passphrase, current, &new);
    }

    /// `revoke_other_sessions`.
    pub(crate) fn revoke_other_sessions(&mut self, passphrase: SecretText) {
        let same = passphrase.clone();
        self.begin_change(Goal::RevokeOthers, passphrase, &same);
    }

    /// `new_identity`.
    pub(crate) fn new_identity(&mut self, passphrase: SecretText) {
        let same = passphrase.clone();
        self.begin_change(Goal::Identity, passphrase, &same);
    }

    /// `delete_account`.
    pub(crate) fn delete_account(&mut self, passphrase: SecretText) {
        let same = passphrase.clone();
        self.begin_change(Goal::Deletion, passphrase, &same);
    }

    fn begin_change(&mut self, goal: Goal, current: SecretText, new: &SecretText) {
        let during = goal.during();
        if !self.may_begin(during) {
            return;
        }
        if self.phase != Phase::Unlocked {
            self.io.failed(during, Failure::new(Own::NotUnlocked));
            return;
        }
        if new.expose().is_empty() {
            self.io.failed(during, Failure::new(Own::EmptyPassphrase));
            return;
        }
        self.begin_reauth(Box::new(Change {
            goal,
            current: Typed::new(current),
            new: prepared(new),
            export: None,
            identity: None,
            login: None,
            state: None,
            reauth_token: Blob::default(),
            done: None,
            deletion: None,
            overtaken: 0,
        }));
    }

    /// Reads the safes that another browser wrote meanwhile, and begins the change anew; `false` if that was done
    /// twice.
    pub(super) fn change_again(&mut self) -> bool {
        let (Some(Flow::Change(flow)), Some(open)) = (self.flow.as_mut(), self.unlocked.as_mut())
        else {
            return false;
        };
        if flow.overtaken == MOST_OVERTAKEN {
            return false;
        }
        flow.overtaken += 1;
        flow.done = None;
        flow.identity = None;
        open.safe.writes_resume(&mut self.io);
        open.safe.read_safes(&mut self.io);
        if let Some(Flow::Change(flow)) = self.flow.take() {
            self.begin_reauth(flow);
        }
        true
    }

    /// Begins to prove the passphrase in the form that is tried now.
    pub(super) fn begin_reauth(&mut self, mut flow: Box<Change>) {
        match login_start(&mut self.io.rng, flow.current.bytes()) {
            Ok((login, request)) => {
                flow.login = Some(login);
                let body = ReauthStart {
                    request: request.into(),
                };
                self.io.post(
                    "/session/reauth/start",
                    &body,
                    Purpose::Flow(Step::ReauthStart),
                );
                self.flow = Some(Flow::Change(flow));
            }
            Err(error) => self
                .io
                .failed(flow.during(), ksf::failure(error, Own::WrongPassphrase)),
        }
    }

    pub(crate) fn change_reauth_started(&mut self, body: &[u8]) -> Result<(), Failure> {
        let started: SignInStarted = parse(body)?;
        ksf::check(&mut self.io, started.ksf.as_ref())?;
        let Some(Flow::Change(flow)) = self.flow.as_mut() else {
            return Ok(());
        };
        let Some(login) = flow.login.take() else {
            return Err(Failure::new(Own::ServerReply));
        };
        let (finalization, step) = match login.finish(&mut self.io.rng, &started.response) {
            Ok((finalization, export)) => {
                flow.export = Some(export);
                (finalization, Step::ReauthFinish)
            }
            Err(OpaqueError::Refused) => (vec![0; 64], Step::LoginRefused),
            Err(error) => return Err(ksf::failure(error, Own::WrongPassphrase)),
        };
        self.io.post(
            "/session/reauth/finish",
            &ReauthFinish {
                token: started.token,
                finalization: finalization.into(),
            },
            Purpose::Flow(step),
        );
        Ok(())
    }

    pub(crate) fn change_reauthenticated(&mut self, body: &[u8]) -> Result<(), Failure> {
        let done: Reauthenticated = parse(body)?;
        let Some(Flow::Change(flow)) = self.flow.as_mut() else {
            return Ok(());
        };
        if flow.goal == Goal::Identity {
            let export = flow.export.take();
            let export = export.ok_or_else(|| Failure::new(Own::ServerReply))?;
            self.hold_writes()?;
            return self.put_identity(&export, done.reauth_token);
        }
        if flow.goal == Goal::Deletion {
            self.ask_deletion(done.reauth_token);
            return Ok(());
        }
        flow.reauth_token = done.reauth_token;
        let (state, request) = register_start(&mut self.io.rng, flow.new.expose().as_bytes())
            .map_err(|error| ksf::failure(error, Own::ServerReply))?;
        flow.state = Some(state);
        self.io.post(
            "/passphrase/start",
            &PassphraseStart {
                request: request.into(),
            },
            Purpose::Flow(Step::PassphraseStart),
        );
        Ok(())
    }

    pub(crate) fn change_started(&mut self, body: &[u8]) -> Result<(), Failure> {
        let started: PassphraseStarted = parse(body)?;
        self.hold_writes()?;
        let (Some(Flow::Change(flow)), Some(open)) = (self.flow.as_mut(), self.unlocked.as_mut())
        else {
            return Ok(());
        };
        let (offered, state) = (started.ksf.as_ref(), flow.state.take());
        let (upload, export) = ksf::finish(&mut self.io, offered, state, &started.response)?;
        let key = SafeKey::random(&mut self.io.rng);
        let (safe, prekey_safe, marks) = open
            .safe
            .reseal(&mut self.io.rng, &key, &export)
            .map_err(|error| Failure::from(of_safe(&error)))?;
        let body = PassphraseFinish {
            token: started.token,
            reauth_token: std::mem::take(&mut flow.reauth_token),
            upload: upload.into(),
            safe,
            prekey_safe,
        };
        let user = open.user;
        let proof = proof_of(&key);
        flow.done = Some((key, marks));
        self.note_unheard(user, proof);
        let step = Purpose::Flow(Step::PassphraseFinish);
        self.io.post("/passphrase/finish", &body, step);
        Ok(())
    }

    pub(crate) fn change_finished(&mut self) -> Result<(), Failure> {
        let Some(Flow::Change(flow)) = self.flow.take() else {
            return Ok(());
        };
        if let (Some((key, marks)), Some(open)) = (flow.done, self.unlocked.as_mut()) {
            open.safe.rekeyed(key, marks);
            open.safe.remember(&mut self.io);
            open.safe.writes_resume(&mut self.io);
        }
        self.leave_resume();
        if flow.goal == Goal::RevokeOthers {
            self.ask_sessions(flow.goal.during());
        } else {
            self.io.event(Event::PassphraseChanged);
        }
        Ok(())
    }

    /// No write of the safes may cross their replacement.
    fn hold_writes(&mut self) -> Result<(), Failure> {
        let Some(open) = self.unlocked.as_mut() else {
            return Err(Failure::new(Own::NotUnlocked));
        };
        if open.safe.writing() {
            return Err(Failure::new(Own::Busy));
        }
        open.safe.writes_wait(&mut self.io);
        Ok(())
    }
}
