//! The messages in this session's memory, as tabs show them.

use std::collections::BTreeMap;

use crate::event::{Event, MessageState, MessageView};
use crate::id::Id;
use crate::io::Io;
use crate::unlocked::Unlocked;

/// Messages by chat.
pub(crate) type Messages = BTreeMap<Id, BTreeMap<Id, MessageView>>;

impl Unlocked {
    pub(crate) fn message(&self, chat: Id, id: Id) -> Option<&MessageView> {
        self.messages.get(&chat)?.get(&id)
    }

    pub(crate) fn message_mut(&mut self, chat: Id, id: Id) -> Option<&mut MessageView> {
        self.messages.get_mut(&chat)?.get_mut(&id)
    }

    /// The chat that a message is in.
    pub(crate) fn chat_of(&self, id: Id) -> Option<Id> {
        self.places.get(&id).copied()
    }

    /// A new message, told to all tabs.
    pub(crate) fn put_message(&mut self, io: &mut Io, chat: Id, view: MessageView) {
        let id = view.id;
        self.put_message_quietly(chat, view);
        self.chats_dirty = true;
        self.emit_message(io, chat, id);
    }

    /// A new message that is not to be seen yet.
    pub(crate) fn put_message_quietly(&mut self, chat: Id, view: MessageView) {
        self.places.insert(view.id, chat);
        self.messages.entry(chat).or_default().insert(view.id, view);
    }

    /// Takes a message out; false when it was not there.
    pub(crate) fn remove_message(&mut self, chat: Id, id: Id) -> bool {
        self.places.remove(&id);
        self.collected.remove(&id);
        self.chats_dirty = true;
        self.messages
            .get_mut(&chat)
            .is_some_and(|messages| messages.remove(&id).is_some())
    }

    pub(crate) fn set_state(
        &mut self,
        io: &mut Io,
        chat: Id,
        id: Id,
        state: MessageState,
        by_server: bool,
    ) {
        if let Some(view) = self.message_mut(chat, id) {
            view.state = state;
            view.by_server = by_server;
            self.chats_dirty = true;
            self.emit_message(io, chat, id);
        }
    }

    pub(crate) fn emit_message(&mut self, io: &mut Io, chat: Id, id: Id) {
        // Strangers' messages stay out of sight until their request is accepted.
        if self.contact(chat).is_none() {
            return;
        }
        if let Some(view) = self.message(chat, id) {
            io.event(Event::Message {
                chat,
                message: view.clone(),
            });
        }
    }

    /// `open_chat`.
    pub(crate) fn emit_conversation(&self, io: &mut Io, chat: Id) {
        let mut messages: Vec<MessageView> = match self.contact(chat) {
            Some(_) => self
                .messages
                .get(&chat)
                .map(|all| all.values().cloned().collect())
                .unwrap_or_default(),
            None => Vec::new(),
        };
        messages.sort_by_key(|message| message.seen_ms);
        io.event(Event::Conversation { chat, messages });
    }

    /// A time later than that of every message before, so that sorting keeps the order.
    pub(crate) fn next_seen_ms(&mut self, now_ms: u64) -> u64 {
        self.last_seen_ms = now_ms.max(self.last_seen_ms + 1);
        self.last_seen_ms
    }

    /// After a restart of the server: what was not opened here is gone.
    pub(crate) fn unread_vanished(&mut self, io: &mut Io) {
        let all: Vec<(Id, Id)> = self.places.iter().map(|(id, chat)| (*chat, *id)).collect();
        for (chat, id) in all {
            let sealed = self.message(chat, id).is_some_and(|view| view.sealed);
            if sealed {
                self.inbox.finish(id);
                if let Some(view) = self.message_mut(chat, id) {
                    view.sealed = false;
                }
                self.set_state(io, chat, id, MessageState::Gone, true);
            }
        }
    }
}
