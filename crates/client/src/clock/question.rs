//! Asking the person which clock is right.

use crate::core::Core;
use crate::event::Event;
use crate::failure::Failure;

impl Core {
    /// Asks the person once where the key safe has seen a time that neither clock has reached.
    pub(crate) fn check_clock(&mut self) {
        if self.unlocked.is_some() && !self.asked_about_clock {
            self.ask_about_clock();
        }
    }

    /// Asks as often as a tab wants to know.
    pub(crate) fn ask_about_clock(&mut self) {
        let conflict = self.io.clock.conflict(self.io.now_ms);
        self.asked_about_clock = conflict.is_some() && self.unlocked.is_some();
        if let Some(conflict) = conflict.filter(|_| self.asked_about_clock) {
            self.io.event(Event::ClockConflict {
                seen_at: conflict.seen,
                server_at: conflict.server,
                device_at: conflict.device,
                text: "Your account was used at a time that neither this device's clock nor the \
                       server's has reached. One of the clocks was wrong then, or both are wrong \
                       now. Until this is settled, messages may not get through. If this device \
                       shows the right date and time, go on. If not, put its clock right first."
                    .to_owned(),
            });
        }
    }

    /// `accept_clock`: this device's clock is right.
    pub(crate) fn accept_clock(&mut self) {
        let Some(open) = self.unlocked.as_mut().filter(|_| self.asked_about_clock) else {
            self.io
                .failed("accept_clock", Failure::new(api::Own::NothingToAccept));
            return;
        };
        self.asked_about_clock = false;
        self.io.clock.correct();
        // The next version of the safe says what is right.
        open.safe.edit();
        open.publish(&mut self.io);
        open.batches.look_after_prekeys(&mut self.io, &open.safe);
        self.emit_state();
    }

    /// The person does not know which clock is right: nothing more is done with the account.
    pub(crate) fn decline_clock(&mut self) -> bool {
        let declined = self.asked_about_clock && self.flow.is_none();
        if declined {
            self.lock("user");
        }
        declined
    }
}
