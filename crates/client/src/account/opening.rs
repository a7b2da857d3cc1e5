//! The last part of every way in: fetch the safes, open them, be unlocked.

use protocol::ids::LiveId;
use protocol::opaque::ExportKey;
use protocol::safe::{SafeKey, passphrase_unwrap};
use zeroize::Zeroizing;

use crate::account::sessions::Invite;
use crate::account::{Flow, Step, parse};
use crate::core::Core;
use crate::event::Phase;
use crate::failure::Failure;
use crate::people::user;
use crate::purpose::Purpose;
use crate::refuse::of_safe;
use crate::safe::{Marks, Safe};
use crate::unlocked::Unlocked;
use crate::wire::{Safes, SessionInfo};

/// What opens the safes.
pub(crate) enum KeySource {
    /// OPAQUE's export key opens the passphrase wrap.
    Export(ExportKey),
    /// The safe key is in hand.
    Key(SafeKey),
}

/// Collects what is needed, in any order.
pub(crate) struct Opening {
    pub(crate) during: &'static str,
    reason: &'static str,
    source: KeySource,
    /// Greeted as soon as unlocked.
    pub(crate) invite: Option<Invite>,
    session: Option<SessionInfo>,
    safes: Option<Safes>,
    remembered: Option<Option<Zeroizing<Vec<u8>>>>,
}

impl Opening {
    pub(crate) const fn new(during: &'static str, reason: &'static str, source: KeySource) -> Self {
        Self {
            during,
            reason,
            source,
            invite: None,
            session: None,
            safes: None,
            remembered: None,
        }
    }
}

impl Core {
    /// Asks for what the opening needs.
    pub(crate) fn request_opening(&mut self) {
        self.io.get("/session", Purpose::Flow(Step::OpeningSession));
        self.io.get("/safe", Purpose::Flow(Step::OpeningSafes));
    }

    pub(crate) fn opening_session(&mut self, body: &[u8]) -> Result<(), Failure> {
        let info: SessionInfo = parse(body)?;
        if let Some(Flow::Opening(flow)) = self.flow.as_mut() {
            flow.session = Some(info);
        }
        self.try_unlock()
    }

    pub(crate) fn opening_safes(&mut self, body: &[u8]) -> Result<(), Failure> {
        let safes: Safes = parse(body)?;
        if let Some(Flow::Opening(flow)) = self.flow.as_mut() {
            flow.safes = Some(safes);
        }
        self.try_unlock()
    }

    /// What this browser remembers of the newest safe.
    pub(crate) fn opening_remembered(&mut self, value: Option<Zeroizing<Vec<u8>>>) {
        if let Some(Flow::Opening(flow)) = self.flow.as_mut() {
            flow.remembered = Some(value);
        }
        if let Err(failure) = self.try_unlock() {
            self.flow_failed(failure);
        }
    }

    fn try_unlock(&mut self) -> Result<(), Failure> {
        let ready = matches!(
            self.flow.as_ref(),
            Some(Flow::Opening(flow))
                if flow.session.is_some() && flow.safes.is_some() && flow.remembered.is_some()
        );
        if !ready {
            return Ok(());
        }
        let Some(Flow::Opening(flow)) = self.flow.take() else {
            return Ok(());
        };
        let Opening {
            during,
            reason,
            source,
            invite,
            session: Some(session),
            safes: Some(safes),
            remembered: Some(remembered),
        } = *flow
        else {
            return Ok(());
        };
        self.know_me(&session);
        self.session = true;
        let me = session.user_id;
        let key = match source {
            KeySource::Key(key) => Ok(key),
            KeySource::Export(export) => {
                passphrase_unwrap(&export, &user(me), &safes.safe.passphrase_wrap.0)
            }
        };
        let marks = remembered.as_deref().and_then(|bytes| Marks::decode(bytes));
        let opened = key.and_then(|key| {
            Safe::open(
                &mut self.io.rng,
                user(me),
                key,
                &safes.safe,
                &safes.prekey_safe,
                marks.as_ref(),
            )
        });
        match opened {
            Ok(safe) => {
                self.unlocked_with(safe, reason, invite);
                Ok(())
            }
            Err(error) => {
                let refusal = of_safe(&error);
                self.io.refused(refusal, None, None);
                self.io.failed(during, refusal.into());
                if self.phase != Phase::Locked {
                    self.enter(Phase::Locked, "refused");
                }
                Ok(())
            }
        }
    }

    fn unlocked_with(&mut self, safe: Safe, reason: &'static str, invite: Option<Invite>) {
        let Some(me) = self.me.clone() else {
            return;
        };
        self.io.floor_secs = safe.contents().last_time;
        safe.remember(&mut self.io);
        let live = LiveId::random(&mut self.io.rng);
        self.unlocked = Some(Box::new(Unlocked::new(me, live, safe)));
        self.enter(Phase::Unlocked, reason);
        if reason != "reload" {
            // After a reload both halves lie where they were.
            self.leave_resume();
        }
        self.watch_idleness();
        if let Some(open) = self.unlocked.as_mut() {
            open.emit_blocked(&mut self.io);
            open.look_after_prekeys(&mut self.io);
            if let Some(invite) = invite {
                open.open_invite(&mut self.io, invite.user, invite.pin);
            }
        }
        self.connect();
    }
}
