//! The messages in this session's memory, as tabs show them.
//!
//! A message is what one sender wrote in one chat under one id: nobody else's message is the same one,
//! whatever its id. Tabs know it by a name that is unique in this session. That is its id, unless another
//! message bears that id already, or something of ours went out under it: what is on its way is known by
//! its id alone.

mod list;
mod states;

use std::collections::{BTreeMap, BTreeSet};

use protocol::identity::Fingerprint;

use crate::effects::Effect;
use crate::event::{Event, MessageState, MessageView};
use crate::id::{ConversationId, MessageId, UserId};
use crate::io::Io;
use crate::state::safes::Safe;
pub(crate) use states::UNTOLD_MS;

/// Messages by chat and name.
type Messages = BTreeMap<ConversationId, BTreeMap<MessageId, MessageView>>;

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

/// All messages in memory.
pub(crate) struct Conversations {
    user: UserId,
    messages: Messages,
    /// Chat, sender and writer of every message in memory.
    places: Places,
    /// The life of own messages, for sending them again.
    lives: BTreeMap<MessageId, u32>,
    /// Own messages that a recipient took for good, by the server's word.
    collected: BTreeSet<MessageId>,
    last_seen_ms: u64,
    /// Where the newest message stands.
    last_place: u64,
}

impl Conversations {
    pub(crate) const fn new(user: UserId) -> Self {
        Self {
            user,
            messages: Messages::new(),
            places: Places {
                by_name: BTreeMap::new(),
                names: BTreeMap::new(),
            },
            lives: BTreeMap::new(),
            collected: BTreeSet::new(),
            last_seen_ms: 0,
            last_place: 0,
        }
    }

    /// Where a message is from.
    pub(crate) fn origin(&self, name: MessageId) -> Option<&Origin> {
        self.places.of(name)
    }

    /// What tabs call a sender's message.
    pub(crate) fn name(
        &self,
        chat: ConversationId,
        sender: UserId,
        id: MessageId,
    ) -> Option<MessageId> {
        self.places.names.get(&(sender, id, chat)).copied()
    }

    /// A sender's message.
    pub(crate) fn said(
        &self,
        chat: ConversationId,
        sender: UserId,
        id: MessageId,
    ) -> Option<&MessageView> {
        self.message(chat, self.name(chat, sender, id)?)
    }

    /// Whether anybody's message bears this id in memory.
    pub(crate) fn bears(&self, id: MessageId) -> bool {
        self.places.by_name.values().any(|origin| origin.id == id)
    }

    /// All messages of a chat.
    pub(crate) fn of(&self, chat: ConversationId) -> impl Iterator<Item = &MessageView> {
        self.messages
            .get(&chat)
            .into_iter()
            .flat_map(BTreeMap::values)
    }

    /// All messages.
    pub(crate) fn all(&self) -> impl Iterator<Item = (ConversationId, &MessageView)> {
        let chats = self.messages.iter();
        chats.flat_map(|(chat, messages)| messages.values().map(move |view| (*chat, view)))
    }

    /// The life of an own message, for sending it again.
    pub(crate) fn life_of(&self, id: MessageId) -> Option<u32> {
        self.lives.get(&id).copied()
    }

    pub(crate) fn keep_life(&mut self, id: MessageId, secs: u32) {
        self.lives.insert(id, secs);
    }

    /// Whether a recipient took an own message for good, by the server's word.
    pub(crate) fn is_collected(&self, id: MessageId) -> bool {
        self.collected.contains(&id)
    }

    /// A recipient took it for good; false if that is known.
    pub(crate) fn collect(&mut self, id: MessageId) -> bool {
        self.collected.insert(id)
    }

    pub(crate) fn collected(&self) -> Vec<MessageId> {
        self.collected.iter().copied().collect()
    }

    /// Whether something of this session bears an id, though it is not in memory.
    pub(crate) fn is_taken(&self, id: MessageId) -> bool {
        self.places.of(id).is_some() || self.lives.contains_key(&id)
    }

    /// A message of an earlier lock comes back: later ones stand behind it.
    pub(crate) fn take_up(&mut self, view: &MessageView, life_secs: u32) {
        self.last_seen_ms = self.last_seen_ms.max(view.seen_ms);
        self.keep_life(view.id, life_secs);
    }

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
        self.places.named(self.user, id)
    }

    /// A new message of one's own, told to all tabs.
    pub(crate) fn put_message(
        &mut self,
        io: &mut Io,
        chat: ConversationId,
        view: MessageView,
        safe: &Safe,
    ) {
        let origin = Origin {
            chat,
            sender: self.user,
            id: view.id,
            writer: *safe.fingerprint(),
            trusted: true,
        };
        self.put_from(io, origin, view, safe);
    }

    /// A new message from somewhere, told to all tabs.
    pub(crate) fn put_from(&mut self, io: &mut Io, origin: Origin, view: MessageView, safe: &Safe) {
        let name = view.id;
        self.put_quietly(io, origin, view, safe);
        self.emit_message(io, origin.chat, name, safe);
    }

    /// A new message that is not to be seen yet.
    pub(crate) fn put_quietly(
        &mut self,
        io: &mut Io,
        origin: Origin,
        mut view: MessageView,
        safe: &Safe,
    ) {
        if view.place == 0 {
            view.place = self.place_of(io, origin.chat, &view, safe);
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
        self.lives.remove(&name);
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
        safe: &Safe,
    ) {
        if let Some(view) = self.message_mut(chat, name) {
            view.state = state;
            view.by_server = by_server;
            view.taken &= state == MessageState::Delivered;
            self.emit_message(io, chat, name, safe);
        }
    }

    /// Tells all tabs of a message as it is now.
    pub(crate) fn emit_message(
        &mut self,
        io: &mut Io,
        chat: ConversationId,
        name: MessageId,
        safe: &Safe,
    ) {
        // The list shows the newest of each chat: whatever changed of a message may stand there.
        io.ask(Effect::TellChats);
        // Strangers' messages stay out of sight until their request is accepted.
        if safe.contact(chat).is_none() {
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
    pub(crate) fn emit_conversation(&self, io: &mut Io, chat: ConversationId, safe: &Safe) {
        let mut messages: Vec<MessageView> = match safe.contact(chat) {
            Some(_) => self.of(chat).cloned().collect(),
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
}

impl Conversations {
    /// Whether a message is in memory already.
    pub(crate) fn known(&self, origin: &Origin) -> bool {
        let known = self.name(origin.chat, origin.sender, origin.id);
        known.is_some()
    }

    /// Changes what is said of somebody's message, where it is in memory.
    pub(crate) fn change_warnings(
        &mut self,
        io: &mut Io,
        chat: ConversationId,
        (sender, message): (UserId, MessageId),
        change: impl FnOnce(&mut Vec<String>),
        safe: &Safe,
    ) {
        let name = self.name(chat, sender, message);
        if let Some(name) = name
            && let Some(view) = self.message_mut(chat, name)
        {
            change(&mut view.warnings);
            self.emit_message(io, chat, name, safe);
        }
    }

    /// Where a message stands among the others of its chat: last, but in front of what its sender said
    /// later.
    pub(crate) fn place_of(
        &mut self,
        io: &mut Io,
        chat: ConversationId,
        view: &MessageView,
        safe: &Safe,
    ) -> u64 {
        /// Room between two messages that came one after the other.
        const STEP: u64 = 1_000;
        let last = self.last_place.max(view.seen_ms.saturating_mul(STEP));
        let all = self.messages.get(&chat);
        let later = all.and_then(|all| {
            let later = all.values().filter(|other| view.is_before(other));
            later.map(|other| other.place).min()
        });
        let Some(later) = later else {
            self.last_place = last.saturating_add(STEP);
            return self.last_place;
        };
        let before = all.and_then(|all| {
            let before = all.values().map(|other| other.place);
            before.filter(|place| *place < later).max()
        });
        let before = before.unwrap_or_else(|| later.saturating_sub(STEP));
        if later - before > 1 {
            return before + (later - before) / 2;
        }
        // No room is left: everything from there on moves down.
        self.last_place = self.last_place.saturating_add(STEP);
        let moved: Vec<MessageId> = self.messages.get_mut(&chat).map_or_else(Vec::new, |all| {
            let moved = all.iter_mut().filter(|(_, other)| other.place >= later);
            moved
                .map(|(id, other)| {
                    other.place += STEP;
                    *id
                })
                .collect()
        });
        for id in moved {
            self.emit_message(io, chat, id, safe);
        }
        before + STEP / 2
    }

    /// What the server did not know any more is known to be gone now.
    pub(crate) fn confirm_vanished(&mut self, io: &mut Io, safe: &Safe) {
        let doubtful = |view: &MessageView| view.state == MessageState::Vanished && view.by_server;
        let doubtful = self.all().filter(|(_, view)| doubtful(view));
        let doubtful: Vec<_> = doubtful.map(|(chat, view)| (chat, view.id)).collect();
        for (chat, id) in doubtful {
            self.set_state(io, chat, id, MessageState::Vanished, false, safe);
        }
    }
}
