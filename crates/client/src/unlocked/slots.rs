//! Bundles that came, and the slots that were waiting for them.
//!
//! Specification: `docs/protocol/messages.md#more-slots-for-a-message`.

use crate::answers::Answer;
use crate::effects::Effect;
use crate::failure::Failure;
use crate::flows::parse;
use crate::id::{ConversationId, MessageId, UserId};
use crate::io::Io;
use crate::refusal::Refusal;
use crate::state::outbox::bundles::RETRY_MS;
use crate::state::outbox::slots::{Choice, More, RECHECK_MS};
use crate::state::outbox::{Outgoing, Wanted};
use crate::timers::Timer;
use crate::unlocked::Unlocked;
use crate::wire::Bundles;
use api::{Code, Own};

impl Unlocked {
    /// Ten seconds are over and nobody has read it.
    pub(crate) fn fallback_due(&mut self, io: &mut Io, id: MessageId) {
        let collected = self.chats.is_collected(id);
        if let Some(wanted) = self.outbox.fallback_due(io, id, collected, &self.safe) {
            self.add_slot(io, id, wanted);
        }
    }

    /// Seals a slot with the keys that were fetched.
    pub(crate) fn add_slot(&mut self, io: &mut Io, id: MessageId, wanted: Wanted) {
        let Some(chat) = self.outbox.item(id).map(Outgoing::chat) else {
            return;
        };
        let (wanted, targets) = match self.outbox.choose(io, id, wanted) {
            Choice::Asked => return,
            Choice::Found(target) => (wanted, vec![*target]),
            // Not even the same message under the same key may go to other keys: the person decides.
            Choice::None
                if self.contacts.key_changed(chat.peer(), &self.safe)
                    && !self.outbox.has_arrived(id, &self.chats) =>
            {
                self.hold(io, id);
                return;
            }
            // What went to a live session goes to live sessions only, whoever says that it does not
            // open; what nobody has read in ten seconds rests with the account.
            Choice::None if wanted.is_live() => (Wanted::Recheck, self.outbox.new_live(io, id)),
            Choice::None if matches!(wanted, Wanted::Reseal(_)) => {
                self.stays_closed(io, chat, id);
                return;
            }
            Choice::None => {
                io.timers.set(Timer::Fallback(id), io.now_ms + RECHECK_MS);
                return;
            }
        };
        for target in targets {
            match self.outbox.seal_more(io, id, wanted, &target, &self.safe) {
                More::Given => {}
                More::Waits => {
                    self.outbox.show_path(chat, id, &mut self.chats);
                    self.chats.emit_message(io, chat, id, &self.safe);
                }
                More::StaysClosed => self.stays_closed(io, chat, id),
                More::NoKeys => self.fail(io, id, &Failure::new(Own::NoKeys)),
            }
        }
    }

    /// Other keys than those first sent to, or none: nobody opens it any more, and people are told.
    pub(crate) fn stays_closed(&mut self, io: &mut Io, chat: ConversationId, id: MessageId) {
        io.refused(Refusal::ResendOtherKey, Some(chat), Some(id));
        if !self.outbox.has_arrived(id, &self.chats) {
            self.fail(io, id, &Failure::from(Refusal::ResendOtherKey));
        }
    }

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
