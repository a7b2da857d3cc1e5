//! Live sessions that connect and disconnect: what they had claimed and not shown waits again at once.

use crate::memory::platform::{Platform, Table};
use crate::memory::vault::Vault;
use crate::{LiveId, MessageId, UserId};

impl<P: Platform> Vault<P> {
    /// Notes that a live session disconnected: what it had claimed and not shown waits again at once, and
    /// the posters of its own slots are told.
    ///
    /// A message that burns and was being shown keeps its lease.
    pub fn session_left(&self, account: UserId, live: LiveId) {
        let now_ms = self.clock.now_ms();
        for id in self.inbox(account) {
            self.transition(id, now_ms, |held, events| {
                held.session_left(account, live, now_ms, events);
            });
        }
    }

    /// Notes that a message was posted for a live session that had disconnected before.
    pub fn never_reached(&self, id: MessageId, account: UserId, live: LiveId) {
        let now_ms = self.clock.now_ms();
        self.transition(id, now_ms, |held, events| {
            held.session_left(account, live, now_ms, events);
        });
    }

    /// Notes that a live session connected; call this before the session is told what waits.
    ///
    /// What it had claimed over an earlier connection and not shown waits for it again.
    pub fn session_back(&self, account: UserId, live: LiveId) {
        let now_ms = self.clock.now_ms();
        for id in self.inbox(account) {
            self.transition(id, now_ms, |held, events| {
                held.session_back(account, live, events);
            });
        }
    }

    /// Lists unread messages that only disconnected sessions of an account could open, with their posters,
    /// in the order they were posted.
    pub fn stranded_for(&self, account: UserId) -> Vec<(MessageId, UserId)> {
        let now_ms = self.clock.now_ms();
        let stranded = |id: MessageId| {
            let found = self.messages.read(&id, |held| {
                held.is_stranded_for(account, now_ms)
                    .then_some((id, held.poster))
            });
            found.flatten()
        };
        self.inbox(account)
            .into_iter()
            .filter_map(stranded)
            .collect()
    }
}
