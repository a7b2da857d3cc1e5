//! The messages in this session's memory, as tabs show them.
//!
//! A message is what one sender wrote in one chat under one id: nobody else's message is the same one,
//! whatever its id. Tabs know it by a name that is unique in this session. That is its id, unless another
//! message bears that id already, or something of ours went out under it: what is on its way is known by
//! its id alone.

use std::collections::BTreeMap;

use protocol::identity::Fingerprint;
use protocol::ids::MessageId;

use crate::effects::Effect;
use crate::event::{Event, MessageState, MessageView};
use crate::id::{ConversationId, UserId};
use crate::io::Io;
use crate::unlocked::Unlocked;

/// Messages by chat and name.
pub(crate) type Messages = BTreeMap<ConversationId, BTreeMap<MessageId, MessageView>>;

/// Where a message in memory is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Origin {
    pub(crate) chat: ConversationId,
    pub(crate) sender: UserId,
    /// Its id, as its sender gave it.
    pub(crate) id: MessageId,
    /// The identity that wrote it.
    pub(crate) writer: Fingerprint,
    /// Whether it came under keys that the person knew its sender by.
    pub(crate) trusted: bool,
}

/// Where all messages in memory are from.
#[derive(Default)]
pub(crate) struct Places {
    by_name: BTreeMap<MessageId, Origin>,
    /// By sender, id and chat.
    names: BTreeMap<(UserId, MessageId, ConversationId), MessageId>,
}

impl Places {
    pub(crate) fn of(&self, name: MessageId) -> Option<&Origin> {
        self.by_name.get(&name)
    }

    /// What tabs call a message.
    pub(crate) fn name(
        &self,
        chat: ConversationId,
        sender: UserId,
        id: MessageId,
    ) -> Option<MessageId> {
        self.names.get(&(sender, id, chat)).copied()
    }

    /// Chat and name of a sender's message.
    fn named(&self, sender: UserId, id: MessageId) -> Option<(ConversationId, MessageId)> {
        let edge = |byte| {
            (
                sender,
                id,
                ConversationId::with(UserId::from_bytes([byte; 16])),
            )
        };
        let all = edge(0)..=edge(0xff);
        let found = self.names.range(all).next();
        found.map(|((_, _, chat), name)| (*chat, *name))
    }

    /// Whether anybody's message bears this id in memory.
    pub(crate) fn bears(&self, id: MessageId) -> bool {
        self.by_name.values().any(|origin| origin.id == id)
    }

    pub(crate) fn names(&self) -> Vec<MessageId> {
        self.by_name.keys().copied().collect()
    }

    fn put(&mut self, name: MessageId, origin: Origin) {
        self.by_name.insert(name, origin);
        self.names
            .insert((origin.sender, origin.id, origin.chat), name);
    }

    fn remove(&mut self, name: MessageId) {
        if let Some(origin) = self.by_name.remove(&name) {
            self.names.remove(&(origin.sender, origin.id, origin.chat));
        }
    }
}

impl Unlocked {
    pub(crate) fn message(&self, chat: ConversationId, name: MessageId) -> Option<&MessageView> {
        self.messages.get(&chat)?.get(&name)
    }

    pub(crate) fn message_mut(
        &mut self,
        chat: ConversationId,
        name: MessageId,
    ) -> Option<&mut MessageView> {
        self.messages.get_mut(&chat)?.get_mut(&name)
    }

    /// The chat that a message is in.
    pub(crate) fn chat_of(&self, name: MessageId) -> Option<ConversationId> {
        self.places.of(name).map(|origin| origin.chat)
    }

    /// The id of a message, as its sender gave it.
    pub(crate) fn id_of_message(&self, name: MessageId) -> MessageId {
        self.places.of(name).map_or(name, |origin| origin.id)
    }

    /// Chat and name of an own message, from whichever session.
    pub(crate) fn own_message(&self, id: MessageId) -> Option<(ConversationId, MessageId)> {
        self.places.named(self.me.user_id, id)
    }

    /// A name for a message that is about to be put in memory.
    pub(crate) fn new_name(&self, io: &mut Io, origin: &Origin) -> MessageId {
        let mut name = origin.id;
        while self.places.of(name).is_some() || self.sent_under(name) {
            name = MessageId::random(&mut io.rng);
        }
        name
    }

    /// Whether this session sent something under an id, or is about to.
    fn sent_under(&self, id: MessageId) -> bool {
        self.outbox.items.contains_key(&id) || self.lives.contains_key(&id)
    }

    /// What is on its way of a message: of one's own, in its chat.
    pub(crate) fn outgoing(&self, name: MessageId) -> Option<MessageId> {
        let origin = self.places.of(name)?;
        let item = self.outbox.items.get(&origin.id)?;
        let same = origin.sender == self.me.user_id && origin.chat == item.chat;
        same.then_some(origin.id)
    }

    /// Ends what is on its way of a message.
    pub(crate) fn drop_outgoing(&mut self, name: MessageId) {
        if let Some(sent) = self.outgoing(name) {
            self.outbox.items.remove(&sent);
        }
    }

    /// The id of a message that was opened here and not acknowledged: it, and no other under its id.
    pub(crate) fn unacknowledged(&self, name: MessageId) -> Option<MessageId> {
        let origin = self.places.of(name)?;
        let held = self.inbox.holds(origin.chat, origin.sender, origin.id);
        held.then_some(origin.id)
    }

    /// A new message of one's own, told to all tabs.
    pub(crate) fn put_message(&mut self, io: &mut Io, chat: ConversationId, view: MessageView) {
        let origin = Origin {
            chat,
            sender: self.me.user_id,
            id: view.id,
            writer: *self.safe.fingerprint(),
            trusted: true,
        };
        self.put_from(io, origin, view);
    }

    /// A new message from somewhere, told to all tabs.
    pub(crate) fn put_from(&mut self, io: &mut Io, origin: Origin, view: MessageView) {
        let name = view.id;
        self.put_quietly(io, origin, view);
        self.emit_message(io, origin.chat, name);
    }

    /// A new message that is not to be seen yet.
    pub(crate) fn put_quietly(&mut self, io: &mut Io, origin: Origin, mut view: MessageView) {
        if view.place == 0 {
            view.place = self.place_of(io, origin.chat, &view);
        }
        self.places.put(view.id, origin);
        let chat = self.messages.entry(origin.chat).or_default();
        chat.insert(view.id, view);
    }

    /// Takes a message out; false when it was not there.
    pub(crate) fn remove_message(
        &mut self,
        io: &mut Io,
        chat: ConversationId,
        name: MessageId,
    ) -> bool {
        self.places.remove(name);
        self.collected.remove(&name);
        io.ask(Effect::TellChats);
        self.messages
            .get_mut(&chat)
            .is_some_and(|messages| messages.remove(&name).is_some())
    }

    pub(crate) fn set_state(
        &mut self,
        io: &mut Io,
        chat: ConversationId,
        name: MessageId,
        state: MessageState,
        by_server: bool,
    ) {
        if let Some(view) = self.message_mut(chat, name) {
            view.state = state;
            view.by_server = by_server;
            view.taken &= state == MessageState::Delivered;
            self.emit_message(io, chat, name);
        }
    }

    /// Tells all tabs of a message as it is now.
    pub(crate) fn emit_message(&mut self, io: &mut Io, chat: ConversationId, name: MessageId) {
        // The list shows the newest of each chat: whatever changed of a message may stand there.
        io.ask(Effect::TellChats);
        // Strangers' messages stay out of sight until their request is accepted.
        if self.safe.contact(chat).is_none() {
            return;
        }
        if let Some(view) = self.message(chat, name) {
            io.event(Event::Message {
                chat,
                message: view.clone(),
            });
        }
    }

    /// `open_chat`.
    pub(crate) fn emit_conversation(&self, io: &mut Io, chat: ConversationId) {
        let mut messages: Vec<MessageView> = match self.safe.contact(chat) {
            Some(_) => self
                .messages
                .get(&chat)
                .map(|all| all.values().cloned().collect())
                .unwrap_or_default(),
            None => Vec::new(),
        };
        messages.sort_by_key(|message| message.place);
        io.event(Event::Conversation { chat, messages });
    }

    /// A time later than that of every message before, so that sorting keeps the order.
    pub(crate) fn next_seen_ms(&mut self, now_ms: u64) -> u64 {
        self.last_seen_ms = now_ms.max(self.last_seen_ms.saturating_add(1));
        self.last_seen_ms
    }

    /// After a restart of the server: what was not opened here is gone.
    pub(crate) fn unread_vanished(&mut self, io: &mut Io) {
        for name in self.places.names() {
            let Some(chat) = self.chat_of(name) else {
                continue;
            };
            let sealed = self.message(chat, name).is_some_and(|view| view.sealed);
            if sealed {
                if let Some(id) = self.unacknowledged(name) {
                    self.inbox.finish(id);
                }
                if let Some(view) = self.message_mut(chat, name) {
                    view.sealed = false;
                }
                self.set_state(io, chat, name, MessageState::Gone, true);
            }
        }
    }
}
