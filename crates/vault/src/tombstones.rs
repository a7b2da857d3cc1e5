//! What became of messages that are gone: an id, its poster and one word, bounded and short-lived.

use std::collections::{BTreeSet, HashMap};

use crate::{AccountId, MessageId, MessageState};

struct Tombstone {
    poster: AccountId,
    state: MessageState,
    until_ms: u64,
}

/// Remembers fates until the message would have expired, the soonest to expire being dropped first
/// when there are too many.
pub(crate) struct Tombstones {
    limit: usize,
    account_limit: usize,
    by_id: HashMap<MessageId, Tombstone>,
    by_time: BTreeSet<(u64, MessageId)>,
    by_poster: HashMap<AccountId, BTreeSet<(u64, MessageId)>>,
}

impl Tombstones {
    pub(crate) fn new(limit: usize, account_limit: usize) -> Self {
        Self {
            limit,
            account_limit,
            by_id: HashMap::new(),
            by_time: BTreeSet::new(),
            by_poster: HashMap::new(),
        }
    }

    pub(crate) fn insert(
        &mut self,
        id: MessageId,
        poster: AccountId,
        state: MessageState,
        until_ms: u64,
    ) {
        if self.limit == 0 || self.account_limit == 0 {
            return;
        }
        self.remove(id);
        let full = |of: &BTreeSet<(u64, MessageId)>| of.len() >= self.account_limit;
        if let Some(own) = self.by_poster.get(&poster)
            && full(own)
            && let Some(&(_, oldest)) = own.first()
        {
            self.remove(oldest);
        }
        if self.by_id.len() >= self.limit
            && let Some(&(_, oldest)) = self.by_time.first()
        {
            self.remove(oldest);
        }
        self.by_time.insert((until_ms, id));
        self.by_poster
            .entry(poster)
            .or_default()
            .insert((until_ms, id));
        let tombstone = Tombstone {
            poster,
            state,
            until_ms,
        };
        self.by_id.insert(id, tombstone);
    }

    fn remove(&mut self, id: MessageId) {
        let Some(tombstone) = self.by_id.remove(&id) else {
            return;
        };
        let key = (tombstone.until_ms, id);
        self.by_time.remove(&key);
        if let Some(own) = self.by_poster.get_mut(&tombstone.poster) {
            own.remove(&key);
            if own.is_empty() {
                self.by_poster.remove(&tombstone.poster);
            }
        }
    }

    pub(crate) fn holds(&self, id: MessageId, now_ms: u64) -> bool {
        self.by_id.get(&id).is_some_and(|t| now_ms < t.until_ms)
    }

    pub(crate) fn get(
        &self,
        id: MessageId,
        poster: AccountId,
        now_ms: u64,
    ) -> Option<(MessageState, u64)> {
        self.by_id
            .get(&id)
            .filter(|t| t.poster == poster && now_ms < t.until_ms)
            .map(|t| (t.state, t.until_ms))
    }

    pub(crate) fn forget(&mut self, poster: AccountId) {
        for (_, id) in self.by_poster.get(&poster).cloned().unwrap_or_default() {
            self.remove(id);
        }
    }

    pub(crate) fn expire(&mut self, now_ms: u64) {
        while let Some(&(until_ms, id)) = self.by_time.first()
            && until_ms <= now_ms
        {
            self.remove(id);
        }
    }

    pub(crate) fn clear(&mut self) {
        self.by_id.clear();
        self.by_time.clear();
        self.by_poster.clear();
    }

    pub(crate) fn len(&self) -> usize {
        self.by_id.len()
    }

    pub(crate) fn shrink(&mut self) {
        self.by_id.shrink_to_fit();
        self.by_poster.shrink_to_fit();
    }
}
