//! The last part of every way in: fetch the safes, open them, be unlocked.

use api::{Own, WrapKind};
use protocol::opaque::ExportKey;
use protocol::safe::{SafeError, SafeKey, passphrase_unwrap};
use zeroize::Zeroizing;

use crate::core::Core;
use crate::event::{Event, Phase};
use crate::failure::Failure;
use crate::flows::sessions::Invite;
use crate::flows::{Flow, Step, parse};
use crate::id::LiveId;
use crate::purpose::Purpose;
use crate::refusal::Refusal;
use crate::refuse::of_safe;
use crate::state::safes::{Marks, Recall, Safe, Verdict};
use crate::unlocked::Unlocked;
use crate::wire::{CurrentSession, Safes};

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
    session: Option<CurrentSession>,
    safes: Option<Safes>,
    /// What this browser remembers of the account that was signed in to.
    pub(super) recall: Recall,
}

/// For how long after a backup's time a failed sign-in mentions the restore, seconds: 90 days.
const MENTIONED_SECS: u64 = 90 * 86_400;

impl Opening {
    pub(crate) const fn new(
        during: &'static str,
        reason: &'static str,
        source: KeySource,
        recall: Recall,
    ) -> Self {
        Self {
            during,
            reason,
            source,
            invite: None,
            session: None,
            safes: None,
            recall,
        }
    }

    /// Holds what was delivered against the memory of the very account that it is of.
    fn judge(&mut self) -> Result<Verdict, Refusal> {
        let (Some(session), Some(safes)) = (&self.session, &self.safes) else {
            return Ok(Verdict::Wait);
        };
        if session.user_id != self.recall.user() {
            return Err(Refusal::OtherAccount);
        }
        self.recall
            .judge(&Marks::of(safes), safes.restored)
            .map_err(|error| of_safe(&error))
    }
}

impl Core {
    /// Asks for what the opening needs.
    pub(crate) fn request_opening(&mut self) {
        self.io.get("/session", Purpose::Flow(Step::OpeningSession));
        self.io.get("/safe", Purpose::Flow(Step::OpeningSafes));
    }

    pub(crate) fn opening_session(&mut self, body: &[u8]) -> Result<(), Failure> {
        let info: CurrentSession = parse(body)?;
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
    pub(crate) fn opening_remembered(&mut self, key: &str, value: Option<Zeroizing<Vec<u8>>>) {
        let came = match self.flow.as_mut() {
            Some(Flow::Opening(flow)) => flow.recall.came(key, value),
            _ => false,
        };
        if came && let Err(failure) = self.try_unlock() {
            self.flow_failed(failure);
        }
    }

    fn try_unlock(&mut self) -> Result<(), Failure> {
        let Some(Flow::Opening(flow)) = self.flow.as_mut() else {
            return Ok(());
        };
        let during = flow.during;
        let epoch = match flow.judge() {
            Ok(Verdict::Wait) => return Ok(()),
            Ok(Verdict::Ask) => {
                self.ask_about_restore();
                return Ok(());
            }
            Ok(Verdict::Open(epoch)) => epoch,
            Err(refusal) => {
                self.flow = None;
                self.opening_refused(during, refusal);
                return Ok(());
            }
        };
        let Some(Flow::Opening(flow)) = self.flow.take() else {
            return Ok(());
        };
        let Opening {
            reason,
            source,
            invite,
            session: Some(session),
            safes: Some(safes),
            ..
        } = *flow
        else {
            return Ok(());
        };
        self.know_me(&session);
        self.session = true;
        self.session_id = Some(session.session_id);
        let me = session.user_id;
        let key = match source {
            KeySource::Key(key) => Ok(key),
            KeySource::Export(export) => {
                let wrap = safes.safe.wrap(&WrapKind::Passphrase);
                wrap.ok_or(SafeError::BadWrap)
                    .and_then(|wrap| passphrase_unwrap(&export, &me, wrap))
            }
        };
        let (safe, prekey_safe) = (&safes.safe, &safes.prekey_safe);
        let opened = key.and_then(|key| Safe::open(&mut self.io.rng, me, key, safe, prekey_safe));
        match opened {
            Ok(mut safe) => {
                safe.note_restore(epoch);
                self.unlocked_with(safe, reason, invite);
            }
            // The key of before the reload was replaced, by a change whose answer was not heard.
            Err(_) if reason == "reload" && self.unheard.is_some() => {
                self.enter(Phase::Locked, "started");
            }
            Err(error) => self.opening_refused(during, of_safe(&error)),
        }
        Ok(())
    }

    /// What was delivered is not opened.
    fn opening_refused(&mut self, during: &'static str, refusal: Refusal) {
        self.io.refused(refusal, None, None);
        self.io.failed(during, refusal.into());
        if self.phase != Phase::Locked {
            self.enter(Phase::Locked, "refused");
        }
    }

    /// Asks the person, as often as a tab wants to know.
    pub(crate) fn ask_about_restore(&mut self) {
        if let Some(at) = self.flow.as_ref().and_then(Flow::asks_about) {
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
        let accepted = self
            .flow
            .as_mut()
            .and_then(Flow::recall)
            .is_some_and(Recall::accept);
        if !accepted {
            self.io
                .failed("accept_restored", Failure::new(Own::NothingToAccept));
            return;
        }
        let done = match self.flow {
            Some(Flow::Recover(_)) => {
                // The question is answered; nobody has come in yet.
                self.emit_state();
                self.try_prepare()
            }
            _ => self.try_unlock(),
        };
        if let Err(failure) = done {
            self.flow_failed(failure);
        }
    }

    /// The person does not believe it: nothing is opened, and what this browser remembers stays.
    pub(crate) fn decline_restored(&mut self) {
        let recovering = matches!(self.flow, Some(Flow::Recover(_)));
        self.flow = None;
        if recovering {
            // Nobody has come in yet.
            self.emit_state();
        } else {
            self.enter(Phase::Locked, "refused");
        }
    }

    /// A passphrase that fails may be one that was chosen after the backup.
    pub(crate) fn mention_restore(&mut self, failure: &mut Failure) {
        let restored = self.server.restored.map(|restored| restored.at);
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
        self.io.clock.opened(safe.contents().last_time);
        safe.remember(&mut self.io);
        let live = LiveId::random(&mut self.io.rng);
        self.unlocked = Some(Box::new(Unlocked::new(me, live, safe)));
        self.enter(Phase::Unlocked, reason);
        if reason != "reload" {
            // After a reload both halves lie where they were.
            self.leave_resume();
        }
        self.tell_unheard();
        self.watch_idleness();
        self.take_up_unsent();
        if let Some(open) = self.unlocked.as_mut() {
            open.batches.opened(&self.io, reason == "registered");
            open.snapshot(&mut self.io);
            open.batches.look_after_prekeys(&mut self.io, &open.safe);
            if let Some(invite) = invite {
                open.open_invite(&mut self.io, invite);
            }
        }
        self.check_clock();
        self.connect();
    }
}
