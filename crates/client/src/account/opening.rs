//! The last part of every way in: fetch the safes, open them, be unlocked.

use api::Own;
use protocol::ids::LiveId;
use protocol::opaque::ExportKey;
use protocol::safe::{SafeKey, passphrase_unwrap};
use zeroize::Zeroizing;

use crate::account::sessions::Invite;
use crate::account::{Flow, Step, parse};
use crate::core::Core;
use crate::event::{Event, Phase};
use crate::failure::Failure;
use crate::people::user;
use crate::purpose::Purpose;
use crate::refuse::of_safe;
use crate::safe::{Marks, Remembered, Safe};
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
    /// Of when the backup is that the server says it came out of, while the person is asked.
    asking: Option<u64>,
    /// The person goes on with an older state.
    accepted: bool,
}

/// For how long after a backup's time a failed sign-in mentions the restore, seconds: 90 days.
const MENTIONED_SECS: u64 = 90 * 86_400;

impl Opening {
    /// Whether the person is being asked about a restore.
    pub(crate) const fn asks(&self) -> bool {
        self.asking.is_some()
    }

    /// Of when the backup is, where the person must be asked: the state is older than this browser
    /// remembers, and the server claims a restore that was not accepted here before.
    fn claim(&self) -> Option<u64> {
        let safes = self.safes.as_ref().filter(|_| !self.accepted)?;
        let seen = Remembered::decode(self.remembered.as_ref()?.as_deref()?)?;
        let older = seen.marks.check(&Marks::of(safes)).is_err();
        let claim = safes.restored.filter(|_| older)?;
        // An honest server goes back once per restore: the same one again explains nothing.
        (seen.epoch != Some(claim.epoch)).then_some(claim.at)
    }

    pub(crate) const fn new(during: &'static str, reason: &'static str, source: KeySource) -> Self {
        Self {
            during,
            reason,
            source,
            invite: None,
            session: None,
            safes: None,
            remembered: None,
            asking: None,
            accepted: false,
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
                    && !flow.asks()
        );
        if !ready {
            return Ok(());
        }
        if let Some(Flow::Opening(flow)) = self.flow.as_mut()
            && let Some(at) = flow.claim()
        {
            flow.asking = Some(at);
            self.ask_about_restore();
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
            accepted,
            ..
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
        let seen = remembered
            .as_deref()
            .and_then(|bytes| Remembered::decode(bytes));
        let marks = seen.filter(|_| !accepted).map(|seen| seen.marks);
        let epoch = safes.restored.map(|restored| restored.epoch);
        let epoch = epoch.or(seen.and_then(|seen| seen.epoch));
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
            Ok(mut safe) => {
                safe.note_restore(epoch);
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

    /// Asks the person, as often as a tab wants to know.
    pub(crate) fn ask_about_restore(&mut self) {
        if let Some(Flow::Opening(flow)) = &self.flow
            && let Some(at) = flow.asking
        {
            self.io.event(Event::Restored {
                at,
                text:
                    "This server says that it was restored from a backup. Everything is as it was \
                       then: contacts, verified marks and settings that changed later are missing, \
                       and what waited to be read is gone. If nobody told you of a restore, ask \
                       whoever runs the server before you go on: a dishonest server could say the \
                       same to show you an old state."
                        .to_owned(),
            });
        }
    }

    /// `accept_restored`.
    pub(crate) fn accept_restored(&mut self) {
        match self.flow.as_mut() {
            Some(Flow::Opening(flow)) if flow.asks() => {
                flow.asking = None;
                flow.accepted = true;
                if let Err(failure) = self.try_unlock() {
                    self.flow_failed(failure);
                }
            }
            _ => self
                .io
                .failed("accept_restored", Failure::new(Own::NothingToAccept)),
        }
    }

    /// The person does not believe it: nothing is opened, and what this browser remembers stays.
    pub(crate) fn decline_restored(&mut self) {
        self.flow = None;
        self.enter(Phase::Locked, "refused");
    }

    /// A passphrase that fails may be one that was chosen after the backup.
    pub(crate) fn mention_restore(&mut self, failure: &mut Failure) {
        let restored = self.server.view.as_ref().and_then(|view| view.restored_at);
        let now = self.io.now();
        if restored.is_some_and(|at| now < at.saturating_add(MENTIONED_SECS)) {
            failure.text.push_str(
                " This server was restored from a backup: if you changed your passphrase after it \
                 was made, the one before is good again, and accounts made after it are gone.",
            );
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
                open.open_invite(&mut self.io, invite);
            }
        }
        self.connect();
    }
}
