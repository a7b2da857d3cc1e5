//! Contacts: made, accepted, blocked, removed.

use api::Own;
use protocol::safe::ContactState;

use crate::effects::Effect;
use crate::event::{Event, PersonView};
use crate::failure::Failure;
use crate::id::{ConversationId, MessageId, UserId};
use crate::io::Io;
use crate::state::contacts::Contacts;
use crate::state::safes::Safe;
use crate::unlocked::Unlocked;

impl Contacts {
    /// Everybody who is blocked.
    pub(crate) fn emit_blocked(&self, io: &mut Io, safe: &Safe) {
        let contents = safe.contents();
        let mut people: Vec<PersonView> = contents
            .blocks
            .iter()
            .filter(|(_, block)| block.value)
            .map(|(user, _)| {
                let id = *user;
                let (handle, alias) = self.names_of(id, safe);
                PersonView {
                    user_id: id,
                    handle,
                    alias,
                    relation: "blocked".to_owned(),
                }
            })
            .collect();
        people.sort_by(|a, b| a.alias.cmp(&b.alias));
        io.event(Event::Blocked { people });
    }

    /// Handle and name: the contact's, else the server's.
    pub(crate) fn names_of(&self, id: UserId, safe: &Safe) -> (String, String) {
        let kept = safe.contents().contacts.get(&id);
        let peer = self.peers.get(&id);
        let pick = |kept: Option<&str>, heard: Option<&str>| {
            kept.filter(|name| !name.is_empty())
                .or(heard)
                .unwrap_or_default()
                .to_owned()
        };
        let handle = pick(
            kept.map(|c| c.handle.value.as_str()),
            peer.map(|p| p.handle.as_str()),
        );
        let alias = pick(
            kept.map(|c| c.alias.value.as_str()),
            peer.map(|p| p.alias.as_str()),
        );
        let alias = if alias.is_empty() {
            handle.clone()
        } else {
            alias
        };
        (handle, alias)
    }
}

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

/// A name of somebody else as it is shown, whatever they send.
pub(crate) fn clip(name: &str) -> String {
    protocol::name::shown(name)
}

#[cfg(test)]
mod tests {
    use super::clip;

    #[test]
    fn names_of_others_turn_no_line_around_and_end_none() {
        assert_eq!(clip("bob\u{202E}ecila\u{202C}\n"), "bobecila");
        assert_eq!(clip("\u{2066}a\u{2069}\u{2029}b\u{0}"), "ab");
        assert_eq!(clip(&"x".repeat(65)), "x".repeat(64));
    }

    #[test]
    fn joined_emoji_and_joiners_of_a_script_stay_in_a_name() {
        let name = "\u{1F469}\u{200D}\u{1F4BB} \u{645}\u{6CC}\u{200C}\u{62E}";
        assert_eq!(clip(name), name);
    }
}
