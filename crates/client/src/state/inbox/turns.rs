//! Whose message is claimed next.
//!
//! Senders take turns, so that many messages of one do not delay the others. People whom the account knows have
//! every other turn, and live slots go before waiting ones. Messages of one sender stay in the order in which the
//! server lists them. The server's word on the sender decides the turn; a message that names another sender is
//! not opened.

use std::collections::{BTreeMap, BTreeSet};

use api::frames::TargetKind;

use super::Why;
use crate::id::{MessageId, UserId};
use crate::state::inbox::Inbox;
use crate::state::safes::Safe;
use crate::wire::Waiting;

/// What the server says of a message that waits.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Notice {
    /// Server seconds at which it ends.
    pub(crate) ends: u64,
    from: UserId,
    live: bool,
}

impl Notice {
    pub(crate) fn of(item: &Waiting) -> Self {
        Self {
            ends: item.expires_at,
            from: item.from,
            live: item.target == TargetKind::Live,
        }
    }
}

/// The number of each sender's last turn.
#[derive(Debug, Default)]
pub(crate) struct Turns {
    number: u64,
    had: BTreeMap<Option<UserId>, u64>,
    /// The last turn was that of somebody whom the account knows.
    known_had: bool,
}

impl Inbox {
    /// Takes the next message out of the queue.
    pub(super) fn take_turn(&mut self, safe: &Safe) -> Option<(MessageId, Why)> {
        let queue = &self.queue;
        // A person waits for what was opened before.
        let urgent = queue.iter().position(|(_, why)| *why != Why::First);
        let index = urgent.or_else(|| self.next_in_turn(safe))?;
        let (id, why) = self.queue.remove(index)?;
        if why == Why::First {
            let from = self.sender_told(id);
            let known = safe.is_known(from);
            let turns = &mut self.turns;
            turns.number += 1;
            turns.had.insert(from, turns.number);
            turns.known_had = known;
        }
        Some((id, why))
    }

    fn next_in_turn(&self, safe: &Safe) -> Option<usize> {
        let turns = &self.turns;
        let mut seen = BTreeSet::new();
        let firsts = self.queue.iter().enumerate().filter_map(|(at, item)| {
            let from = self.sender_told(item.0);
            // Only the first of each sender: theirs stay in order.
            seen.insert(from).then_some((at, from, item.0))
        });
        let rank = |(at, from, id): &(usize, Option<UserId>, MessageId)| {
            let had = turns.had.get(from).copied().unwrap_or(0);
            let live = self.notices.get(id).is_some_and(|it| it.live);
            (safe.is_known(*from) == turns.known_had, had, !live, *at)
        };
        firsts.min_by_key(rank).map(|(at, ..)| at)
    }

    /// The posting account of a message, by the server's word.
    pub(crate) fn sender_told(&self, id: MessageId) -> Option<UserId> {
        self.notices.get(&id).map(|notice| notice.from)
    }
}
