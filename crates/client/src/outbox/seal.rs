//! Sealing a message and giving it to the server.

use api::Own;
use protocol::envelope::{
    Conversation, EarlierEnds, EnvelopeError, SentRecord, Slot, SlotContent, Submission, Target,
    seal_body, seal_slot,
};
use protocol::epoch::{SenderEpoch, VerifiedTarget};
use protocol::ids::MessageId;

use super::{BundleCache, MAX_FRAME, Sealed, Stage, Stamp};
use crate::command::Burn;
use crate::failure::Failure;
use crate::id::ConversationId;
use crate::io::Io;
use crate::output::Output;
use crate::purpose::{Open, Purpose};
use crate::timers::Timer;
use crate::unlocked::Unlocked;

/// An answer to a submission takes at most this long, milliseconds.
pub(super) const ANSWER_MS: u64 = 8_000;

impl Unlocked {
    /// Moves everything on that can be moved.
    pub(crate) fn pump(&mut self, io: &mut Io) {
        let queue = std::mem::take(&mut self.outbox.queue);
        for id in queue {
            if !self.dispatch(io, id) {
                self.outbox.queue.push(id);
            }
        }
    }

    /// Sends one queued message if all is there; false leaves it in the queue.
    fn dispatch(&mut self, io: &mut Io, id: MessageId) -> bool {
        let Some(item) = self.outbox.items.get(&id) else {
            return true;
        };
        if item.stage != Stage::Queued {
            return true;
        }
        let (chat, copy, fleeting) = (item.chat, item.copy, item.fleeting());
        let (waits, said) = (item.waits(), item.is_said());
        if self.contacts.key_changed(chat.peer(), &self.safe) {
            self.hold(io, id);
            self.contacts.ask_for_keys_again(io, chat.peer());
            return true;
        }
        if !io.online {
            if fleeting {
                self.outbox.items.remove(&id);
            }
            return fleeting;
        }
        if io.now_ms < self.outbox.rest_until_ms || self.outbox.overtakes(item) {
            return false;
        }
        if item.sealed.is_some() {
            self.submit(io, id);
            return true;
        }
        let own = self.me.user_id;
        let peer_ready = self.bundles_ready(io, chat.peer(), waits);
        let own_ready = !copy || self.bundles_ready(io, own, false);
        if !(peer_ready && own_ready) {
            return false;
        }
        let nobody = |cache: &BundleCache| cache.live.is_empty();
        let away = self.outbox.bundles.get(&chat.peer()).is_none_or(nobody);
        if said && away && self.safe.is_live_only(chat) {
            self.fail(io, id, &Failure::new(Own::NobodyLive));
            return true;
        }
        match self.seal(io, id) {
            Ok(true) => self.submit(io, id),
            Ok(false) => {
                self.outbox.items.remove(&id);
            }
            Err(_) => self.fail(io, id, &Failure::new(Own::NoKeys)),
        }
        true
    }

    /// Seals body and slots; false when there is nobody to send it to.
    fn seal(&mut self, io: &mut Io, id: MessageId) -> Result<bool, EnvelopeError> {
        let Some(item) = self.outbox.items.get(&id) else {
            return Ok(false);
        };
        let chat = item.chat;
        let peer = chat.peer();
        let (counted, copy, fleeting) = (item.counted(), item.copy, item.fleeting());
        let (burns, life_secs, waits) = (item.burns(), item.life_secs, item.waits());
        let mut to: Vec<VerifiedTarget> = Vec::new();
        let mut fingerprint = None;
        if let Some(cache) = self.outbox.bundles.get(&peer) {
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
        if copy && let Some(own) = self.outbox.bundles.get(&self.user) {
            to.extend(own.live.iter().cloned());
        }
        let body = seal_body(&mut io.rng, &item.content, None)?;
        let conversation = Conversation::Direct { recipient: peer };
        let counter = self.counter_of(chat);
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
            let slot = self.slot_for(io, id, &sealed, target, false)?;
            slots.push(slot);
        }
        let message_id = id;
        if counted && let Some(item) = self.outbox.items.get(&id) {
            let content = self.slot_content(item, &sealed, false);
            if let Some(counter) = self.sent_numbers.get_mut(&conversation) {
                counter.sent(&message_id, &sealed.body.hash, &content);
            }
            self.outbox.said.insert(chat);
        }
        sealed.submission = Submission {
            message_id,
            life_secs,
            burn_on_read: burns,
            slots,
            body: sealed.body.bytes.clone(),
        }
        .encode();
        let waiting = sealed.targets.iter().any(|to| to.live_id().is_none());
        if let Some(item) = self.outbox.items.get_mut(&id) {
            item.sealed = Some(sealed);
            if let Some(view) = self.conversations.message_mut(chat, id) {
                view.path = if waiting { "waiting" } else { "live" }.to_owned();
            }
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
    ) -> Result<Slot, EnvelopeError> {
        let now = io.now();
        if fresh || !self.goes_on(now, target) {
            let epoch = SenderEpoch::start(&mut io.rng, now, &self.safe.party(self.user), target)?;
            self.outbox.epochs.insert(*target.target(), epoch);
            if target.target().live_id().is_none()
                && let Some(cache) = self.outbox.bundles.get_mut(target.target().account())
            {
                cache.spent = true;
            }
        }
        let own = *target.target().account() == self.user;
        let item = self
            .outbox
            .items
            .get(&id)
            .ok_or(EnvelopeError::WrongTarget)?;
        let content = self.slot_content(item, sealed, own);
        let epoch = self
            .outbox
            .epochs
            .get_mut(target.target())
            .ok_or(EnvelopeError::WrongTarget)?;
        seal_slot(epoch, now, &id, &sealed.body.hash, &content)
    }

    /// Whether an open epoch leads to a target.
    pub(super) fn goes_on(&self, now: u64, target: &VerifiedTarget) -> bool {
        let epoch = self.outbox.epochs.get(target.target());
        epoch.is_some_and(|epoch| epoch.is_open(now) && epoch.fingerprint() == target.fingerprint())
    }

    fn slot_content(&self, item: &super::Outgoing, sealed: &Sealed, own: bool) -> SlotContent {
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
            safe_mark: own.then(|| self.safe.mark()),
        }
    }

    /// Gives a sealed message to the server, over the socket where it fits.
    pub(crate) fn submit(&mut self, io: &mut Io, id: MessageId) {
        let Some(item) = self.outbox.items.get_mut(&id) else {
            return;
        };
        let Some(sealed) = item.sealed.as_ref() else {
            return;
        };
        item.stage = Stage::Submitted;
        let bytes = sealed.submission.clone();
        if io.online && bytes.len() <= MAX_FRAME && item.tries == 0 {
            io.out.push(Output::SocketBinary(bytes));
        } else {
            io.post_octets("/messages", bytes, Purpose::Open(Open::Posted(id)));
        }
        io.timers.set(Timer::Resend(id), io.now_ms + ANSWER_MS);
    }

    /// Gives one more slot to the server; it fits any frame.
    pub(crate) fn submit_slot(&mut self, io: &mut Io, id: MessageId, slot: Slot) {
        if let Some(sealed) = self
            .outbox
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
            io.out.push(Output::SocketBinary(bytes));
        } else {
            io.post_octets(
                &format!("/messages/{id}/slots"),
                bytes,
                Purpose::Open(Open::SlotsPosted(id)),
            );
        }
    }

    /// The epochs towards an account are not to be used any more.
    pub(crate) fn drop_epochs(&mut self, chat: ConversationId) {
        let user = chat.peer();
        self.outbox
            .epochs
            .retain(|target: &Target, _| *target.account() != user);
        self.outbox.bundles.remove(&user);
    }
}
