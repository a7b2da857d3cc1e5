//! One-time pairs that reached more than one sender.
//!
//! The server hands each one-time pair to one sender. Messages of two people under one pair show that it
//! did not, or that one of the two passed the pair on. Such a message is no better protected than one
//! under the last-resort pair.

use protocol::epoch::{EpochPath, EpochRecord};

use crate::id::{ConversationId, UserId};
use crate::io::Io;
use crate::state::inbox::Inbox;
use crate::state::safes::Safe;

impl Inbox {
    /// Whether somebody else's message came under the same one-time pair.
    pub(crate) fn pair_is_shared(&self, epoch: &EpochRecord, safe: &Safe) -> bool {
        epoch.key.path == EpochPath::OneTime && !self.others_with_pair(epoch, safe).is_empty()
    }

    /// Tells it, if a contact under pinned keys is among those who have the pair: strangers alone can
    /// make it up.
    pub(crate) fn shared_pair_used(
        &self,
        io: &mut Io,
        chat: ConversationId,
        epoch: &EpochRecord,
        safe: &Safe,
    ) {
        let mut known = self.others_with_pair(epoch, safe);
        known.push(chat.peer());
        let mut known = known.into_iter().map(ConversationId::with);
        if known.any(|chat| safe.contact(chat).is_some()) {
            io.notice(
                "prekey-shared",
                "Two people wrote under one key that was made for one of them. The server may have handed it out twice.",
                Some(chat),
            );
        }
    }

    fn others_with_pair(&self, epoch: &EpochRecord, safe: &Safe) -> Vec<UserId> {
        let unshown = self.items.values().map(|item| &item.epoch);
        let mut others: Vec<UserId> = unshown
            .filter(|other| other.key == epoch.key)
            .map(|other| other.sender.user_id)
            .filter(|other| *other != epoch.sender.user_id)
            .collect();
        let shown = safe.prekeys().replay.others_under(epoch);
        others.extend(shown);
        others
    }
}
