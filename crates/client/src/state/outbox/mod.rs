//! What this session sends, from the composer to the last receipt.
//!
//! A message waits for its recipients' bundles ([`bundles`]), is sealed once with a slot for each target
//! ([`seal`]) and given to the server ([`submission`], [`tickets`]). It gets a waiting slot if nobody
//! live reads it ([`slots`]), also after a break ([`reconnection`]). Receipts go to those who wrote
//! to us ([`receipts`]). Messages are counted ([`numbers`]). If keys have changed a message is held back ([`held`]).
//! What was not sent outlives a lock ([`unsent`]).
//!
//! Specification: `docs/protocol/messages.md#submissions`.

pub(crate) mod bundles;
pub(crate) mod compose;
pub(crate) mod held;
pub(crate) mod numbers;
pub(crate) mod receipts;
pub(crate) mod reconnection;
pub(crate) mod seal;
pub(crate) mod slots;
pub(crate) mod submission;
pub(crate) mod tickets;
pub(crate) mod unsent;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use protocol::envelope::{
    Content, ContentKind, EarlierEnds, ReceiptState, SealedBody, SentRecord, SequenceCounter,
    Target,
};
use protocol::epoch::SenderEpoch;
use protocol::link::MAX_PAYLOAD;

pub(crate) use bundles::BundleCache;
pub(crate) use compose::{LIFE_SECS, burn_in_range};
pub(crate) use receipts::Receipts;

use crate::command::Burn;
use crate::failure::Failure;
use crate::id::{ConversationId, LiveId, MessageId, UserId};

/// How far a message has come on its way to the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Bundles are being fetched, or the connection is down.
    Queued,
    /// Held back until the person accepts changed keys.
    Held,
    /// Given to the socket or to HTTP, not confirmed.
    Submitted,
    /// Taken back while it was on its way over HTTP: it stays until that has been answered.
    TakenBack,
    /// In the server's memory.
    Accepted,
}

/// What all slots of a message share.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stamp {
    /// The session that counted it.
    session: LiveId,
    sequence: u64,
    previous: [u8; 32],
    earlier: EarlierEnds,
    sent_at: u64,
}

/// A sealed message and its slots.
pub(crate) struct Sealed {
    body: SealedBody,
    stamp: Stamp,
    /// How its conversation was counted before it.
    before: SequenceCounter,
    record: SentRecord,
    submission: Vec<u8>,
    /// Every slot that was made.
    targets: BTreeSet<Target>,
    /// A sealed receipt says that it was opened.
    receipted: bool,
}

/// Something on its way.
pub(crate) struct Outgoing {
    chat: ConversationId,
    content: Content,
    burn: Burn,
    life_secs: u32,
    stage: Stage,
    sealed: Option<Sealed>,
    /// Also to the own other live sessions.
    copy: bool,
    /// Why another slot is wanted, while keys for it are being fetched.
    wanted: Option<Wanted>,
    /// When the message expires, server seconds.
    expires_at: u64,
    /// Submissions that got no answer.
    tries: u32,
    /// A refusal that names no message and can be of this one.
    refused: Option<Failure>,
    /// Its number among all messages of this session, in the order of writing.
    written: u64,
}

/// Why more slots are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// Nobody live has read it.
    Fallback,
    /// A live session that had it is gone: is another one there?
    Recheck,
    /// This target could not open it.
    Reseal(Target),
}

impl Wanted {
    /// Whether it is for live sessions alone.
    pub(crate) const fn is_live(self) -> bool {
        match self {
            Self::Fallback => false,
            Self::Recheck => true,
            Self::Reseal(target) => matches!(target, Target::Live { .. }),
        }
    }

    /// Whether a prekey has to be fetched for it.
    pub(crate) const fn needs_prekey(self) -> bool {
        !self.is_live()
    }
}

/// Everything that this session sends and that has not arrived.
pub(crate) struct Outbox {
    user: UserId,
    live: LiveId,
    items: BTreeMap<MessageId, Outgoing>,
    /// The number of messages written so far.
    written: u64,
    /// Order of sending, for sequence numbers.
    queue: Vec<MessageId>,
    epochs: BTreeMap<Target, SenderEpoch>,
    bundles: BTreeMap<UserId, BundleCache>,
    /// The server asked to wait until then, this device's milliseconds.
    rest_until_ms: u64,
    /// Chats in which something was sent that the safe does not know of yet.
    said: BTreeSet<ConversationId>,
    /// How much was sent in each conversation.
    numbers: BTreeMap<ConversationId, SequenceCounter>,
    /// When somebody was last told that the person types.
    typing_told: BTreeMap<ConversationId, u64>,
    /// Submissions that wait for a ticket, and their bytes, in the order in which they were asked for.
    tickets: VecDeque<(MessageId, u64)>,
    /// Slots that were made while there was no link.
    late_slots: Vec<Vec<u8>>,
}

impl Outbox {
    pub(crate) const fn new(user: UserId, live: LiveId) -> Self {
        Self {
            user,
            live,
            items: BTreeMap::new(),
            written: 0,
            queue: Vec::new(),
            epochs: BTreeMap::new(),
            bundles: BTreeMap::new(),
            rest_until_ms: 0,
            said: BTreeSet::new(),
            numbers: BTreeMap::new(),
            typing_told: BTreeMap::new(),
            tickets: VecDeque::new(),
            late_slots: Vec::new(),
        }
    }

    /// Puts a sealed message back into the queue, before those that were written after it. Messages that an
    /// earlier session numbered go first.
    fn queue_again(&mut self, id: MessageId, session: LiveId) {
        let place = |id: &MessageId| {
            let item = self.items.get(id);
            match item.and_then(|item| Some((item.written, item.sealed.as_ref()?.stamp))) {
                None => (2, 0),
                Some((_, stamp)) if stamp.session == session => (1, stamp.sequence),
                Some((written, _)) => (0, written),
            }
        };
        let mut queue = self.queue.clone();
        queue.insert(0, id);
        queue.sort_by_key(place);
        self.queue = queue;
    }

    /// Whether this changes a message that the server has not taken. A recipient without the message does nothing
    /// with its change.
    fn overtakes(&self, change: &Outgoing) -> bool {
        let (Content::Edit { message_id, .. } | Content::Delete { message_id }) = &change.content
        else {
            return false;
        };
        let of = self.items.get(message_id);
        of.is_some_and(|of| of.stage != Stage::Accepted)
    }

    /// The ids of the messages at a stage.
    pub(crate) fn at(&self, stage: Stage) -> Vec<MessageId> {
        let items = self.items.iter();
        items
            .filter(|(_, item)| item.stage == stage)
            .map(|(id, _)| *id)
            .collect()
    }

    pub(crate) fn item(&self, id: MessageId) -> Option<&Outgoing> {
        self.items.get(&id)
    }

    /// Drops a message.
    pub(crate) fn forget(&mut self, id: MessageId) -> Option<Outgoing> {
        self.items.remove(&id)
    }

    /// Drops all messages to a person, and the epochs towards them.
    pub(crate) fn forget_chat(&mut self, chat: ConversationId) {
        self.items.retain(|_, item| item.chat != chat);
        self.drop_epochs(chat);
    }

    /// The connection is gone: signs of typing are not repeated.
    pub(crate) fn offline(&mut self) {
        self.items.retain(|_, item| !item.fleeting());
        self.tickets.clear();
    }

    /// The identity was replaced: new epochs and bundles are used.
    pub(crate) fn identity_replaced(&mut self) {
        self.epochs.clear();
        self.bundles.clear();
    }

    /// A sealed receipt says that a message was opened.
    pub(crate) fn receipted(&mut self, id: MessageId) {
        let item = self.items.get_mut(&id);
        if let Some(sealed) = item.and_then(|item| item.sealed.as_mut()) {
            sealed.receipted = true;
        }
    }

    /// A target has acknowledged something: its epoch may go on for longer.
    pub(crate) fn acknowledged(&mut self, target: &Target) {
        if let Some(epoch) = self.epochs.get_mut(target) {
            epoch.acknowledged();
        }
    }

    /// Whether a receipt of a reading waits to be sent.
    pub(crate) fn has_receipt(&self, chat: ConversationId, id: MessageId) -> bool {
        self.items.values().any(|item| {
            item.chat == chat
                && item.stage == Stage::Queued
                && matches!(&item.content, Content::Receipt(all) if all.iter().any(|receipt| {
                    receipt.message_id == id && receipt.state > ReceiptState::Delivered
                }))
        })
    }
}

impl Outgoing {
    pub(crate) fn kind(&self) -> ContentKind {
        self.content.kind()
    }

    /// Whether it is on its way over HTTP, where frames of the socket can overtake it.
    pub(crate) fn is_on_http(&self) -> bool {
        self.stage == Stage::Submitted && self.is_long()
    }

    /// Whether it does not fit a frame, once it was sealed.
    fn is_long(&self) -> bool {
        let sealed = self.sealed.as_ref();
        sealed.is_some_and(|sealed| sealed.submission.len() > MAX_PAYLOAD)
    }

    /// Typing goes to live sessions or nowhere, and is never repeated.
    pub(crate) fn fleeting(&self) -> bool {
        matches!(self.content, Content::Typing { .. })
    }

    /// Whether the recipient's account has a slot, which outlives every tab of theirs.
    pub(crate) fn rests(&self) -> bool {
        let recipient = self.chat.peer();
        let account = Target::Account { account: recipient };
        let sealed = self.sealed.as_ref();
        sealed.is_some_and(|sealed| sealed.targets.contains(&account))
    }

    /// Whether it has a slot on the waiting path, once it was sealed.
    pub(crate) fn waits_somewhere(&self) -> Option<bool> {
        let targets = &self.sealed.as_ref()?.targets;
        Some(targets.iter().any(|to| to.live_id().is_none()))
    }

    /// Whether it is worth holding back until the person has decided on changed keys.
    pub(crate) fn lasting(&self) -> bool {
        self.counted() && !matches!(self.content, Content::Profile { .. })
    }

    /// Whether it is a text or an edit, which a live-only chat keeps off the waiting path.
    pub(crate) fn is_said(&self) -> bool {
        matches!(self.content, Content::Text { .. } | Content::Edit { .. })
    }

    /// Always on the waiting path: a request stays unread for days, over reloads and sign-ins.
    pub(crate) fn waits(&self) -> bool {
        matches!(self.content, Content::Request { .. })
    }

    /// Whether its place in the conversation is counted.
    pub(crate) fn counted(&self) -> bool {
        !matches!(
            self.content,
            Content::Typing { .. } | Content::Receipt(_) | Content::Sync
        )
    }

    /// The server's burn flag: the first reading wipes the message.
    pub(crate) fn burns(&self) -> bool {
        self.burn != Burn::Never
    }

    pub(crate) const fn chat(&self) -> ConversationId {
        self.chat
    }

    pub(crate) fn is_held(&self) -> bool {
        self.stage == Stage::Held
    }

    pub(crate) const fn expires_at(&self) -> u64 {
        self.expires_at
    }

    pub(crate) const fn life_secs(&self) -> u32 {
        self.life_secs
    }

    /// The command that wrote it, if a person did.
    pub(crate) const fn during(&self) -> Option<&'static str> {
        match self.content {
            Content::Text { .. } => Some("send"),
            Content::Request { .. } => Some("request_contact"),
            Content::Accept { .. } => Some("accept_request"),
            Content::Edit { .. } => Some("edit"),
            Content::Delete { .. } => Some("delete"),
            _ => None,
        }
    }
}
