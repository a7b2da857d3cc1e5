//! Sequence numbers and links by which a reader notices what a server dropped or reordered.

use std::collections::BTreeMap;

use super::{BodyHash, Conversation, SlotContent, message_link};
use crate::ids::{LiveId, MessageId, UserId};

/// How many messages back a chain is remembered.
const WINDOW: usize = 64;

/// The sending side: one per conversation of a sending session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SequenceCounter {
    next: u64,
    previous: [u8; 32],
}

impl Default for SequenceCounter {
    fn default() -> Self {
        Self {
            next: 1,
            previous: [0; 32],
        }
    }
}

impl SequenceCounter {
    /// Sequence number and previous link of the next message.
    pub fn stamp(&self) -> (u64, [u8; 32]) {
        (self.next, self.previous)
    }

    /// Notes the message that was stamped.
    pub fn sent(&mut self, message_id: &MessageId, body: &BodyHash, content: &SlotContent) {
        self.previous = message_link(message_id, body, content);
        self.next = self.next.saturating_add(1);
    }
}

/// How a message fits behind those that were seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Its kind is not counted.
    Uncounted,
    /// The first one seen of this session; `missing` came before it.
    First {
        /// Messages before it, which another session may have read.
        missing: u64,
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
    /// Fits an opened slot behind those that were seen.
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
        if number == 1 && seen.previous != [0; 32] {
            return Err(SequenceError::BrokenLink);
        }
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
            None => Order::First {
                missing: number - 1,
            },
            Some((last, _)) if number < *last => Order::Late,
            Some((last, _)) if number - last == 1 => Order::Next,
            Some((last, _)) => Order::Gap {
                missing: number - last - 1,
            },
        };
        chain.insert(number, seen);
        if chain.len() > WINDOW {
            chain.pop_first();
        }
        Ok(order)
    }
}
