//! Accounts that were erased lately, so that nothing that was under way to or from them is taken.

use std::collections::{HashSet, VecDeque};

use crate::UserId;

/// How long an erased account is remembered: longer than any request that knew it is under way.
const REMEMBERED_MS: u64 = 3_600_000;

/// The most that are remembered; the oldest goes first.
const LIMIT: usize = 16_384;

/// Remembers ids for an hour. An erased account's id is never given to another one.
#[derive(Default)]
pub(crate) struct Forgotten {
    ids: HashSet<UserId>,
    order: VecDeque<(u64, UserId)>,
}

impl Forgotten {
    pub(crate) fn insert(&mut self, account: UserId, now_ms: u64) {
        if !self.ids.insert(account) {
            return;
        }
        self.order.push_back((now_ms + REMEMBERED_MS, account));
        while self.order.len() > LIMIT {
            self.remove_oldest();
        }
    }

    pub(crate) fn holds(&self, account: &UserId) -> bool {
        self.ids.contains(account)
    }

    pub(crate) fn expire(&mut self, now_ms: u64) {
        while self
            .order
            .front()
            .is_some_and(|(until_ms, _)| *until_ms <= now_ms)
        {
            self.remove_oldest();
        }
    }

    fn remove_oldest(&mut self) {
        if let Some((_, account)) = self.order.pop_front() {
            self.ids.remove(&account);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(n: usize) -> UserId {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&(n as u64).to_be_bytes());
        UserId::from_bytes(bytes)
    }

    #[test]
    fn an_id_is_remembered_for_an_hour_and_no_more_ids_than_the_limit() {
        let mut forgotten = Forgotten::default();
        forgotten.insert(account(0), 0);
        forgotten.insert(account(0), 5);
        forgotten.expire(REMEMBERED_MS - 1);
        assert!(forgotten.holds(&account(0)));
        forgotten.expire(REMEMBERED_MS);
        assert!(!forgotten.holds(&account(0)));
        for n in 0..=LIMIT {
            forgotten.insert(account(n), 0);
        }
        assert!(!forgotten.holds(&account(0)) && forgotten.holds(&account(1)));
        assert_eq!(forgotten.ids.len(), LIMIT);
    }
}
