//! Requests of people who are no contacts: accept, refuse or block.
//!
//! That somebody asks is a fact of the key safe, so that every session of the account shows it until one
//! of them decides. What they wrote is not: it stays at the server, unread, and each session opens it there.
//!
//! Specification: `docs/protocol/messages.md#requests`.

use crate::effects::Effect;
use crate::id::ConversationId;
use crate::io::Io;
use crate::unlocked::Unlocked;
use protocol::safe::ContactState;

impl Unlocked {
    /// `accept_request`.
    pub(crate) fn accept_request(&mut self, io: &mut Io, chat: ConversationId) {
        if !self
            .safe
            .decide(io, "accept_request", chat, ContactState::Accepted)
        {
            return;
        }
        self.settle_request(io, chat);
        self.outbox.accept(io, chat, &self.me);
    }

    /// `refuse_request`.
    pub(crate) fn refuse_request(&mut self, io: &mut Io, chat: ConversationId) {
        if self
            .safe
            .decide(io, "refuse_request", chat, ContactState::Removed)
        {
            self.settle_request(io, chat);
        }
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
}
