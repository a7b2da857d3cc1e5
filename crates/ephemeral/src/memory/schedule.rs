//! When each message is next due, soonest first: one entry for each, never more.

use std::collections::BTreeSet;

use crate::MessageId;

/// Orders messages by when a lease or their life ends.
#[derive(Default)]
pub(crate) struct Schedule {
    due: BTreeSet<(u64, MessageId)>,
}

impl Schedule {
    pub(crate) fn insert(&mut self, due_ms: u64, id: MessageId) {
        self.due.insert((due_ms, id));
    }

    pub(crate) fn remove(&mut self, due_ms: u64, id: MessageId) {
        self.due.remove(&(due_ms, id));
    }

    pub(crate) fn move_to(&mut self, from_ms: u64, to_ms: u64, id: MessageId) {
        self.remove(from_ms, id);
        self.insert(to_ms, id);
    }

    pub(crate) fn first(&self) -> Option<(u64, MessageId)> {
        self.due.first().copied()
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.due.len()
    }
}
