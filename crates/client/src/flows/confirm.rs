//! What registration and recovery end with: a new recovery key is shown and typed back, and only then
//! is the server given everything.

use api::{Code, Own};
use protocol::recovery_key::RecoveryKey;
use protocol::safe::SafeKey;

use crate::core::Core;
use crate::event::{Event, Me};
use crate::failure::Failure;
use crate::flows::{Flow, KeySource};
use crate::id::UserId;
use crate::secret_text::SecretText;
use crate::state::safes::{Recall, Remembered};
use crate::timers::Timer;
use crate::wire::{Blob, SafeData, SafeWrite};

/// How long the server waits for a recovery key to be kept, milliseconds.
const CONFIRM_MS: u64 = 590_000;

/// All that is uploaded once the recovery key was kept, and what opens it.
pub(super) struct Prepared {
    pub(super) token: Blob,
    pub(super) upload: Vec<u8>,
    pub(super) user_id: UserId,
    pub(super) recovery: RecoveryKey,
    pub(super) key: SafeKey,
    pub(super) safe: SafeWrite,
    pub(super) prekey_safe: SafeData,
    /// What the server has of it once it took it.
    pub(super) written: Remembered,
}

impl Core {
    /// Shows the new recovery key of the flow under way.
    pub(super) fn show_recovery_key(&mut self) {
        let Some(flow) = self.flow.as_ref() else {
            return;
        };
        let Some(prepared) = flow.prepared() else {
            return;
        };
        let during = flow.during().to_owned();
        let recovery_key = SecretText::new(prepared.recovery.display().as_str().to_owned());
        let expires_ms = self.io.now_ms + CONFIRM_MS;
        self.io.timers.set(Timer::Confirmation, expires_ms);
        self.io.event(Event::RecoveryKey {
            recovery_key,
            during,
            expires_ms,
        });
    }

    /// The server has forgotten the attempt by now.
    pub(crate) fn confirmation_expired(&mut self) {
        self.flow_failed(Failure::new(Code::TokenExpired));
    }

    /// `confirm_recovery_key`.
    pub(crate) fn confirm_recovery_key(&mut self, typed: &SecretText) {
        let typed = RecoveryKey::parse(typed.expose());
        let wrong = match self.flow.as_ref().and_then(Flow::prepared) {
            Some(_) if self.awaits_outcome() => Some(Own::Busy),
            Some(prepared) if typed.is_ok_and(|typed| typed == prepared.recovery) => None,
            Some(_) => Some(Own::RecoveryKeyMismatch),
            None => Some(Own::NothingToConfirm),
        };
        if let Some(code) = wrong {
            self.io.failed("confirm_recovery_key", Failure::new(code));
            return;
        }
        self.io.timers.cancel(Timer::Confirmation);
        if matches!(self.flow, Some(Flow::Register(_))) {
            self.finish_registration();
        } else {
            self.finish_recovery();
        }
    }

    /// The server has everything: opens the safes under their new key.
    pub(super) fn come_in(
        &mut self,
        prepared: Prepared,
        (handle, alias): (String, String),
        during: &'static str,
        reason: &'static str,
    ) {
        self.me = Some(Me {
            user_id: prepared.user_id,
            handle,
            alias,
            role: String::new(),
        });
        self.session = true;
        let recall = Recall::written(prepared.user_id, prepared.written);
        self.open_after(during, reason, KeySource::Key(prepared.key), recall);
    }
}
