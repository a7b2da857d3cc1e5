//! Sealing a message and giving it to the server.

use api::Own;
use protocol::envelope::{
    Conversation, EarlierEnds, EnvelopeError, SentRecord, Slot, SlotContent, Submission, Target,
    seal_body, seal_slot,
};
use protocol::epoch::{SenderEpoch, VerifiedTarget};
use protocol::link::MAX_PAYLOAD;

use super::{BundleCache, Sealed, Stage, Stamp};
use crate::command::Burn;
use crate::failure::Failure;
use crate::id::{ConversationId, MessageId};
use crate::io::Io;
use crate::state::outbox::Outbox;
use crate::state::safes::Safe;
use crate::timers::Timer;

/// An answer to a submission takes at most this long, milliseconds.
pub(crate) const ANSWER_MS: u64 = 8_000;

/// What became of a message whose turn it was.
pub(crate) enum Dispatched {
    /// Something is missing yet: it stays in the queue.
    Waits,
    /// It is on its way, or was dropped because it was not worth sending.
    Done,
    Failed(Failure),
}

impl Outbox {
    /// Takes what waits to be sent, in order.
    pub(crate) fn take_queue(&mut self) -> Vec<MessageId> {
        std::mem::take(&mut self.queue)
    }

    /// The chat of a message that waits to be sent.
    pub(crate) fn queued(&self, id: MessageId) -> Option<ConversationId> {
        let item = self.items.get(&id);
        item.filter(|item| item.stage == Stage::Queued)
            .map(|item| item.chat)
    }

    /// Seals and sends a queued message if its keys and a connection are there.
    pub(crate) fn dispatch(&mut self, io: &mut Io, id: MessageId, safe: &Safe) -> Dispatched {
        let Some(item) = self.items.get(&id) else {
            return Dispatched::Done;
        };
        let (chat, copy, fleeting) = (item.chat, item.copy, item.fleeting());
        let (waits, said) = (item.waits(), item.is_said());
        if !io.online && fleeting {
            self.items.remove(&id);
            return Dispatched::Done;
        }
        if !io.online || io.now_ms < self.rest_until_ms || self.overtakes(item) {
            return self.wait(id);
        }
        if item.sealed.is_none() {
            let peer_ready = self.bundles_ready(io, chat.peer(), waits);
            let own_ready = !copy || self.bundles_ready(io, self.user, false);
            if !(peer_ready && own_ready) {
                return self.wait(id);
            }
            let nobody = |cache: &BundleCache| cache.live.is_empty();
            let away = self.bundles.get(&chat.peer()).is_none_or(nobody);
            if said && away && safe.is_live_only(chat) {
                return Dispatched::Failed(Failure::new(Own::NobodyLive));
            }
            match self.seal(io, id, safe) {
                Ok(true) => {}
                Ok(false) => {
                    self.items.remove(&id);
                }
                Err(_) => return Dispatched::Failed(Failure::new(Own::NoKeys)),
            }
        }
        self.submit(io, id);
        Dispatched::Done
    }

    fn wait(&mut self, id: MessageId) -> Dispatched {
        self.queue.push(id);
        Dispatched::Waits
    }

    /// Seals body and slots; false when there is nobody to send it to.
    pub(crate) fn seal(
        &mut self,
        io: &mut Io,
        id: MessageId,
        safe: &Safe,
    ) -> Result<bool, EnvelopeError> {
        let Some(item) = self.items.get(&id) else {
            return Ok(false);
        };
        let chat = item.chat;
        let peer = chat.peer();
        let (counted, copy, fleeting) = (item.counted(), item.copy, item.fleeting());
        let (burns, life_secs, waits) = (item.burns(), item.life_secs, item.waits());
        let mut to: Vec<VerifiedTarget> = Vec::new();
        let mut fingerprint = None;
        if let Some(cache) = self.bundles.get(&peer) {
            let away = cache.live.is_empty() && !fleeting;
            if away || (waits && cache.prekey.is_some()) {
                to.extend(cache.prekey.clone());
            } else {
                to.extend(cache.live.iter().cloned());
            }
            fingerprint = to.first().map(|target| *target.fingerprint());
        }
        let Some(fingerprint) = fingerprint else {
            return if fleeting {
                Ok(false)
            } else {
                Err(EnvelopeError::WrongTarget)
            };
        };
        if copy && let Some(own) = self.bundles.get(&self.user) {
            to.extend(own.live.iter().cloned());
        }
        let body = seal_body(&mut io.rng, &item.content, None)?;
        let counter = self.counter_of(chat, safe);
        let before = *counter;
        let sent_at = io.now();
        let ((sequence, previous), earlier) = if counted {
            (counter.stamp(), counter.earlier_ends(sent_at))
        } else {
            ((0, [0; 32]), EarlierEnds::default())
        };
        let mut sealed = Sealed {
            body,
            stamp: Stamp {
                session: self.live,
                sequence,
                previous,
                earlier,
                sent_at,
            },
            before,
            record: SentRecord::new(id, peer, fingerprint),
            submission: Vec::new(),
            targets: to.iter().map(|target| *target.target()).collect(),
            receipted: false,
        };
        let mut slots = Vec::new();
        for target in &to {
            let slot = self.slot_for(io, id, &sealed, target, false, safe)?;
            slots.push(slot);
        }
        if counted && let Some(item) = self.items.get(&id) {
            let content = self.slot_content(item, &sealed, false, safe);
            if let Some(counter) = self.numbers.get_mut(&chat) {
                counter.sent(&id, &sealed.body.hash, &content);
            }
            self.said.insert(chat);
        }
        sealed.submission = Submission {
            message_id: id,
            life_secs,
            burn_on_read: burns,
            slots,
            body: sealed.body.bytes.clone(),
        }
        .encode();
        if let Some(item) = self.items.get_mut(&id) {
            item.sealed = Some(sealed);
        }
        Ok(true)
    }

    /// Seals one slot of a message, in an open epoch of its target or a new one.
    pub(crate) fn slot_for(
        &mut self,
        io: &mut Io,
        id: MessageId,
        sealed: &Sealed,
        target: &VerifiedTarget,
        fresh: bool,
        safe: &Safe,
    ) -> Result<Slot, EnvelopeError> {
        let now = io.now();
        if fresh || !self.goes_on(now, target) {
            let epoch = SenderEpoch::start(&mut io.rng, now, &safe.party(self.user), target)?;
            self.epochs.insert(*target.target(), epoch);
            if target.target().live_id().is_none()
                && let Some(cache) = self.bundles.get_mut(target.target().account())
            {
                cache.spent = true;
            }
        }
        let own = *target.target().account() == self.user;
        let item = self.items.get(&id).ok_or(EnvelopeError::WrongTarget)?;
        let content = self.slot_content(item, sealed, own, safe);
        let epoch = self
            .epochs
            .get_mut(target.target())
            .ok_or(EnvelopeError::WrongTarget)?;
        seal_slot(epoch, now, &id, &sealed.body.hash, &content)
    }

    /// Whether there is an open epoch towards a target, under its present keys.
    pub(super) fn goes_on(&self, now: u64, target: &VerifiedTarget) -> bool {
        let epoch = self.epochs.get(target.target());
        epoch.is_some_and(|epoch| epoch.is_open(now) && epoch.fingerprint() == target.fingerprint())
    }

    fn slot_content(
        &self,
        item: &super::Outgoing,
        sealed: &Sealed,
        own: bool,
        safe: &Safe,
    ) -> SlotContent {
        SlotContent {
            key: sealed.body.key.duplicate(),
            sender: self.user,
            session: sealed.stamp.session,
            conversation: Conversation::Direct {
                recipient: item.chat.peer(),
            },
            sequence: sealed.stamp.sequence,
            previous: sealed.stamp.previous,
            earlier: sealed.stamp.earlier,
            sent_at: sealed.stamp.sent_at,
            life_secs: item.life_secs,
            burn_on_read: item.burns(),
            burn_after_secs: match item.burn {
                Burn::After(secs) => secs,
                Burn::Never | Burn::OnRead => 0,
            },
            kind: item.kind(),
            safe_mark: own.then(|| safe.mark()),
        }
    }

    /// Gives a sealed message to the server: in a frame where it fits, else under a ticket.
    pub(crate) fn submit(&mut self, io: &mut Io, id: MessageId) {
        let Some(item) = self.items.get_mut(&id) else {
            return;
        };
        let Some(sealed) = item.sealed.as_ref() else {
            return;
        };
        item.stage = Stage::Submitted;
        item.refused = None;
        let len = sealed.submission.len();
        if len <= MAX_PAYLOAD {
            io.payload(&sealed.submission);
        } else {
            self.ask_ticket(io, id, len as u64);
        }
        io.timers.set(Timer::Resend(id), io.now_ms + ANSWER_MS);
    }

    /// Gives one more slot to the server, once there is a link; it fits any frame.
    pub(crate) fn submit_slot(&mut self, io: &mut Io, id: MessageId, slot: Slot) {
        if let Some(sealed) = self
            .items
            .get_mut(&id)
            .and_then(|item| item.sealed.as_mut())
        {
            sealed.targets.insert(slot.target);
        }
        let set = protocol::envelope::SlotSet {
            message_id: id,
            slots: vec![slot],
        };
        let bytes = set.encode();
        if io.online {
            io.payload(&bytes);
        } else {
            self.late_slots.push(bytes);
        }
    }

    /// The epochs towards an account are not to be used any more.
    pub(crate) fn drop_epochs(&mut self, chat: ConversationId) {
        let user = chat.peer();
        self.epochs
            .retain(|target: &Target, _| *target.account() != user);
        self.bundles.remove(&user);
    }
}
