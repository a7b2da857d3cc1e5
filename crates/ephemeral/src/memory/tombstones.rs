//! Fates of ended messages: id, poster and state, bounded and short-lived.
//!
//! They lie in three flat tables. Small blocks that are allocated while messages burn would each keep a
//! page of freed memory from the operating system.

use std::collections::HashMap;

use crate::{MessageId, MessageState, UserId};

/// Remembers fates until the message would have expired, at least for some minutes. If there are too
/// many, of one poster or in total, the oldest is forgotten.
pub(crate) struct Tombstones {
    limit: usize,
    account_limit: usize,
    /// A ring of `limit` places at most; a place that is overwritten loses the oldest fate.
    places: Vec<Option<Tombstone>>,
    next: usize,
    by_id: HashMap<MessageId, usize>,
    by_poster: HashMap<UserId, Chain>,
    /// The earliest time at which a fate has to be forgotten.
    soonest_ms: u64,
}

struct Tombstone {
    id: MessageId,
    poster: UserId,
    state: MessageState,
    until_ms: u64,
    older: Option<usize>,
    newer: Option<usize>,
}

/// The places of one poster's fates, linked from the oldest to the newest.
struct Chain {
    oldest: usize,
    newest: usize,
    length: usize,
}

impl Tombstones {
    pub(crate) fn new(limit: usize, account_limit: usize) -> Self {
        Self {
            limit,
            account_limit,
            places: Vec::new(),
            next: 0,
            by_id: HashMap::new(),
            by_poster: HashMap::new(),
            soonest_ms: u64::MAX,
        }
    }

    pub(crate) fn insert(
        &mut self,
        id: MessageId,
        poster: UserId,
        state: MessageState,
        until_ms: u64,
    ) {
        if self.limit == 0 || self.account_limit == 0 {
            return;
        }
        if let Some(place) = self.by_id.get(&id).copied() {
            self.remove(place);
        }
        if let Some(chain) = self.by_poster.get(&poster)
            && chain.length >= self.account_limit
        {
            self.remove(chain.oldest);
        }
        let place = self.next;
        self.next = (place + 1) % self.limit;
        if place == self.places.len() {
            self.places.push(None);
        } else {
            self.remove(place);
        }
        let chain = self.by_poster.entry(poster).or_insert(Chain {
            oldest: place,
            newest: place,
            length: 0,
        });
        let older = (chain.length > 0).then_some(chain.newest);
        chain.newest = place;
        chain.length += 1;
        if let Some(Some(older)) = older.and_then(|older| self.places.get_mut(older)) {
            older.newer = Some(place);
        }
        self.places[place] = Some(Tombstone {
            id,
            poster,
            state,
            until_ms,
            older,
            newer: None,
        });
        self.by_id.insert(id, place);
        self.soonest_ms = self.soonest_ms.min(until_ms);
    }

    fn remove(&mut self, place: usize) {
        let Some(gone) = self.places.get_mut(place).and_then(Option::take) else {
            return;
        };
        self.by_id.remove(&gone.id);
        if let Some(Some(older)) = gone.older.and_then(|older| self.places.get_mut(older)) {
            older.newer = gone.newer;
        }
        if let Some(Some(newer)) = gone.newer.and_then(|newer| self.places.get_mut(newer)) {
            newer.older = gone.older;
        }
        if let Some(chain) = self.by_poster.get_mut(&gone.poster) {
            chain.length -= 1;
            chain.oldest = if gone.older.is_none() {
                gone.newer.unwrap_or(0)
            } else {
                chain.oldest
            };
            chain.newest = if gone.newer.is_none() {
                gone.older.unwrap_or(0)
            } else {
                chain.newest
            };
            if chain.length == 0 {
                self.by_poster.remove(&gone.poster);
            }
        }
    }

    fn find(&self, id: MessageId, now_ms: u64) -> Option<&Tombstone> {
        let tombstone = self.places[*self.by_id.get(&id)?].as_ref()?;
        (now_ms < tombstone.until_ms).then_some(tombstone)
    }

    pub(crate) fn holds(&self, id: MessageId, now_ms: u64) -> bool {
        self.find(id, now_ms).is_some()
    }

    pub(crate) fn get(
        &self,
        id: MessageId,
        poster: UserId,
        now_ms: u64,
    ) -> Option<(MessageState, u64)> {
        self.find(id, now_ms)
            .filter(|tombstone| tombstone.poster == poster)
            .map(|tombstone| (tombstone.state, tombstone.until_ms))
    }

    pub(crate) fn forget(&mut self, poster: UserId) {
        while let Some(chain) = self.by_poster.get(&poster) {
            self.remove(chain.oldest);
        }
    }

    pub(crate) fn expire(&mut self, now_ms: u64) {
        if now_ms < self.soonest_ms {
            return;
        }
        self.soonest_ms = u64::MAX;
        for place in 0..self.places.len() {
            match &self.places[place] {
                Some(tombstone) if tombstone.until_ms <= now_ms => self.remove(place),
                Some(tombstone) => self.soonest_ms = self.soonest_ms.min(tombstone.until_ms),
                None => {}
            }
        }
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::new(self.limit, self.account_limit);
    }

    pub(crate) fn len(&self) -> usize {
        self.by_id.len()
    }

    pub(crate) fn shrink(&mut self) {
        if self.by_id.is_empty() {
            self.clear();
        }
        self.by_id.shrink_to_fit();
        self.by_poster.shrink_to_fit();
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn the_ring_remembers_the_latest_of_each_poster_and_stays_linked(
            steps in prop::collection::vec((0..40_u8, 0..3_u8, 0..50_u64, 0..12_u8), 1..200),
        ) {
            let mut tombstones = Tombstones::new(10, 4);
            let mut model: Vec<(u8, u8, u64)> = Vec::new();
            let mut now_ms = 0;
            for (id, poster, life, kind) in steps {
                let account = UserId::from_bytes([poster; 16]);
                match kind {
                    0 => {
                        tombstones.forget(account);
                        model.retain(|(_, of, _)| *of != poster);
                    }
                    1 => {
                        now_ms += life;
                        tombstones.expire(now_ms);
                        model.retain(|(_, _, until)| *until > now_ms);
                    }
                    _ => {
                        let until_ms = now_ms + life + 1;
                        let state = MessageState::Expired;
                        tombstones.insert(MessageId::from_bytes([id; 16]), account, state, until_ms);
                        model.retain(|(of, _, _)| *of != id);
                        model.push((id, poster, until_ms));
                        if model.iter().filter(|(_, of, _)| *of == poster).count() > 4 {
                            let oldest = model.iter().position(|(_, of, _)| *of == poster);
                            model.remove(oldest.unwrap());
                        }
                    }
                }
                prop_assert!(tombstones.len() <= 10);
                let posters: usize = tombstones.by_poster.values().map(|chain| chain.length).sum();
                prop_assert_eq!(posters, tombstones.len());
                for chain in tombstones.by_poster.values() {
                    let (mut place, mut length) = (Some(chain.oldest), 0);
                    while let Some(at) = place {
                        let tombstone = tombstones.places[at].as_ref().unwrap();
                        length += 1;
                        prop_assert!(tombstone.newer.is_some() || at == chain.newest);
                        place = tombstone.newer;
                    }
                    prop_assert_eq!(length, chain.length);
                }
                if kind > 1 {
                    let newest = tombstones.get(MessageId::from_bytes([id; 16]), account, now_ms);
                    prop_assert!(newest.is_some());
                }
                for id in tombstones.by_id.keys() {
                    prop_assert!(model.iter().any(|(of, _, _)| [*of; 16] == *id.as_bytes()));
                }
            }
        }
    }
}
