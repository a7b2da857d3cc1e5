//! Sealed receipts for those who wrote what was opened, read or burned here.
//!
//! A message is acknowledged only once the receipt of its reading is on its way, over the same socket and
//! before it. A page that goes in between loses both or neither: its sender is never left without a word
//! about a message that nobody can read any more.
//!
//! Specification: `docs/protocol/messages.md#receipts`.

use std::collections::BTreeMap;

use protocol::envelope::{Content, Receipt, ReceiptState};

use crate::command::Burn;
use crate::effects::Effect;
use crate::id::{ConversationId, MessageId};
use crate::io::Io;
use crate::state::conversations::Conversations;
use crate::state::inbox::Inbox;
use crate::state::outbox::Outbox;
use crate::state::safes::Safe;
use crate::timers::Timer;

/// Receipts of opening are collected for this long, milliseconds; those of reading go at once, but no
/// sooner after each other.
const COLLECTED_MS: u64 = 1_500;
/// How long an acknowledgement waits for its receipt at most, milliseconds.
const MOST_WITHHELD_MS: u64 = 5_000;
/// How long a receipt may wait for somebody who is away, seconds.
const LIFE_SECS: u32 = 86_400;
/// Most receipts in one message.
const MAX_RECEIPTS: usize = 256;

/// Receipts that are due, and what waits for them.
#[derive(Default)]
pub(crate) struct Receipts {
    /// By chat and message.
    owed: BTreeMap<ConversationId, BTreeMap<MessageId, ReceiptState>>,
    /// When receipts of reading were last sent, this device's milliseconds.
    sent_ms: Option<u64>,
    /// Messages whose acknowledgement waits for their receipt, and until when at most.
    withheld: BTreeMap<MessageId, u64>,
}

impl Receipts {
    /// The connection is gone, and with it every claim.
    pub(crate) fn offline(&mut self) {
        self.withheld.clear();
    }

    /// Nothing more is sent to somebody.
    pub(crate) fn forget(&mut self, chat: ConversationId) {
        self.owed.remove(&chat);
    }

    /// Sends what was collected, one message for each person and 256 receipts; nothing where receipts were switched
    /// off since.
    pub(crate) fn send(&mut self, io: &mut Io, outbox: &mut Outbox, safe: &Safe) {
        io.timers.cancel(Timer::Receipts);
        let mut owed = std::mem::take(&mut self.owed);
        owed.retain(|chat, _| safe.sends_receipts(*chat));
        let mut states = owed.values().flat_map(BTreeMap::values);
        if states.any(|state| *state > ReceiptState::Delivered) {
            self.sent_ms = Some(io.now_ms);
        }
        for (chat, all) in owed {
            let all = all.into_iter();
            let all: Vec<Receipt> = all
                .map(|(message_id, state)| Receipt { message_id, state })
                .collect();
            for part in all.chunks(MAX_RECEIPTS) {
                let content = Content::Receipt(part.to_vec());
                outbox.enqueue(io, chat, content, Burn::Never, LIFE_SECS);
            }
        }
        io.ask(Effect::Send);
    }

    /// Messages were shown: sends what is due. If one of them burns that is at once, because nobody can be
    /// shown it a second time.
    pub(crate) fn of_reading(
        &mut self,
        io: &mut Io,
        burning: bool,
        outbox: &mut Outbox,
        safe: &Safe,
    ) {
        if burning || io.timers.is_due(Timer::Receipts, io.now_ms) {
            self.send(io, outbox, safe);
        }
    }

    /// Acknowledges a message whose mark is stored, unless its receipt has to go first.
    pub(crate) fn acknowledge(
        &mut self,
        io: &mut Io,
        id: MessageId,
        inbox: &mut Inbox,
        outbox: &Outbox,
    ) {
        if let Some(chat) = inbox.is_marked(id)
            && io.online
            && !self.withholds(io, chat, id, outbox)
        {
            inbox.acknowledge(io, id);
        }
    }

    /// Acknowledges what waited for a receipt that is on its way now.
    pub(crate) fn acknowledge_receipted(
        &mut self,
        io: &mut Io,
        inbox: &mut Inbox,
        outbox: &Outbox,
    ) {
        // What is not here any more is forgotten.
        self.withheld.retain(|id, _| inbox.has(*id));
        let withheld: Vec<MessageId> = self.withheld.keys().copied().collect();
        for id in withheld {
            self.acknowledge(io, id, inbox, outbox);
        }
        if let Some(until_ms) = self.withheld.values().min() {
            io.timers.set_earlier(Timer::Receipts, *until_ms);
        }
    }

    /// Notes that a receipt is due of a message on the screen, if its writer has the pinned keys.
    pub(crate) fn owe_of(
        &mut self,
        io: &mut Io,
        chat: ConversationId,
        name: MessageId,
        state: ReceiptState,
        (chats, safe): (&Conversations, &Safe),
    ) {
        if chats.is_by_the_pin(name, safe) {
            self.owe_receipt(io, chat, chats.id_of_message(name), state, safe);
        }
    }

    /// Notes that a receipt is due; the better news replaces the lesser.
    pub(crate) fn owe_receipt(
        &mut self,
        io: &mut Io,
        chat: ConversationId,
        id: MessageId,
        state: ReceiptState,
        safe: &Safe,
    ) {
        if !safe.sends_receipts(chat) {
            return;
        }
        let owed = self.owed.entry(chat).or_default();
        let entry = owed.entry(id).or_insert(state);
        *entry = (*entry).max(state);
        let at = match state {
            ReceiptState::Delivered => io.now_ms + COLLECTED_MS,
            ReceiptState::Read | ReceiptState::Burned => {
                let sent_ms = self.sent_ms;
                sent_ms.map_or(io.now_ms, |at| io.now_ms.max(at + COLLECTED_MS))
            }
        };
        io.timers.set_earlier(Timer::Receipts, at);
    }

    /// Whether an acknowledgement has to wait, for five seconds at most, until the sender has been told.
    fn withholds(&mut self, io: &Io, chat: ConversationId, id: MessageId, outbox: &Outbox) -> bool {
        let most = io.now_ms + MOST_WITHHELD_MS;
        let until_ms = self.withheld.get(&id).copied().unwrap_or(most);
        let waits = io.now_ms < until_ms && self.receipt_is_due(chat, id, outbox);
        if waits {
            self.withheld.insert(id, until_ms);
        } else {
            self.withheld.remove(&id);
        }
        waits
    }

    /// Whether the receipt of a reading has not been given to the server yet.
    fn receipt_is_due(&self, chat: ConversationId, id: MessageId, outbox: &Outbox) -> bool {
        let owed = self.owed.get(&chat).and_then(|all| all.get(&id));
        let of_reading = |state: ReceiptState| state > ReceiptState::Delivered;
        owed.copied().is_some_and(of_reading) || outbox.has_receipt(chat, id)
    }
}
