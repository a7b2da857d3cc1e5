//! Signing in with the recovery key: passphrase, recovery key and safe key are all replaced.
//!
//! Specification: `docs/protocol/accounts.md#recovery`.

use api::{Own, WrapKind};
use protocol::name;
use protocol::opaque::{ExportKey, RegisterState, register_start};
use protocol::recovery_key::RecoveryKey;
use protocol::safe::{RecoveryAnchor, SafeError, SafeKey, check_bound, open_safe, recovery_unwrap};
use zeroize::Zeroizing;

use crate::core::Core;
use crate::event::Phase;
use crate::failure::Failure;
use crate::flows::confirm::Prepared;
use crate::flows::passphrase::prepared;
use crate::flows::unheard::proof_of;
use crate::flows::{Flow, Step, ksf, parse};
use crate::id::RestoreId;
use crate::purpose::Purpose;
use crate::refuse::of_safe;
use crate::secret_text::SecretText;
use crate::state::safes::{Marks, Recall, Remembered, Verdict, open_prekeys, reseal};
use crate::wire::{Blob, RecoveryFinish, RecoveryStart, RecoveryStarted};

/// A recovery under way.
pub(crate) struct Recover {
    handle: String,
    old: RecoveryKey,
    state: Option<RegisterState>,
    /// What the server delivered, until it was held against what this browser remembers.
    started: Option<RecoveryStarted>,
    pub(super) recall: Option<Recall>,
    pub(super) prepared: Option<Prepared>,
}

impl Core {
    /// `recover`.
    pub(crate) fn recover(
        &mut self,
        handle: String,
        recovery_key: &SecretText,
        passphrase: SecretText,
    ) {
        let during = "recover";
        if !self.may_begin(during) {
            return;
        }
        if self.phase == Phase::Unlocked || passphrase.expose().is_empty() {
            let code = if self.phase == Phase::Unlocked {
                Own::Busy
            } else {
                Own::EmptyPassphrase
            };
            self.io.failed(during, Failure::new(code));
            return;
        }
        let Ok(old) = RecoveryKey::parse(recovery_key.expose()) else {
            self.io
                .failed(during, Failure::new(Own::RecoveryKeyMalformed));
            return;
        };
        let handle = name::bare_handle(&handle).to_owned();
        match register_start(&mut self.io.rng, prepared(&passphrase).expose().as_bytes()) {
            Ok((state, request)) => {
                let body = RecoveryStart {
                    handle: handle.clone(),
                    proof: Blob::from(old.sign_in_proof().expose().as_slice()),
                    request: request.into(),
                };
                self.io
                    .post("/recovery/start", &body, Purpose::Flow(Step::RecoverStart));
                self.flow = Some(Flow::Recover(Box::new(Recover {
                    handle,
                    old,
                    state: Some(state),
                    started: None,
                    recall: None,
                    prepared: None,
                })));
            }
            Err(error) => self
                .io
                .failed(during, ksf::failure(error, Own::ServerReply)),
        }
    }

    pub(crate) fn recover_started(&mut self, body: &[u8]) -> Result<(), Failure> {
        let started: RecoveryStarted = parse(body)?;
        ksf::check(&mut self.io, started.ksf.as_ref())?;
        let Some(Flow::Recover(flow)) = self.flow.as_mut() else {
            return Ok(());
        };
        flow.recall = Some(Recall::begin(&mut self.io, started.user_id));
        flow.started = Some(started);
        Ok(())
    }

    /// What this browser remembers of the newest safe.
    pub(super) fn recover_remembered(&mut self, key: &str, value: Option<Zeroizing<Vec<u8>>>) {
        let came = match self.flow.as_mut().and_then(Flow::recall) {
            Some(recall) => recall.came(key, value),
            None => false,
        };
        if came && let Err(failure) = self.try_prepare() {
            self.flow_failed(failure);
        }
    }

    /// Prepares what is uploaded, once nothing speaks against what the server delivered.
    pub(super) fn try_prepare(&mut self) -> Result<(), Failure> {
        let now = self.io.stamp();
        let restored = self.server.restored;
        let Some(Flow::Recover(flow)) = self.flow.as_mut() else {
            return Ok(());
        };
        let (Some(recall), Some(started)) = (flow.recall.as_mut(), flow.started.as_ref()) else {
            return Ok(());
        };
        let offered = Marks::of_both(&started.safe, &started.prekey_safe);
        let epoch = match recall.judge(&offered, restored) {
            Ok(Verdict::Wait) => return Ok(()),
            Ok(Verdict::Ask) => {
                self.ask_about_restore();
                return Ok(());
            }
            Ok(Verdict::Open(epoch)) => epoch,
            Err(error) => return Err(self.recovery_refused(&error)),
        };
        let (Some(started), state) = (flow.started.take(), flow.state.take()) else {
            return Ok(());
        };
        let ksf = started.ksf.as_ref();
        let (upload, export) = ksf::finish(&mut self.io, ksf, state, &started.response)?;
        let recovery = RecoveryKey::random(&mut self.io.rng);
        let prepared = prepare(
            &mut self.io.rng,
            &flow.old,
            (&export, upload),
            recovery,
            started,
            (now, epoch),
        );
        match prepared {
            Ok(prepared) => {
                flow.prepared = Some(prepared);
                self.show_recovery_key();
                Ok(())
            }
            Err(error) => Err(self.recovery_refused(&error)),
        }
    }

    fn recovery_refused(&mut self, error: &SafeError) -> Failure {
        let refusal = of_safe(error);
        self.io.refused(refusal, None, None);
        refusal.into()
    }

    pub(super) fn finish_recovery(&mut self) {
        let Some(Flow::Recover(flow)) = self.flow.as_mut() else {
            return;
        };
        let Some(prepared) = flow.prepared.as_mut() else {
            return;
        };
        let body = RecoveryFinish {
            token: std::mem::take(&mut prepared.token),
            upload: Blob::from(std::mem::take(&mut prepared.upload)),
            safe: std::mem::take(&mut prepared.safe),
            prekey_safe: std::mem::take(&mut prepared.prekey_safe),
            device_name: None,
        };
        let (user, proof) = (prepared.user_id, proof_of(&prepared.key));
        self.note_unheard(user, proof);
        self.io.post(
            "/recovery/finish",
            &body,
            Purpose::Flow(Step::RecoverFinish),
        );
    }

    pub(crate) fn recover_finished(&mut self, _body: &[u8]) -> Result<(), Failure> {
        let Some(Flow::Recover(flow)) = self.flow.take() else {
            return Ok(());
        };
        let Some(prepared) = flow.prepared else {
            return Ok(());
        };
        let names = (flow.handle.clone(), flow.handle);
        self.come_in(prepared, names, "recover", "recovered");
        Ok(())
    }
}

/// Opens both safes with the old recovery key and seals them under a new safe key.
fn prepare(
    rng: &mut crate::config::CoreRng,
    old: &RecoveryKey,
    (export, upload): (&ExportKey, Vec<u8>),
    recovery: RecoveryKey,
    started: RecoveryStarted,
    (now, epoch): (u64, Option<RestoreId>),
) -> Result<Prepared, SafeError> {
    let owner = started.user_id;
    let wrap = started.safe.wrap(&WrapKind::RecoveryKey);
    let old_key = recovery_unwrap(old, &owner, wrap.ok_or(SafeError::BadWrap)?)?;
    let (safe, prekeys) = (&started.safe, &started.prekey_safe);
    let mut contents = open_safe(&old_key, &owner, safe.version, &safe.data)?;
    let mut prekey_safe = open_prekeys(&old_key, &owner, prekeys)?;
    let offered = Marks::of_both(safe, prekeys);
    check_bound((&contents, &offered.safe), (&prekey_safe, &offered.prekeys))?;
    let at = contents
        .recovery
        .as_ref()
        .map_or(now, |(at, _)| now.max(at.saturating_add(1)));
    contents.recovery = Some((at, RecoveryAnchor::of(&recovery)));
    let key = SafeKey::random(rng);
    let (safe, prekey_safe, marks) = reseal(
        rng,
        owner,
        &key,
        export,
        (&contents, &mut prekey_safe),
        (safe.version, prekeys.version),
    )?;
    Ok(Prepared {
        token: started.token,
        upload,
        user_id: started.user_id,
        recovery,
        key,
        safe,
        prekey_safe,
        written: Remembered { marks, epoch },
    })
}
