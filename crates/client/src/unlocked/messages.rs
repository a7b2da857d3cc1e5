//! Messages in memory and what is under way of them: names, what was lost, what a restart took.

use crate::event::{MessageState, MessageView};
use crate::id::{ConversationId, MessageId};
use crate::io::Io;
use crate::state::conversations::Origin;
use crate::unlocked::Unlocked;
use crate::wire::Stranded;

impl Unlocked {
    /// A name for a message that is about to be put in memory.
    pub(crate) fn new_name(&self, io: &mut Io, origin: &Origin) -> MessageId {
        let mut name = origin.id;
        while self.chats.is_taken(name) || self.outbox.item(name).is_some() {
            name = MessageId::random(&mut io.rng);
        }
        name
    }

    /// What is on its way of a message: of one's own, in its chat.
    pub(crate) fn outgoing(&self, name: MessageId) -> Option<MessageId> {
        let origin = self.chats.origin(name)?;
        let item = self.outbox.item(origin.id)?;
        let same = origin.sender == self.user && origin.chat == item.chat();
        same.then_some(origin.id)
    }

    /// Ends what is on its way of a message.
    pub(crate) fn drop_outgoing(&mut self, name: MessageId) {
        if let Some(sent) = self.outgoing(name) {
            self.outbox.forget(sent);
        }
    }

    /// The id of a message that was opened here and not acknowledged: it, and no other under its id.
    pub(crate) fn unacknowledged(&self, name: MessageId) -> Option<MessageId> {
        let origin = self.chats.origin(name)?;
        let held = self.inbox.holds(origin.chat, origin.sender, origin.id);
        held.then_some(origin.id)
    }

    /// After a restart of the server: what was not opened here is gone.
    pub(crate) fn unread_vanished(&mut self, io: &mut Io) {
        let all = self.chats.all().filter(|(_, view)| view.sealed);
        let sealed: Vec<_> = all.map(|(chat, view)| (chat, view.id)).collect();
        for (chat, name) in sealed {
            if let Some(id) = self.unacknowledged(name) {
                self.inbox.finish(id);
            }
            if let Some(view) = self.chats.message_mut(chat, name) {
                view.sealed = false;
            }
            self.chats
                .set_state(io, chat, name, MessageState::Gone, true, &self.safe);
        }
    }

    /// What has not come another way by now is lost, unless its sender comes back.
    pub(crate) fn stranded_due(&mut self, io: &mut Io) {
        for Stranded { id, from } in self.inbox.take_stranded() {
            let chat = ConversationId::with(from);
            let known = self.chats.name(chat, from, id).is_some() || self.inbox.is_done(id);
            // Of strangers, and of people who are blocked, nothing is shown.
            let contact = self.safe.contact(chat).filter(|_| !known);
            let pinned = contact.and_then(|contact| contact.pin.fingerprint().ok().copied());
            if let Some(writer) = pinned {
                let origin = Origin {
                    chat,
                    sender: from,
                    id,
                    writer,
                    trusted: false,
                };
                let name = self.new_name(io, &origin);
                let view = self.chats.lost(io, name);
                self.chats.put_from(io, origin, view, &self.safe);
            }
        }
    }

    /// A message came that was called lost.
    pub(super) fn found_again(&mut self, io: &mut Io, origin: &Origin) {
        let name = self.chats.name(origin.chat, origin.sender, origin.id);
        let lost = |view: &MessageView| view.state == MessageState::Lost;
        if let Some(name) = name
            && self.chats.message(origin.chat, name).is_some_and(lost)
        {
            self.forget_message(io, origin.chat, name);
        }
    }
}
