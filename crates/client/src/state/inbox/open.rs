//! Opening a parcel: nothing changes before its tags have verified.
//!
//! Specification: `docs/protocol/messages.md#receiving-an-epoch`.

use protocol::envelope::{
    BodyHash, Content, EnvelopeError, ParcelRef, SealedSlot, SlotContent, message_link, open_body,
    open_slot,
};
use protocol::epoch::{EpochError, EpochPath, EpochRecord, PendingEpoch, ReplayError, SenderClaim};

use super::{Await, Facts, Incoming, Progress, Why};
use crate::id::{ConversationId, MessageId, UserId};
use crate::io::Io;
use crate::refusal::Refusal;
use crate::refuse::{of_decode, of_envelope, of_epoch};
use crate::state::contacts::Contacts;
use crate::state::inbox::Inbox;
use crate::state::presence::Presence;
use crate::state::safes::Safe;
use crate::wire::{Blob, ClientFrame};

/// A message whose sender is proven and whose body is open.
pub(crate) struct Opened {
    pub(crate) id: MessageId,
    /// The epoch; its keys are gone by now.
    pub(crate) epoch: EpochRecord,
    pub(crate) counter: u8,
    pub(crate) slot: SlotContent,
    pub(crate) content: Content,
    pub(crate) body_hash: BodyHash,
    pub(crate) live: bool,
    pub(crate) last_resort: bool,
}

impl Opened {
    /// What is fixed by this opening.
    pub(super) fn facts(&self) -> Facts {
        let id = self.id;
        Facts {
            sender: self.epoch.sender,
            link: message_link(&id, &self.body_hash, &self.slot),
        }
    }
}

/// Why it is not open yet, or never will be.
pub(crate) enum Blocked {
    /// Public keys of the claimed sender are needed.
    Sender(SenderClaim),
    /// The account of the claimed sender does not exist any more, and nobody gives its keys.
    Gone,
    /// Perhaps a newer prekey safe has the private half.
    Safe,
    /// It was shown before.
    Replayed,
    /// A check said no; the claimed sender where there is one.
    Refused(Refusal, Option<UserId>),
}

impl From<EpochError> for Blocked {
    fn from(error: EpochError) -> Self {
        Self::Refused(of_epoch(&error), None)
    }
}

impl From<EnvelopeError> for Blocked {
    fn from(error: EnvelopeError) -> Self {
        Self::Refused(of_envelope(&error), None)
    }
}

/// Whether a message that was opened is here already.
pub(crate) enum Before {
    Never,
    /// Another one is, under its id.
    Other(ConversationId),
    Read,
    /// It is, and is to be shown.
    Revealed(ConversationId),
}

impl Inbox {
    /// All that it sent ends with an account: that is no alarm, and nobody is there to tell.
    pub(crate) fn sender_is_gone(&mut self, io: &mut Io, id: MessageId) {
        self.lease = None;
        self.finish(id);
        self.claim_done(io);
    }

    pub(crate) fn wait_for(&mut self, awaits: Await, bytes: Vec<u8>) {
        if let Some(current) = self.current.as_mut() {
            current.awaits = awaits;
            current.parcel = bytes;
            match awaits {
                Await::Keys(_) => current.fetched_sender = true,
                Await::Safe => current.fetched_safe = true,
                Await::Parcel | Await::Extension => {}
            }
        }
    }

    /// Tells the sender that it does not open, and never claims it again.
    pub(crate) fn refuse_parcel(
        &mut self,
        io: &mut Io,
        id: MessageId,
        refusal: Refusal,
        sender: Option<UserId>,
    ) {
        io.refused(refusal, sender.map(ConversationId::with), Some(id));
        // The same answer whatever does not fit, so that nothing is learnt from it.
        if let Some(lease) = self.lease.take() {
            io.frame(&ClientFrame::CannotOpen {
                id,
                token: Blob::from(lease.token.as_slice()),
            });
        }
        // A repetition comes under the same id, as a new slot.
        if !self.items.contains_key(&id) {
            self.notices.remove(&id);
        }
        self.claim_done(io);
    }

    pub(crate) fn try_open(
        &self,
        io: &Io,
        parcel: &ParcelRef<'_>,
        (fetched_sender, fetched_safe): (bool, bool),
        presence: &Presence,
        contacts: &Contacts,
        safe: &Safe,
    ) -> Result<Opened, Blocked> {
        let slot = SealedSlot::decode(parcel.slot)
            .map_err(|error| Blocked::Refused(of_decode(&error), None))?;
        let handshake = &slot.handshake;
        let live = handshake.path() == EpochPath::Live;
        let pairs = if live {
            presence.pairs_for(handshake)
        } else {
            safe.pairs_for(handshake)
        };
        let pairs = match pairs {
            Ok(pairs) => pairs,
            Err(EpochError::UnknownKey) if !live && !fetched_safe => return Err(Blocked::Safe),
            Err(error) => return Err(error.into()),
        };
        let pending = PendingEpoch::begin(handshake, pairs, io.now())?;
        let claim = pending.claim();
        let sender = claim.user_id;
        // Nobody else posts somebody's messages: another name in the hint is as good as none.
        if self.sender_told(parcel.message_id) != Some(sender) {
            return Err(EpochError::BadHint.into());
        }
        let keys = contacts.keys_for(&claim, safe);
        // While the server cannot say whether keys were replaced, the known ones serve.
        let serve = keys.is_some() && contacts.lookups().rest(io.now_ms);
        if !fetched_sender && !serve && !contacts.has_fresh_keys(io, &claim, safe) {
            return Err(Blocked::Sender(claim));
        }
        let keys = keys.ok_or_else(|| match contacts.lookups().is_gone(sender) {
            true => Blocked::Gone,
            false => Blocked::Refused(Refusal::SwappedKey, Some(sender)),
        })?;
        let at = |error: EnvelopeError| Blocked::Refused(of_envelope(&error), Some(sender));
        let epoch = pending.finish(&safe.party(self.user), keys)?;
        let body_hash = BodyHash::of(parcel.body);
        let content = open_slot(
            &epoch,
            &slot,
            &parcel.target,
            &parcel.message_id,
            &body_hash,
        )
        .map_err(at)?;
        let record = epoch.record();
        drop(epoch);
        let seen = if live {
            presence.replayed(&record, slot.counter)
        } else {
            safe.replayed(&record, &slot)
        };
        match seen {
            Ok(()) => {}
            Err(ReplayError::Replayed) => return Err(Blocked::Replayed),
            Err(_) => return Err(Blocked::Refused(Refusal::Malformed, Some(sender))),
        }
        let body = open_body(&content.key, parcel.body).map_err(at)?;
        if body.content.kind() != content.kind || body.group.is_some() {
            return Err(at(EnvelopeError::KindMismatch));
        }
        Ok(Opened {
            id: parcel.message_id,
            counter: slot.counter,
            live,
            last_resort: handshake.path() == EpochPath::LastResort,
            slot: content,
            content: body.content,
            body_hash,
            epoch: record,
        })
    }

    /// Keeps an opened message until it is acknowledged.
    pub(crate) fn keep(&mut self, opened: &Opened, chat: ConversationId) {
        let item = Incoming {
            chat,
            facts: opened.facts(),
            epoch: opened.epoch,
            counter: opened.counter,
            lease: self.lease.take(),
            progress: Progress::Opened,
            parcel: Vec::new(),
            followers: Vec::new(),
        };
        self.items.insert(opened.id, item);
    }

    /// Takes the parcel of the claim under way, and whether its sender and the safes were fetched for it.
    pub(crate) fn take_parcel(&mut self) -> Option<(MessageId, Vec<u8>, bool, bool)> {
        let current = self.current.as_mut()?;
        let parcel = std::mem::take(&mut current.parcel);
        Some((
            current.id,
            parcel,
            current.fetched_sender,
            current.fetched_safe,
        ))
    }

    /// Acknowledges the message under way, whose mark is stored.
    pub(crate) fn acknowledge_replay(&mut self, io: &mut Io, id: MessageId) {
        if let Some(lease) = self.lease.take() {
            io.frame(&ClientFrame::Ack {
                id,
                token: Blob::from(lease.token.as_slice()),
            });
        }
        self.finish(id);
        self.claim_done(io);
    }

    /// The message under way is open; says whether it was open before.
    pub(crate) fn opened(&mut self, opened: &Opened) -> Before {
        let why = self.current.as_ref().map(|current| current.why);
        let Some(item) = self.items.get_mut(&opened.id) else {
            return Before::Never;
        };
        if item.facts != opened.facts() {
            return Before::Other(item.chat);
        }
        // Claimed once more, perhaps through another slot.
        item.lease = self.lease.take();
        if why != Some(Why::Reveal) {
            return Before::Read;
        }
        (item.epoch, item.counter) = (opened.epoch, opened.counter);
        Before::Revealed(item.chat)
    }
}
