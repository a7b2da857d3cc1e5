//! Contacts: made, accepted, blocked, removed.

use crate::effects::Effect;
use crate::failure::Failure;
use crate::id::{ConversationId, MessageId};
use crate::io::Io;
use crate::state::contacts::contacts::clip;
use crate::unlocked::Unlocked;
use api::Own;
use protocol::safe::ContactState;

impl Unlocked {
    /// The other side accepted.
    pub(crate) fn accepted_by(&mut self, io: &mut Io, chat: ConversationId, alias: &str) {
        let now = io.stamp();
        if let Some(contact) = self.safe.edit_contact(chat) {
            contact.state.set(now, ContactState::Accepted);
            if !alias.is_empty() && contact.alias.value.as_str() != alias {
                contact.alias.set(now, clip(alias).into());
            }
        }
        io.ask(Effect::TellChats);
        self.told_after_answer(io);
    }

    /// `block`.
    pub(crate) fn block(&mut self, io: &mut Io, chat: ConversationId) {
        let now = io.stamp();
        if self.safe.pending(chat).is_some()
            && let Some(contact) = self.safe.edit_contact(chat)
        {
            contact.state.set(now, ContactState::Removed);
        }
        self.contacts.take_request(chat);
        io.ask(Effect::TellRequests);
        self.inbox.leave_unread(chat);
        self.safe.edit().set_blocked(chat.peer(), true, now);
        self.forget_chat(io, chat);
        io.ask(Effect::TellChats);
        self.contacts.emit_blocked(io, &self.safe);
    }

    /// `unblock`.
    pub(crate) fn unblock(&mut self, io: &mut Io, chat: ConversationId) {
        let now = io.stamp();
        self.safe.edit().set_blocked(chat.peer(), false, now);
        io.ask(Effect::TellChats);
        self.contacts.emit_blocked(io, &self.safe);
    }

    /// `remove_contact`.
    pub(crate) fn remove_contact(&mut self, io: &mut Io, chat: ConversationId) {
        if self.safe.contact(chat).is_none() {
            io.failed_at(
                "remove_contact",
                Failure::new(Own::NoSuchChat),
                Some(chat),
                None,
            );
            return;
        }
        let now = io.stamp();
        if let Some(contact) = self.safe.edit_contact(chat) {
            contact.state.set(now, ContactState::Removed);
        }
        self.forget_chat(io, chat);
        io.ask(Effect::TellChats);
    }

    pub(crate) fn forget_chat(&mut self, io: &mut Io, chat: ConversationId) {
        let names: Vec<MessageId> = self.chats.of(chat).map(|view| view.id).collect();
        for id in names {
            self.finish_named(io, id);
            self.forget_message(io, chat, id);
        }
        self.outbox.forget_chat(chat);
        self.receipts.forget(chat);
        self.drafts.forget(io, chat);
    }
}
