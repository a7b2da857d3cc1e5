//! Sealed receipts for those who wrote what was opened, read or burned here.
//!
//! A message is acknowledged only once the receipt of its reading is on its way, over the same socket and
//! before it. A page that goes in between loses both or neither: its sender is never left without a word
//! about a message that nobody can read any more.
//!
//! Specification: `docs/protocol/messages.md#receipts`.

use std::collections::BTreeMap;

use protocol::envelope::{Receipt, ReceiptState};

use crate::id::{ConversationId, MessageId};
use crate::io::Io;
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
pub(crate) const LIFE_SECS: u32 = 86_400;
/// Most receipts in one message.
pub(crate) const MAX_RECEIPTS: usize = 256;

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

    /// Takes what was collected, by chat; not where receipts were switched off since.
    pub(crate) fn take(&mut self, io: &mut Io, safe: &Safe) -> Vec<(ConversationId, Vec<Receipt>)> {
        io.timers.cancel(Timer::Receipts);
        let mut owed = std::mem::take(&mut self.owed);
        owed.retain(|chat, _| safe.sends_receipts(*chat));
        let mut states = owed.values().flat_map(BTreeMap::values);
        if states.any(|state| *state > ReceiptState::Delivered) {
            self.sent_ms = Some(io.now_ms);
        }
        let receipts = |all: BTreeMap<MessageId, ReceiptState>| {
            let all = all.into_iter();
            all.map(|(message_id, state)| Receipt { message_id, state })
                .collect()
        };
        owed.into_iter()
            .map(|(chat, all)| (chat, receipts(all)))
            .collect()
    }

    /// Whose acknowledgement waits; what is not here any more is forgotten.
    pub(crate) fn withheld(&mut self, inbox: &Inbox) -> Vec<MessageId> {
        self.withheld.retain(|id, _| inbox.has(*id));
        self.withheld.keys().copied().collect()
    }

    /// Sets the timer for the first that has waited long enough.
    pub(crate) fn watch(&self, io: &mut Io) {
        if let Some(until_ms) = self.withheld.values().min() {
            io.timers.set_earlier(Timer::Receipts, *until_ms);
        }
    }
}

impl Receipts {
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

    /// Whether an acknowledgement has to wait, for a while, until the sender has been told.
    pub(crate) fn withholds(
        &mut self,
        io: &Io,
        chat: ConversationId,
        id: MessageId,
        outbox: &Outbox,
    ) -> bool {
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
