//! Queries.

use std::collections::HashMap;

use crate::memory::message::SlotState;
use crate::memory::platform::{Lock, Platform, Table};
use crate::memory::vault::{Inbox, Vault};
use crate::{LiveId, MessageId, MessageState, Stats, StatusItem, UserId, WaitingItem};

impl<P: Platform> Vault<P> {
    /// Lists what waits for an account: the first message of each poster, then the second of each, and so
    /// on, so that no poster with many messages comes before all others.
    ///
    /// With a live session: what that session may claim now. Without: what any session of the
    /// account may claim, each message once.
    pub fn waiting_for(&self, account: UserId, live: Option<LiveId>) -> Vec<WaitingItem> {
        let now_ms = self.clock.now_ms();
        let waiting = |id| {
            let item = self
                .messages
                .read(&id, |held| held.waiting_item(account, live, now_ms));
            item.flatten()
        };
        let items = self.inbox(account).into_iter().filter_map(waiting);
        let mut told = HashMap::new();
        let mut in_turns: Vec<_> = items
            .map(|item| {
                let turn = told.entry(item.poster).or_insert(0_usize);
                *turn += 1;
                (*turn, item)
            })
            .collect();
        in_turns.sort_by_key(|(turn, _)| *turn);
        in_turns.into_iter().map(|(_, item)| item).collect()
    }

    /// Returns whether an account has at least `most` unread messages of a poster, not counting `beside`.
    ///
    /// A slot that could not be opened counts as long as it may be replaced.
    pub fn holds_unread(
        &self,
        poster: UserId,
        account: UserId,
        most: usize,
        beside: MessageId,
    ) -> bool {
        let of_poster = |inbox: &Inbox| match inbox.get(&poster) {
            Some(held) if held.len() >= most => held.iter().map(|(_, id)| *id).collect(),
            _ => Vec::new(),
        };
        let ids = self.inboxes.read(&account, of_poster).unwrap_or_default();
        let unread = |id: &MessageId| {
            let unread = self.messages.read(id, |held| held.is_unread_by(account));
            *id != beside && unread == Some(true)
        };
        ids.iter().filter(|id| unread(id)).take(most).count() >= most
    }

    /// Lists the one-time prekeys of an account that waiting or claimed slots were made with.
    pub fn prekeys_in_use(&self, account: UserId) -> Vec<u32> {
        let mut prekeys = Vec::new();
        for id in self.inbox(account) {
            self.messages.read(&id, |held| {
                let mine = held.slots.iter().filter(|s| s.target.account() == account);
                let open = mine
                    .filter(|s| matches!(s.state, SlotState::Waiting | SlotState::Claimed { .. }));
                prekeys.extend(open.filter_map(|slot| slot.prekey));
            });
        }
        prekeys.sort_unstable();
        prekeys.dedup();
        prekeys
    }

    /// Returns the messages in which an account has a slot, in the order they were posted.
    pub(super) fn inbox(&self, account: UserId) -> Vec<MessageId> {
        let all = |inbox: &Inbox| inbox.values().flatten().copied().collect();
        let mut held: Vec<_> = self.inboxes.read(&account, all).unwrap_or_default();
        held.sort_unstable();
        held.into_iter().map(|(_, id)| id).collect()
    }

    /// Returns the states of the poster's own messages; those of others are unknown.
    ///
    /// What was read or has expired is remembered until the message's expiry and for ten minutes at
    /// least, for the latest messages of each poster.
    pub fn status(&self, poster: UserId, ids: &[MessageId]) -> Vec<StatusItem> {
        let now_ms = self.clock.now_ms();
        let of = |&id: &MessageId| {
            let held = self.messages.read(&id, |held| {
                (held.poster == poster).then(|| (held.state(now_ms), held.expires_ms))
            });
            let buried = || self.tombstones.with(|t| t.get(id, poster, now_ms));
            let (state, expires_ms) = held
                .flatten()
                .or_else(buried)
                .unwrap_or((MessageState::Unknown, 0));
            StatusItem {
                id,
                state,
                expires_at: expires_ms / 1000,
            }
        };
        ids.iter().map(of).collect()
    }

    /// Returns when the next lease or life ends, unix milliseconds.
    pub fn next_expiry_ms(&self) -> Option<u64> {
        self.schedule.with(|s| s.first()).map(|(due, _)| due)
    }

    /// Returns statistics.
    pub fn stats(&self) -> Stats {
        let (messages, bytes) = self.ledger.with(|l| l.total());
        Stats {
            messages,
            bytes,
            tombstones: self.tombstones.with(|t| t.len()) as u64,
            next_expiry: self.next_expiry_ms().map(|ms| ms / 1000),
        }
    }

    /// Counts the entries of table, index, schedule and ledger, for tests that look for leaks.
    #[cfg(test)]
    pub(crate) fn leaves(&self) -> (usize, usize, usize, usize) {
        (
            self.messages.keys().len(),
            self.inboxes.keys().len(),
            self.schedule.with(|s| s.len()),
            self.ledger.with(|l| l.accounts()),
        )
    }
}
