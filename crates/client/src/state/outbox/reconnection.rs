//! Own messages after a lost connection or a restart of the server.

use std::collections::BTreeSet;

use protocol::envelope::Content;

use super::{BundleCache, Stage};
use crate::effects::Effect;
use crate::id::{ConversationId, MessageId, UserId};
use crate::io::Io;
use crate::state::outbox::Outbox;
use crate::timers::Timer;
use crate::wire::ClientFrame;

/// Most ids in one `status` frame.
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
        for slots in std::mem::take(&mut self.late_slots) {
            io.payload(&slots);
        }
        let waiting = self.at(Stage::Accepted);
        for part in waiting.chunks(MAX_STATUS) {
            io.frame(&ClientFrame::Status { ids: part.to_vec() });
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

    /// The messages that the server said it has.
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
