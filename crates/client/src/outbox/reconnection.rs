//! What becomes of own messages when the connection, or the server, was away.

use std::collections::BTreeSet;

use protocol::envelope::Content;

use super::{BundleCache, Stage};
use crate::effects::Effect;
use crate::event::MessageState;
use crate::id::{MessageId, UserId};
use crate::io::Io;
use crate::timers::Timer;
use crate::unlocked::Unlocked;
use crate::wire::ClientFrame;

/// Most ids in one question.
const MAX_STATUS: usize = 256;

impl Unlocked {
    /// After connecting: what was on its way is sent again, what waits is asked about.
    pub(crate) fn reconnected(&mut self, io: &mut Io) {
        for id in self.outbox.at(Stage::Submitted) {
            self.submit(io, id);
        }
        let waiting = self.outbox.at(Stage::Accepted);
        for part in waiting.chunks(MAX_STATUS) {
            io.frame(&ClientFrame::Status {
                ids: part.iter().copied().collect(),
            });
        }
        for cache in self.outbox.bundles.values_mut() {
            *cache = BundleCache::default();
        }
        let wanting: BTreeSet<UserId> = self
            .outbox
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

    /// The server was restarted, as it has signed: what waited there is gone.
    pub(crate) fn server_restarted(&mut self, io: &mut Io) {
        for id in self.outbox.at(Stage::Accepted) {
            self.vanish(io, id, false);
        }
        self.conversations.confirm_vanished(io, &self.safe);
        self.unread_vanished(io);
    }

    /// A message that the server had is not there any more: in a restart that it has signed, or by its
    /// word alone.
    pub(super) fn vanish(&mut self, io: &mut Io, id: MessageId, by_server: bool) {
        let Some(item) = self.outbox.items.get_mut(&id) else {
            return;
        };
        if item.stage != Stage::Accepted {
            return;
        }
        if self.conversations.is_collected(id) {
            // It arrived before.
            self.outbox.items.remove(&id);
            return;
        }
        if item.expires_at <= io.now() {
            // It is not there because its time is over.
            self.expire(io, id);
            return;
        }
        let chat = item.chat;
        let repeated = matches!(
            item.content,
            Content::Request { .. } | Content::Accept { .. }
        );
        io.timers.cancel(Timer::Expire(id));
        io.timers.cancel(Timer::Fallback(id));
        if repeated {
            // An answer that is still owed, or a question that is still open: sent once more without
            // asking.
            item.stage = Stage::Queued;
            item.sealed = None;
            item.wanted = None;
            self.outbox.queue.push(id);
            self.conversations
                .set_state(io, chat, id, MessageState::Sending, false, &self.safe);
            return;
        }
        self.outbox.items.remove(&id);
        let unread = self
            .conversations
            .message(chat, id)
            .is_some_and(|view| matches!(view.state, MessageState::Waiting));
        let half_read = self
            .conversations
            .message(chat, id)
            .is_some_and(|view| view.state == MessageState::Delivered && view.by_server);
        if unread || half_read {
            self.conversations.set_state(
                io,
                chat,
                id,
                MessageState::Vanished,
                by_server,
                &self.safe,
            );
        }
    }
}
