//! Fetching and verifying what messages are sealed to.
//!
//! Specification: `docs/protocol/messages.md#fetching-keys-to-write-to`.

use crate::answers::Answer;
use crate::effects::Effect;
use crate::failure::Failure;
use crate::flows::parse;
use crate::io::Io;
use crate::refusal::Refusal;
use crate::state::outbox::bundles::RETRY_MS;
use crate::unlocked::Unlocked;
use crate::wire::Bundles;
use api::Code;
use protocol::ids::UserId;

impl Unlocked {
    /// Bundles came.
    pub(crate) fn bundles_came(
        &mut self,
        io: &mut Io,
        user: UserId,
        want_prekey: bool,
        answer: Answer,
    ) {
        let outdated = self.outbox.bundles_answered(user);
        let failure = match answer {
            None => {
                self.outbox.ask_bundles_later(io, user, RETRY_MS);
                return;
            }
            Some((200, body)) => match parse::<Bundles>(&body) {
                Ok(bundles) => self.take_bundles(io, user, want_prekey, bundles).err(),
                Err(failure) => Some(failure),
            },
            // Asked for by id: somebody who was there, and whose account was erased.
            Some((404, _)) => Some(Failure::new(Code::AccountGone)),
            Some((status, body)) => {
                let failure = Failure::from_answer(status, &body);
                if failure.is_passing() && user != self.user {
                    self.outbox.ask_bundles_later(io, user, failure.wait_ms());
                    return;
                }
                Some(failure)
            }
        };
        if let Some(failure) = failure {
            for id in self.outbox.stuck(io, user) {
                self.fail(io, id, &failure);
            }
        }
        if outdated {
            self.outbox.outdate(user);
        }
        for (id, wanted) in self.outbox.wanting(io, user, want_prekey) {
            self.add_slot(io, id, wanted);
        }
        io.ask(Effect::Send);
    }

    pub(crate) fn take_bundles(
        &mut self,
        io: &mut Io,
        user: UserId,
        want_prekey: bool,
        bundles: Bundles,
    ) -> Result<(), Failure> {
        let shown = self.contacts.decode_keys(io, user, &bundles.public_keys)?;
        let keys = shown.keys.clone();
        if !self.contacts.pin_holds(io, user, shown, &mut self.safe) {
            if user == self.user {
                io.refused(Refusal::SwappedKey, None, None);
            }
            // Held, not failed: the person decides.
            self.outbox.forget_bundles(user);
            return Ok(());
        }
        let seen = self.safe.highest_batch(&user);
        let taken = (self.outbox).take_bundles(io, (user, &keys), want_prekey, bundles, seen);
        let live = taken.as_ref().is_ok_and(|taken| taken.live);
        self.contacts.note_live(io, user, live);
        self.safe.note_batch(&user, taken?.batch);
        Ok(())
    }
}
