//! Notes what a person does, tells the server, and locks after the idle time.

use crate::core::Core;
use crate::event::Phase;
use crate::purpose::Purpose;
use crate::timers::Timer;
use crate::wire::ClientFrame;

/// The shortest time between two `active` frames, milliseconds.
const ACTIVE_EVERY_MS: u64 = 60_000;

/// When somebody last did something.
#[derive(Debug, Default)]
pub(crate) struct Activity {
    last_ms: u64,
    told_ms: Option<u64>,
}

impl Activity {
    /// Moves with a clock that was set back.
    pub(crate) const fn shift_back(&mut self, by_ms: u64) {
        self.last_ms = self.last_ms.saturating_sub(by_ms);
        self.told_ms = None;
    }
}

impl Core {
    /// A key or the pointer moved.
    pub(crate) fn user_active(&mut self) {
        let now = self.io.now_ms;
        self.activity.last_ms = now;
        if !self.session {
            return;
        }
        if self
            .activity
            .told_ms
            .is_some_and(|told| now.saturating_sub(told) < ACTIVE_EVERY_MS)
        {
            return;
        }
        self.activity.told_ms = Some(now);
        if self.io.online {
            self.io.frame(&ClientFrame::Active {});
        } else {
            self.io.post("/session/active", &(), Purpose::Ignore);
        }
    }

    /// Begins to count idleness.
    pub(crate) fn watch_idleness(&mut self) {
        self.activity.last_ms = self.io.now_ms;
        self.idle_check();
    }

    /// Locks if the idle time is over; otherwise sets the timer for its end.
    pub(crate) fn idle_check(&mut self) {
        self.io.timers.cancel(Timer::IdleLock);
        let Some(open) = self.unlocked.as_ref() else {
            return;
        };
        let secs = open.safe.settings().lock_after_secs;
        if self.phase != Phase::Unlocked || secs == 0 {
            return;
        }
        let at = self.activity.last_ms + u64::from(secs) * 1_000;
        if at <= self.io.now_ms {
            self.lock("idle");
        } else {
            self.io.timers.set(Timer::IdleLock, at);
        }
    }
}
