//! Lock, sign-out and the end of a session: every key and every text is overwritten.
//!
//! Specification: `docs/protocol/accounts.md#sessions`.

use crate::core::Core;
use crate::event::{Event, Phase};
use crate::failure::Failure;
use crate::output::Output;
use crate::purpose::Purpose;
use crate::timers::Timer;
use crate::wire::ClientFrame;
use api::Own;

/// The reason of a lock after another session replaced the safe key.
pub(crate) const PASSPHRASE_CHANGED: &str = "passphrase_changed";
/// Where this browser keeps the resume wrap.
pub(crate) const RESUME_KEY: &str = "resume";

impl Core {
    /// Locks: the session stays, the keys go.
    pub(crate) fn lock(&mut self, reason: &'static str) {
        if self.phase != Phase::Unlocked {
            return;
        }
        self.drop_keys(reason != PASSPHRASE_CHANGED);
        if self.session {
            self.io.delete("/session/resume", Purpose::Ignore);
        }
        self.enter(Phase::Locked, reason);
        self.wiped();
    }

    /// Signs out: the session goes too.
    pub(crate) fn sign_out(&mut self) {
        if self.phase == Phase::SignedOut {
            self.io.failed("sign_out", Failure::new(Own::NotSignedIn));
            return;
        }
        // Its owner wants it gone: nobody is to be told.
        self.unlocked = None;
        self.drop_keys(false);
        self.session = false;
        self.me = None;
        self.io.delete("/session", Purpose::SignOut);
        self.enter(Phase::SignedOut, "user");
        self.wiped();
    }

    /// The server says that the session is over: expired, revoked, or signed out in another tab.
    ///
    /// The keys are dropped as at a lock; the passphrase signs in again. Unsent messages are kept only if the
    /// session expired.
    pub(crate) fn session_over(&mut self, reason: &'static str) {
        if self.session_over_in_deletion() {
            return;
        }
        self.session = false;
        let had_keys = self.unlocked.is_some();
        self.drop_keys(reason == "expired");
        if self.me.is_some() {
            self.enter(Phase::Locked, reason);
        } else {
            self.enter(Phase::SignedOut, reason);
        }
        if had_keys {
            self.wiped();
        }
    }

    /// Drops everything secret. Unsent messages stay, sealed, if `keep` is true.
    pub(crate) fn drop_keys(&mut self, keep: bool) {
        self.set_unsent_aside(keep);
        // A graceful good-bye, so that nobody sends to a session that cannot open any more.
        self.io.frame(&ClientFrame::Withdraw {});
        self.disconnect();
        self.flow = None;
        self.unlocked = None;
        self.io.clock.closed();
        self.asked_about_clock = false;
        self.io.forget_requests();
        self.io.timers.clear();
        self.io.timers.cancel(Timer::IdleLock);
        self.io.out.push(Output::Erase {
            key: RESUME_KEY.to_owned(),
        });
        self.io.event(Event::Connection {
            online: false,
            retry_at_ms: None,
            barred: false,
        });
    }
}
