//! Looking without changing.

use crate::message::SlotState;
use crate::platform::{Lock, Platform, Table};
use crate::vault::Vault;
use crate::{AccountId, LiveId, MessageId, MessageState, Stats, StatusItem, WaitingItem};

impl<P: Platform> Vault<P> {
    /// Lists what waits for an account, in the order it was posted.
    ///
    /// With a live session: what that session may claim now. Without: what any session of the
    /// account may claim, each message once.
    pub fn waiting_for(&self, account: AccountId, live: Option<LiveId>) -> Vec<WaitingItem> {
        let now_ms = self.clock.now_ms();
        let waiting = |id| {
            let item = self
                .messages
                .read(&id, |held| held.waiting_item(account, live, now_ms));
            item.flatten()
        };
        self.inbox(account)
            .into_iter()
            .filter_map(waiting)
            .collect()
    }

    /// Lists the one-time prekeys of an account that waiting or claimed slots were made with.
    pub fn prekeys_in_use(&self, account: AccountId) -> Vec<u32> {
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

    pub(super) fn inbox(&self, account: AccountId) -> Vec<MessageId> {
        self.inboxes
            .read(&account, |inbox| inbox.iter().map(|(_, id)| *id).collect())
            .unwrap_or_default()
    }

    /// Tells a poster where its own messages stand; those of others are unknown.
    ///
    /// What was read or has expired is remembered until the message's expiry and for ten minutes at
    /// least, for the latest messages of each poster.
    pub fn status(&self, poster: AccountId, ids: &[MessageId]) -> Vec<StatusItem> {
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

    /// Sums up.
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
