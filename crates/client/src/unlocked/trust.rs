//! Safety numbers, verified marks and changed keys.
//!
//! Specification: `docs/protocol/accounts.md#safety-numbers`.

use crate::id::MessageId;
use crate::unlocked::Unlocked;

impl Unlocked {
    /// Whether a message came under the keys that are pinned now.
    pub(crate) fn is_by_the_pin(&self, name: MessageId) -> bool {
        let origin = self.chats.origin(name);
        origin.is_some_and(|origin| self.safe.is_pinned(origin.sender, &origin.writer))
    }
}
