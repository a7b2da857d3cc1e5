//! Sequence numbers and links, by which a reader notices dropped and reordered messages.
//!
//! Specification: `docs/protocol/messages.md#order-within-a-conversation`.

use std::collections::BTreeMap;

use super::{BodyHash, Conversation, EarlierEnds, SlotContent, ends::Ends, message_link};
use crate::ids::{LiveId, MessageId, UserId};

/// How many messages back a chain is remembered.
const WINDOW: usize = 64;

/// The sending side: one per conversation of a sending session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SequenceCounter {
    next: u64,
    previous: [u8; 32],
    ends: Ends,
}

impl Default for SequenceCounter {
    fn default() -> Self {
        Self {
            next: 1,
            previous: [0; 32],
            ends: Ends::default(),
        }
    }
}

impl SequenceCounter {
    /// Continues behind the last message of an earlier session of the same account in the same conversation,
    /// given its link and its end.
    pub fn resumed(previous: [u8; 32], end: u64) -> Self {
        let mut counter = Self {
            previous,
            ..Self::default()
        };
        counter.ends.push(end);
        counter
    }

    /// The last message's link and when it ends; `None` before the first.
    pub fn last(&self) -> Option<([u8; 32], u64)> {
        (self.previous != [0; 32]).then(|| (self.previous, self.ends.newest()))
    }

    /// When the messages before the next one end, for one that is sent at this time.
    pub fn earlier_ends(&self, sent_at: u64) -> EarlierEnds {
        self.ends.after(sent_at)
    }

    /// Sequence number and previous link of the next message.
    pub fn stamp(&self) -> (u64, [u8; 32]) {
        (self.next, self.previous)
    }

    /// Notes the message that was stamped.
    pub fn sent(&mut self, message_id: &MessageId, body: &BodyHash, content: &SlotContent) {
        self.previous = message_link(message_id, body, content);
        self.ends
            .push(content.sent_at.saturating_add(content.life_secs.into()));
        self.next = self.next.saturating_add(1);
    }
}

/// The place of a message among those that were seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Its kind is not counted.
    Uncounted,
    /// The first one seen of this session; `missing` came before it.
    First {
        /// Messages before it, which another session may have read.
        missing: u64,
    },
    /// The first of its session; it names a message of an earlier session that was not seen.
    Detached {
        /// Whether anything of the sender was seen in this conversation.
        met: bool,
    },
    /// The one after the last.
    Next,
    /// Messages before it are missing.
    Gap {
        /// How many.
        missing: u64,
    },
    /// It fills an earlier gap.
    Late,
}

/// Why a message does not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SequenceError {
    /// Another message with this number was seen.
    #[error("a message with this number was already seen; the server or sender repeats itself")]
    Repeated,
    /// The link does not name the message before or after it.
    #[error("this message does not follow the one before it; the server changed the order")]
    BrokenLink,
}

/// The receiving side: all sending sessions that were seen.
#[derive(Debug, Clone, Default)]
pub struct SequenceTracker {
    chains: BTreeMap<(UserId, LiveId, Conversation), BTreeMap<u64, Seen>>,
}

#[derive(Debug, Clone, Copy)]
struct Seen {
    link: [u8; 32],
    previous: [u8; 32],
}

impl SequenceTracker {
    /// Finds the place of an opened slot among those that were seen.
    pub fn observe(
        &mut self,
        message_id: &MessageId,
        body: &BodyHash,
        content: &SlotContent,
    ) -> Result<Order, SequenceError> {
        let number = content.sequence;
        if number == 0 {
            return Ok(Order::Uncounted);
        }
        let seen = Seen {
            link: message_link(message_id, body, content),
            previous: content.previous,
        };
        let detached = number == 1 && seen.previous != [0; 32] && !self.knows(content);
        let met = self.of(content).next().is_some();
        let chain = self
            .chains
            .entry((content.sender, content.session, content.conversation))
            .or_default();
        if chain.contains_key(&number) {
            return Err(SequenceError::Repeated);
        }
        let before = chain.get(&(number - 1));
        let after = number.checked_add(1).and_then(|next| chain.get(&next));
        if before.is_some_and(|before| before.link != seen.previous)
            || after.is_some_and(|after| after.previous != seen.link)
        {
            return Err(SequenceError::BrokenLink);
        }
        let order = match chain.last_key_value() {
            None if detached => Order::Detached { met },
            None => Order::First {
                missing: number - 1,
            },
            Some((last, _)) => match number.checked_sub(last.saturating_add(1)) {
                None => Order::Late,
                Some(0) => Order::Next,
                Some(missing) => Order::Gap { missing },
            },
        };
        chain.insert(number, seen);
        if chain.len() > WINDOW {
            chain.pop_first();
        }
        Ok(order)
    }

    /// Everything seen of a message's sender in its conversation.
    fn of(&self, content: &SlotContent) -> impl Iterator<Item = &Seen> {
        let (sender, conversation) = (content.sender, content.conversation);
        self.chains
            .iter()
            .filter(move |((of, _, within), _)| *of == sender && *within == conversation)
            .flat_map(|(_, chain)| chain.values())
    }

    /// Whether the message that this one names as the one before it was seen.
    fn knows(&self, content: &SlotContent) -> bool {
        self.of(content).any(|seen| seen.link == content.previous)
    }
}
