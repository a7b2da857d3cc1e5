//! Sessions that come and go: what they held unread waits again at once.

use crate::platform::{Platform, Table};
use crate::vault::Vault;
use crate::{LiveId, MessageId, UserId};

impl<P: Platform> Vault<P> {
    /// A live session is not connected any more: what it had claimed and not shown waits again at
    /// once, and whoever posted what it alone can open is told.
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

    /// One message was posted for a live session that had left before.
    pub fn never_reached(&self, id: MessageId, account: UserId, live: LiveId) {
        let now_ms = self.clock.now_ms();
        self.transition(id, now_ms, |held, events| {
            held.session_left(account, live, now_ms, events);
        });
    }

    /// A live session connects, perhaps again: call it before it is told what waits.
    ///
    /// What it had claimed over a connection that is gone, and not shown, waits for it again.
    pub fn session_back(&self, account: UserId, live: LiveId) {
        let now_ms = self.clock.now_ms();
        for id in self.inbox(account) {
            self.transition(id, now_ms, |held, events| {
                held.session_back(account, live, events);
            });
        }
    }

    /// Lists what no session of an account that is there can open and none has read, with who posted
    /// it, in the order it was posted.
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
