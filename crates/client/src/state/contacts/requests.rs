//! Requests of people who are no contacts: accept, refuse or block.
//!
//! That somebody asks is a fact of the key safe, so that every session of the account shows it until one
//! of them decides. What they wrote is not: it stays at the server, unread, and each session opens it there.
//!
//! Specification: `docs/protocol/messages.md#requests`.

use api::Own;
use api::ids::InviteHash;
use protocol::identity::Fingerprint;
use protocol::safe::{Contact, ContactState, Stamped};

use crate::effects::Effect;
use crate::event::{Event, RequestView};
use crate::failure::Failure;
use crate::id::{ConversationId, MessageId};
use crate::io::Io;
use crate::secret_text::SecretText;
use crate::state::safes::Safe;
use crate::unlocked::Unlocked;

/// Most undecided requests in the key safe; further ones wait at the server, so that strangers cannot
/// fill the safe.
const MAX_PENDING: usize = 256;

/// Most that is kept of one person who asks, until the person has decided; further messages of theirs
/// wait at the server.
const MAX_OF_ONE: usize = 16;

/// What this session has opened of somebody who asks.
#[derive(Default)]
pub(crate) struct Request {
    /// Requests, the newest last. The first line of one is a text as those that came with it.
    pub(crate) asks: Vec<MessageId>,
    /// Something of it came under other keys than those seen first.
    pub(crate) other_keys: bool,
    /// Name of the invite link whose code they showed.
    pub(crate) invite: Option<InviteHash>,
}

/// What becomes of something that a stranger wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked {
    /// It is a request, or belongs to one.
    Pending,
    /// The person has decided since it was written.
    Decided,
    /// Too many others ask, or this one says too much.
    NoRoom,
}

impl Safe {
    /// Somebody who is no contact wrote at `sent_at`, by their clock; so much of theirs is here.
    ///
    /// The request bears that time, not the time of its opening: a session that opens it late does not
    /// undo what another has decided.
    pub(crate) fn asked(
        &mut self,
        io: &mut Io,
        chat: ConversationId,
        fingerprint: Fingerprint,
        sent_at: u64,
        (handle, alias): (String, String),
        of_theirs: usize,
    ) -> Asked {
        let at = sent_at.min(io.stamp());
        let too_many = of_theirs > MAX_OF_ONE;
        let contacts = &self.contents().contacts;
        let asks = Stamped::new(at, ContactState::Incoming);
        match contacts.get(&chat.peer()).map(|contact| &contact.state) {
            Some(state) if state.value == ContactState::Incoming && !too_many => {}
            Some(state) if state.value != ContactState::Incoming && *state > asks => {
                return Asked::Decided;
            }
            _ if too_many => return Asked::NoRoom,
            _ => {
                let pending = |contact: &&Contact| contact.state.value == ContactState::Incoming;
                if contacts.values().filter(pending).count() >= MAX_PENDING {
                    return Asked::NoRoom;
                }
            }
        }
        let news = contacts.get(&chat.peer()).is_none_or(|contact| {
            contact.state < asks
                || contact.alias.value.as_str() != alias
                || contact.handle.value.as_str() != handle
        });
        if news {
            let contact = self
                .edit()
                .contacts
                .entry(chat.peer())
                .or_insert_with(|| Contact::new(fingerprint, ContactState::Incoming, at));
            contact.state.merge(asks);
            if contact.handle.value.as_str() != handle {
                contact.handle.set(at, handle.as_str().into());
            }
            if contact.alias.value.as_str() != alias {
                contact.alias.set(at, alias.as_str().into());
            }
        }
        io.ask(Effect::TellRequests);
        Asked::Pending
    }
}

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

    fn decide(
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
    fn settle_request(&mut self, io: &mut Io, chat: ConversationId) {
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
    fn greeting_of(&self, chat: ConversationId) -> Option<SecretText> {
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
