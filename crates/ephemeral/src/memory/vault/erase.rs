//! Erasing an account from the vault.

use crate::UserId;
use crate::memory::platform::{Lock, Platform, Table};
use crate::memory::vault::Vault;

impl<P: Platform> Vault<P> {
    /// Wipes what waits for an account and what it posted and is unread, claimed or not, and refuses
    /// further messages to and from it; returns how many messages it was in.
    ///
    /// Each message changes as if its life were over, for this account only: slots of other accounts
    /// in messages that others posted stay. What is posted at the same time is either wiped here or
    /// refused. Call it when the account is gone from everywhere else; it looks at every message.
    pub fn forget_account(&self, account: UserId) -> usize {
        let now_ms = self.clock.now_ms();
        // Before looking: whatever is admitted after this is refused, whatever was is in the table.
        self.forgotten.with(|f| f.insert(account, now_ms));
        let mut changed = 0;
        for id in self.messages.keys() {
            let concerned = self.messages.read(&id, |held| held.concerns(account));
            if concerned == Some(true) {
                self.transition(id, now_ms, |held, events| held.forget(account, events));
                changed += 1;
            }
        }
        self.forget_fates(account);
        changed
    }

    /// Whether the poster or anybody whom the slots are for was erased.
    pub(crate) fn is_forgotten(&self, poster: UserId, readers: &[UserId]) -> bool {
        self.forgotten
            .with(|f| f.holds(&poster) || readers.iter().any(|account| f.holds(account)))
    }
}
