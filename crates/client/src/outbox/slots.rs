//! More slots for a message that the server has: for somebody who went away, or could not open it.
//!
//! Specification: `docs/protocol/messages.md#more-slots-for-a-message`.

use api::Own;
use protocol::envelope::{LIVE_CLAIM_SECS, ResealError, Target};
use protocol::epoch::VerifiedTarget;

use super::{Stage, Wanted};
use crate::failure::Failure;
use crate::id::MessageId;
use crate::io::Io;
use crate::refusal::Refusal;
use crate::timers::Timer;
use crate::unlocked::Unlocked;

/// How often a message that must not wait is looked after, milliseconds.
const RECHECK_MS: u64 = 20_000;

impl Unlocked {
    /// Watches what the server has until it is read or its life is over.
    pub(crate) fn watch(&mut self, io: &mut Io, id: MessageId, expires_at: u64) {
        self.watch_reading(io, id);
        io.timers
            .set(Timer::Expire(id), io.local_ms(expires_at.saturating_add(1)));
    }

    /// Watches whether somebody live reads a message.
    fn watch_reading(&mut self, io: &mut Io, id: MessageId) {
        io.timers
            .set(Timer::Fallback(id), io.now_ms + LIVE_CLAIM_SECS * 1_000);
    }

    /// Ten seconds are over and nobody has read it, opened or not: the keys of a live slot die with
    /// its reader's tab, so it must not rest there alone.
    pub(crate) fn fallback_due(&mut self, io: &mut Io, id: MessageId) {
        let Some(item) = self.outbox.items.get_mut(&id) else {
            return;
        };
        if item.stage != Stage::Accepted || item.rests() {
            return;
        }
        if self.conversations.is_collected(id) {
            return;
        }
        if item.wanted.is_some() {
            // Other keys are on their way to it.
            self.watch_reading(io, id);
            return;
        }
        let (chat, said) = (item.chat, item.is_said());
        let wanted = if said && self.safe.is_live_only(chat) {
            Wanted::Recheck
        } else {
            Wanted::Fallback
        };
        if let Some(item) = self.outbox.items.get_mut(&id) {
            item.wanted = Some(wanted);
        }
        // What was fetched a moment ago serves the next message as well.
        if self.bundles_ready(io, chat.peer(), wanted.needs_prekey()) {
            self.add_slot(io, id, wanted);
        }
    }

    /// A session that alone can open its slot is gone: another one of theirs may be there.
    pub(crate) fn target_left(&mut self, io: &mut Io, id: MessageId) {
        let Some(item) = self.outbox.items.get_mut(&id) else {
            return;
        };
        let settled = item.rests() || self.conversations.is_collected(id);
        if item.stage != Stage::Accepted || item.wanted.is_some() || settled {
            return;
        }
        item.wanted = Some(Wanted::Recheck);
        let chat = item.chat;
        self.ask_bundles(io, chat.peer(), false);
    }

    /// Seals a slot for each session that came since.
    fn recheck(&mut self, io: &mut Io, id: MessageId) {
        let Some(item) = self.outbox.items.get(&id) else {
            return;
        };
        let peer = item.chat.peer();
        let (Some(sealed), Some(cache)) = (item.sealed.as_ref(), self.outbox.bundles.get(&peer))
        else {
            return;
        };
        let live = cache.live.iter();
        let new: Vec<VerifiedTarget> = live
            .filter(|target| !sealed.targets.contains(target.target()))
            .cloned()
            .collect();
        for target in new {
            self.seal_more(io, id, Wanted::Recheck, &target);
        }
        if !io.timers.is_set(Timer::Fallback(id)) {
            io.timers.set(Timer::Fallback(id), io.now_ms + RECHECK_MS);
        }
    }

    /// The server says that a recipient could not open a message.
    pub(crate) fn cannot_open_heard(&mut self, io: &mut Io, id: MessageId, target: Target) {
        let Some(item) = self.outbox.items.get_mut(&id) else {
            return;
        };
        let rests = matches!(item.stage, Stage::Held | Stage::TakenBack);
        if item.sealed.is_none() || rests || *target.account() == self.user {
            return;
        }
        let chat = item.chat;
        if self.conversations.is_collected(id) {
            // It was taken for good before: whoever says otherwise now wants it sealed to other keys.
            io.refused(Refusal::ResendAgain, Some(chat), Some(id));
            return;
        }
        let wanted = Wanted::Reseal(target);
        item.wanted = Some(wanted);
        self.ask_bundles(io, chat.peer(), wanted.needs_prekey());
    }

    /// Seals a slot with the keys that were fetched.
    pub(crate) fn add_slot(&mut self, io: &mut Io, id: MessageId, wanted: Wanted) {
        let Some(item) = self.outbox.items.get_mut(&id) else {
            return;
        };
        item.wanted = None;
        let chat = item.chat;
        let peer = chat.peer();
        let target = self
            .outbox
            .bundles
            .get(&peer)
            .and_then(|cache| match wanted {
                Wanted::Fallback => cache.prekey.clone(),
                Wanted::Recheck => None,
                Wanted::Reseal(target) if target.live_id().is_none() => cache.prekey.clone(),
                Wanted::Reseal(target) => {
                    let mut live = cache.live.iter();
                    live.find(|live| *live.target() == target).cloned()
                }
            });
        let fresh = matches!(wanted, Wanted::Reseal(_));
        let spent = self.outbox.bundles.get(&peer).is_some_and(|it| it.spent);
        match target {
            // Each prekey opens one epoch.
            Some(target)
                if spent
                    && target.target().live_id().is_none()
                    && (fresh || !self.goes_on(io.now(), &target)) =>
            {
                if let Some(item) = self.outbox.items.get_mut(&id) {
                    item.wanted = Some(wanted);
                }
                self.ask_bundles(io, chat.peer(), true);
            }
            Some(target) => self.seal_more(io, id, wanted, &target),
            // Not even the same message under the same key may go to other keys: the person decides.
            None if self.contacts.key_changed(chat.peer(), &self.safe) && !self.has_arrived(id) => {
                self.hold(io, id)
            }
            // What went to a live session goes to live sessions only, whoever says that it does not
            // open; what nobody has read in ten seconds rests with the account.
            None if wanted.is_live() => self.recheck(io, id),
            None if matches!(wanted, Wanted::Reseal(_)) => self.stays_closed(io, id),
            None => io.timers.set(Timer::Fallback(id), io.now_ms + RECHECK_MS),
        }
    }

    /// Whether a recipient has it, by a sealed receipt or the server's word.
    fn has_arrived(&self, id: MessageId) -> bool {
        let sealed = self.outbox.items.get(&id).map(|item| item.sealed.as_ref());
        sealed.flatten().is_some_and(|sealed| sealed.receipted)
            || self.conversations.is_collected(id)
    }

    /// Other keys than those first sent to, or none: nobody opens it any more, and people are told.
    fn stays_closed(&mut self, io: &mut Io, id: MessageId) {
        let chat = self.outbox.items.get(&id).map(|item| item.chat);
        io.refused(Refusal::ResendOtherKey, chat, Some(id));
        if !self.has_arrived(id) {
            self.fail(io, id, &Failure::from(Refusal::ResendOtherKey));
        }
    }

    /// Seals one more slot, if the rules allow it.
    fn seal_more(&mut self, io: &mut Io, id: MessageId, wanted: Wanted, target: &VerifiedTarget) {
        let Some(chat) = self.outbox.items.get(&id).map(|item| item.chat) else {
            return;
        };
        if let Err(error) = self.allow(id, wanted, target) {
            match error {
                ResealError::OtherAccount | ResealError::OtherIdentity => self.stays_closed(io, id),
                ResealError::AlreadyResealed | ResealError::AlreadyReceipted => {
                    io.refused(Refusal::ResendAgain, Some(chat), Some(id));
                }
            }
            return;
        }
        let fresh = matches!(wanted, Wanted::Reseal(_));
        let Some(sealed) = self
            .outbox
            .items
            .get_mut(&id)
            .and_then(|item| item.sealed.take())
        else {
            return;
        };
        let slot = self.slot_for(io, id, &sealed, target, fresh);
        if let Some(item) = self.outbox.items.get_mut(&id) {
            item.sealed = Some(sealed);
        }
        match slot {
            Ok(slot) => {
                let waits = slot.target.live_id().is_none();
                self.submit_slot(io, id, slot);
                if waits && let Some(view) = self.conversations.message_mut(chat, id) {
                    view.path = "waiting".to_owned();
                    self.conversations.emit_message(io, chat, id, &self.safe);
                }
            }
            Err(_) => self.fail(io, id, &Failure::new(Own::NoKeys)),
        }
    }

    fn allow(
        &mut self,
        id: MessageId,
        wanted: Wanted,
        target: &VerifiedTarget,
    ) -> Result<(), ResealError> {
        let Some(sealed) = self
            .outbox
            .items
            .get_mut(&id)
            .and_then(|item| item.sealed.as_mut())
        else {
            return Ok(());
        };
        match wanted {
            Wanted::Fallback | Wanted::Recheck => sealed.record.allow_slot(target),
            Wanted::Reseal(_) if sealed.receipted => Err(ResealError::AlreadyReceipted),
            Wanted::Reseal(_) => sealed.record.allow_reseal(target),
        }
    }
}
