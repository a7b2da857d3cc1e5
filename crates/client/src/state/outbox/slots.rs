//! More slots for a message that the server has: for somebody who went away, or could not open it.
//!
//! Specification: `docs/protocol/messages.md#more-slots-for-a-message`.

use protocol::envelope::{LIVE_CLAIM_SECS, ResealError, Target};
use protocol::epoch::VerifiedTarget;

use super::{Outgoing, Stage, Wanted};
use crate::id::{ConversationId, MessageId};
use crate::io::Io;
use crate::refusal::Refusal;
use crate::state::conversations::Conversations;
use crate::state::outbox::Outbox;
use crate::state::safes::Safe;
use crate::timers::Timer;

/// How often new sessions are looked for while a message cannot get a waiting slot, milliseconds.
pub(crate) const RECHECK_MS: u64 = 20_000;

/// What a wanted slot is sealed to.
pub(crate) enum Choice {
    /// Other keys are asked for first.
    Asked,
    Found(Box<VerifiedTarget>),
    None,
}

/// What became of one more slot.
pub(crate) enum More {
    /// It is on its way, or the rules do not allow it.
    Given,
    /// The same, on the waiting path.
    Waits,
    /// The keys are not those first sent to.
    StaysClosed,
    NoKeys,
}

impl Outbox {
    /// Watches what the server has until it is read or its life is over.
    pub(crate) fn watch(&mut self, io: &mut Io, id: MessageId, expires_at: u64) {
        self.watch_reading(io, id);
        io.timers
            .set(Timer::Expire(id), io.local_ms(expires_at.saturating_add(1)));
    }

    /// Shows which path carries a message that was sealed.
    pub(crate) fn show_path(&self, chat: ConversationId, id: MessageId, chats: &mut Conversations) {
        let waits = self.item(id).and_then(Outgoing::waits_somewhere);
        if let (Some(waits), Some(view)) = (waits, chats.message_mut(chat, id)) {
            view.path = if waits { "waiting" } else { "live" }.to_owned();
        }
    }

    /// Watches whether somebody live reads a message.
    fn watch_reading(&mut self, io: &mut Io, id: MessageId) {
        io.timers
            .set(Timer::Fallback(id), io.now_ms + LIVE_CLAIM_SECS * 1_000);
    }

    /// A session that alone can open its slot is gone: another one of theirs may be there.
    pub(crate) fn target_left(&mut self, io: &mut Io, id: MessageId, chats: &Conversations) {
        let Some(item) = self.items.get_mut(&id) else {
            return;
        };
        let settled = item.rests() || chats.is_collected(id);
        if item.stage != Stage::Accepted || item.wanted.is_some() || settled {
            return;
        }
        item.wanted = Some(Wanted::Recheck);
        let chat = item.chat;
        self.ask_bundles(io, chat.peer(), false);
    }

    /// The server says that a recipient could not open a message.
    pub(crate) fn cannot_open_heard(
        &mut self,
        io: &mut Io,
        id: MessageId,
        target: Target,
        chats: &Conversations,
    ) {
        let Some(item) = self.items.get_mut(&id) else {
            return;
        };
        let rests = matches!(item.stage, Stage::Held | Stage::TakenBack);
        if item.sealed.is_none() || rests || *target.account() == self.user {
            return;
        }
        let chat = item.chat;
        if chats.is_collected(id) {
            // It was taken for good before: whoever says otherwise now wants it sealed to other keys.
            io.refused(Refusal::ResendAgain, Some(chat), Some(id));
            return;
        }
        let wanted = Wanted::Reseal(target);
        item.wanted = Some(wanted);
        self.ask_bundles(io, chat.peer(), wanted.needs_prekey());
    }

    /// Whether a recipient has it, by a sealed receipt or the server's word.
    pub(crate) fn has_arrived(&self, id: MessageId, chats: &Conversations) -> bool {
        let sealed = self.items.get(&id).map(|item| item.sealed.as_ref());
        sealed.flatten().is_some_and(|sealed| sealed.receipted) || chats.is_collected(id)
    }

    fn allow(
        &mut self,
        id: MessageId,
        wanted: Wanted,
        target: &VerifiedTarget,
    ) -> Result<(), ResealError> {
        let Some(sealed) = self
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

    /// Decides about another slot ten seconds after a message was sent. The keys of a live slot end with its
    /// reader's tab, so an unread message must not have live slots alone. Gives what to add if the keys are here.
    pub(crate) fn fallback_due(
        &mut self,
        io: &mut Io,
        id: MessageId,
        collected: bool,
        safe: &Safe,
    ) -> Option<Wanted> {
        let item = self.items.get_mut(&id)?;
        if item.stage != Stage::Accepted || item.rests() || collected {
            return None;
        }
        if item.wanted.is_some() {
            // Other keys are on their way to it.
            self.watch_reading(io, id);
            return None;
        }
        let wanted = match item.is_said() && safe.is_live_only(item.chat) {
            true => Wanted::Recheck,
            false => Wanted::Fallback,
        };
        item.wanted = Some(wanted);
        let peer = item.chat.peer();
        // What was fetched a moment ago serves the next message as well.
        let ready = self.bundles_ready(io, peer, wanted.needs_prekey());
        ready.then_some(wanted)
    }

    /// Sessions that came since a message was sealed. They are looked for again.
    pub(crate) fn new_live(&self, io: &mut Io, id: MessageId) -> Vec<VerifiedTarget> {
        let Some(item) = self.items.get(&id) else {
            return Vec::new();
        };
        let bundles = self.bundles.get(&item.chat.peer());
        let (Some(sealed), Some(cache)) = (item.sealed.as_ref(), bundles) else {
            return Vec::new();
        };
        if !io.timers.is_set(Timer::Fallback(id)) {
            io.timers.set(Timer::Fallback(id), io.now_ms + RECHECK_MS);
        }
        let new = |target: &&VerifiedTarget| !sealed.targets.contains(target.target());
        cache.live.iter().filter(new).cloned().collect()
    }

    /// Chooses what a wanted slot is sealed to, of the keys that were fetched.
    pub(crate) fn choose(&mut self, io: &mut Io, id: MessageId, wanted: Wanted) -> Choice {
        let Some(item) = self.items.get_mut(&id) else {
            return Choice::Asked;
        };
        item.wanted = None;
        let peer = item.chat.peer();
        let Some(cache) = self.bundles.get(&peer) else {
            return Choice::None;
        };
        let target = match wanted {
            Wanted::Fallback => cache.prekey.clone(),
            Wanted::Recheck => None,
            Wanted::Reseal(target) if target.live_id().is_none() => cache.prekey.clone(),
            Wanted::Reseal(target) => {
                let mut live = cache.live.iter();
                live.find(|live| *live.target() == target).cloned()
            }
        };
        let Some(target) = target else {
            return Choice::None;
        };
        // Each prekey opens one epoch.
        let fresh = matches!(wanted, Wanted::Reseal(_));
        let waits = target.target().live_id().is_none();
        if cache.spent && waits && (fresh || !self.goes_on(io.now(), &target)) {
            if let Some(item) = self.items.get_mut(&id) {
                item.wanted = Some(wanted);
            }
            self.ask_bundles(io, peer, true);
            return Choice::Asked;
        }
        Choice::Found(Box::new(target))
    }

    /// Seals one more slot, if the rules allow it.
    pub(crate) fn seal_more(
        &mut self,
        io: &mut Io,
        id: MessageId,
        wanted: Wanted,
        target: &VerifiedTarget,
        safe: &Safe,
    ) -> More {
        match self.allow(id, wanted, target) {
            Ok(()) => {}
            Err(ResealError::OtherAccount | ResealError::OtherIdentity) => {
                return More::StaysClosed;
            }
            Err(ResealError::AlreadyResealed | ResealError::AlreadyReceipted) => {
                let chat = self.items.get(&id).map(|item| item.chat);
                io.refused(Refusal::ResendAgain, chat, Some(id));
                return More::Given;
            }
        }
        let fresh = matches!(wanted, Wanted::Reseal(_));
        let item = self.items.get_mut(&id);
        let Some(sealed) = item.and_then(|item| item.sealed.take()) else {
            return More::Given;
        };
        let slot = self.slot_for(io, id, &sealed, target, fresh, safe);
        if let Some(item) = self.items.get_mut(&id) {
            item.sealed = Some(sealed);
        }
        match slot {
            Ok(slot) => {
                let waits = slot.target.live_id().is_none();
                self.submit_slot(io, id, slot);
                if waits { More::Waits } else { More::Given }
            }
            Err(_) => More::NoKeys,
        }
    }
}
