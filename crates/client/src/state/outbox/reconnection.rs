//! What becomes of own messages when the connection, or the server, was away.

use std::collections::BTreeSet;

use protocol::envelope::Content;

use super::{BundleCache, Stage};
use crate::effects::Effect;
use crate::event::MessageState;
use crate::id::{ConversationId, MessageId, UserId};
use crate::io::Io;
use crate::state::outbox::Outbox;
use crate::timers::Timer;
use crate::unlocked::Unlocked;
use crate::wire::ClientFrame;

/// Most ids in one question.
const MAX_STATUS: usize = 256;

/// What has become of a message that the server does not have any more.
pub(crate) enum Vanished {
    /// Nothing that anybody has to be told.
    Nothing,
    /// Its time was over.
    Expired,
    /// It is sent again.
    Again(ConversationId),
    Gone(ConversationId),
}

impl Outbox {
    /// After connecting: what was on its way is sent again, what waits is asked about.
    pub(crate) fn reconnected(&mut self, io: &mut Io) {
        for id in self.at(Stage::Submitted) {
            self.submit(io, id);
        }
        let waiting = self.at(Stage::Accepted);
        for part in waiting.chunks(MAX_STATUS) {
            io.frame(&ClientFrame::Status {
                ids: part.iter().copied().collect(),
            });
        }
        for cache in self.bundles.values_mut() {
            *cache = BundleCache::default();
        }
        let wanting: BTreeSet<UserId> = self
            .items
            .values()
            .filter(|item| item.wanted.is_some())
            .map(|item| item.chat.peer())
            .collect();
        for user in wanting {
            self.ask_wanted_bundles(io, user);
        }
        io.ask(Effect::Send);
    }

    /// What the server has of it by its word.
    pub(crate) fn with_server(&self) -> Vec<MessageId> {
        self.at(Stage::Accepted)
    }

    /// A message that the server had is not there any more.
    pub(crate) fn vanished(&mut self, io: &mut Io, id: MessageId, collected: bool) -> Vanished {
        let item = self.items.get_mut(&id);
        let Some(item) = item.filter(|item| item.stage == Stage::Accepted) else {
            return Vanished::Nothing;
        };
        if collected {
            // It arrived before.
            self.items.remove(&id);
            return Vanished::Nothing;
        }
        if item.expires_at <= io.now() {
            // It is not there because its time is over.
            return Vanished::Expired;
        }
        let chat = item.chat;
        io.timers.cancel(Timer::Expire(id));
        io.timers.cancel(Timer::Fallback(id));
        if matches!(
            item.content,
            Content::Request { .. } | Content::Accept { .. }
        ) {
            // An answer that is still owed, or a question that is still open: sent once more without
            // asking.
            item.stage = Stage::Queued;
            item.sealed = None;
            item.wanted = None;
            self.queue.push(id);
            return Vanished::Again(chat);
        }
        self.items.remove(&id);
        Vanished::Gone(chat)
    }
}

impl Unlocked {
    /// The server was restarted, as it has signed: what waited there is gone.
    pub(crate) fn server_restarted(&mut self, io: &mut Io) {
        for id in self.outbox.with_server() {
            self.vanish(io, id, false);
        }
        self.chats.confirm_vanished(io, &self.safe);
        self.unread_vanished(io);
    }

    /// A message that the server had is not there any more: in a restart that it has signed, or by its
    /// word alone.
    pub(crate) fn vanish(&mut self, io: &mut Io, id: MessageId, by_server: bool) {
        let collected = self.chats.is_collected(id);
        match self.outbox.vanished(io, id, collected) {
            Vanished::Nothing => {}
            Vanished::Expired => self.expire(io, id),
            Vanished::Again(chat) => self.set_state(io, chat, id, MessageState::Sending, false),
            Vanished::Gone(chat) => {
                let state = self
                    .chats
                    .message(chat, id)
                    .map(|it| (it.state, it.by_server));
                let unread = matches!(state, Some((MessageState::Waiting, _)));
                if unread || state == Some((MessageState::Delivered, true)) {
                    self.set_state(io, chat, id, MessageState::Vanished, by_server);
                }
            }
        }
    }
}
