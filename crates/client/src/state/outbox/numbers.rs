//! How this session's messages are counted in each conversation, and what the next one needs of it.
//!
//! Specification: `docs/protocol/messages.md#order-within-a-conversation`.

use protocol::envelope::SequenceCounter;

use super::Sealed;
use crate::id::{ConversationId, MessageId};
use crate::io::Io;
use crate::state::outbox::Outbox;
use crate::state::safes::Safe;

impl Outbox {
    /// The counter of a conversation. It continues behind the last number that the safe has.
    pub(super) fn counter_of(&mut self, chat: ConversationId, safe: &Safe) -> &mut SequenceCounter {
        let recipient = chat.peer();
        let contact = safe.contents().contacts.get(&recipient);
        let said = contact.and_then(|contact| contact.said.value);
        self.numbers.entry(chat).or_insert_with(|| match said {
            Some((link, end)) => SequenceCounter::resumed(link, end),
            None => SequenceCounter::default(),
        })
    }

    /// Keeps in the safe what was sent last, for the session that comes after this one.
    ///
    /// This is not done with each message: an old number in the safe does no harm.
    pub(crate) fn keep_said(&mut self, io: &Io, safe: &mut Safe) {
        let now = io.stamp();
        for chat in std::mem::take(&mut self.said) {
            let last = self.counter_of(chat, safe).last();
            let contacts = &safe.contents().contacts;
            if contacts
                .get(&chat.peer())
                .is_none_or(|contact| contact.said.value == last)
            {
                continue;
            }
            if let Some(contact) = safe.edit_contact(chat) {
                contact.said.set(now, last);
            }
        }
    }

    /// The server did not take a message: the next one gets its number, so that the recipient misses none.
    pub(crate) fn take_back_number(&mut self, id: MessageId, safe: &Safe) {
        let Some(item) = self.items.get(&id) else {
            return;
        };
        let of_ours = |sealed: &&Sealed| item.counted() && sealed.stamp.session == self.live;
        let Some(sealed) = item.sealed.as_ref().filter(of_ours) else {
            return;
        };
        let (chat, sequence, before) = (item.chat, sealed.stamp.sequence, sealed.before);
        let counter = self.counter_of(chat, safe);
        if counter.stamp().0 == sequence + 1 {
            *counter = before;
        }
    }
}
