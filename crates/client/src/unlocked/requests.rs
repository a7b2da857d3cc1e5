//! Requests of people who are no contacts: accept, refuse or block.
//!
//! That somebody asks is a fact of the key safe, so that every session of the account shows it until one
//! of them decides. What they wrote is not: it stays at the server, unread, and each session opens it there.
//!
//! Specification: `docs/protocol/messages.md#requests`.

use crate::effects::Effect;
use crate::event::{Event, RequestView};
use crate::failure::Failure;
use crate::id::ConversationId;
use crate::io::Io;
use crate::secret_text::SecretText;
use crate::unlocked::Unlocked;
use api::Own;
use protocol::safe::ContactState;

impl Unlocked {
    /// `accept_request`.
    pub(crate) fn accept_request(&mut self, io: &mut Io, chat: ConversationId) {
        if !self.decide(io, "accept_request", chat, ContactState::Accepted) {
            return;
        }
        self.settle_request(io, chat);
        self.send_accept(io, chat);
    }

    /// `refuse_request`.
    pub(crate) fn refuse_request(&mut self, io: &mut Io, chat: ConversationId) {
        if self.decide(io, "refuse_request", chat, ContactState::Removed) {
            self.settle_request(io, chat);
        }
    }

    pub(crate) fn decide(
        &mut self,
        io: &mut Io,
        during: &'static str,
        chat: ConversationId,
        to: ContactState,
    ) -> bool {
        if self.safe.pending(chat).is_none() {
            io.failed_at(during, Failure::new(Own::NoSuchChat), Some(chat), None);
            return false;
        }
        let now = io.stamp();
        if let Some(contact) = self.safe.edit_contact(chat) {
            contact.state.set(now, to);
        }
        true
    }

    /// Does in this session what was decided, here or in another one.
    pub(crate) fn settle_request(&mut self, io: &mut Io, chat: ConversationId) {
        let asks = self.contacts.take_request(chat).asks;
        io.ask(Effect::TellRequests);
        io.ask(Effect::TellChats);
        if self.safe.contents().is_blocked(&chat.peer()) {
            self.inbox.leave_unread(chat);
        }
        for id in asks {
            // What has words is unread until it was shown.
            let unsaid = self.chats.name(chat, chat.peer(), id).is_none();
            if unsaid && self.inbox.holds(chat, chat.peer(), id) {
                self.finish_incoming(io, id);
            }
        }
        if self.safe.contact(chat).is_some() {
            // Texts that came with it were kept out of sight.
            self.chats.emit_conversation(io, chat, &self.safe);
        } else {
            self.forget_chat(io, chat);
        }
    }

    /// Another session may have decided, have heard of somebody new, or of an answer.
    pub(crate) fn requests_joined(&mut self, io: &mut Io) {
        io.ask(Effect::TellRequests);
        for chat in self.contacts.decided(&self.safe) {
            self.settle_request(io, chat);
        }
        self.told_after_answer(io);
    }

    /// The first line that somebody asks with, as this session has opened it.
    pub(crate) fn greeting_of(&self, chat: ConversationId) -> Option<SecretText> {
        let asks = &self.contacts.request(chat)?.asks;
        let names = asks.iter().rev();
        let names = names.filter_map(|id| self.chats.name(chat, chat.peer(), *id));
        let mut said = names.filter_map(|name| self.chats.message(chat, name));
        said.find_map(|view| view.text.clone())
    }

    /// All requests.
    pub(crate) fn emit_requests(&self, io: &mut Io) {
        let contacts = self.safe.contents().contacts.keys();
        let mut requests: Vec<RequestView> = contacts
            .filter_map(|user| {
                let chat = ConversationId::with(*user);
                let received_ms = self.safe.pending(chat)?.state.at.saturating_mul(1_000);
                let (handle, alias) = self.contacts.names_of(*user, &self.safe);
                let request = self.contacts.request(chat);
                Some(RequestView {
                    chat,
                    handle,
                    alias,
                    greeting: self.greeting_of(chat).unwrap_or_default(),
                    received_ms,
                    key_changed: self.contacts.key_changed(*user, &self.safe)
                        || request.is_some_and(|asked| asked.other_keys),
                    by_link: self.contacts.by_own_link(chat),
                })
            })
            .collect();
        requests.sort_by_key(|request| std::cmp::Reverse(request.received_ms));
        io.event(Event::Requests { requests });
    }
}
