//! Messages held back because the recipient's keys are not the pinned ones any more.
//!
//! Specification: `docs/protocol/messages.md#more-slots-for-a-message`.

use protocol::envelope::Content;

use super::Stage;
use crate::effects::Effect;
use crate::event::MessageState;
use crate::id::{ConversationId, MessageId};
use crate::io::Io;
use crate::timers::Timer;
use crate::unlocked::Unlocked;

impl Unlocked {
    /// Holds a message back until the person accepts changed keys.
    ///
    /// One that the server has already was sealed to keys that its recipient does not have any more.
    pub(crate) fn hold(&mut self, io: &mut Io, id: MessageId) {
        for timer in [Timer::Resend(id), Timer::Fallback(id), Timer::Expire(id)] {
            io.timers.cancel(timer);
        }
        let Some(item) = self.outbox.items.get_mut(&id) else {
            return;
        };
        if !item.lasting() {
            self.outbox.items.remove(&id);
            return;
        }
        item.stage = Stage::Held;
        item.wanted = None;
        let chat = item.chat;
        self.conversations
            .set_state(io, chat, id, MessageState::Held, false, &self.safe);
    }

    /// What was held although the server had it reached somebody after all: it is not sent again.
    pub(crate) fn arrived_while_held(&mut self, io: &mut Io, chat: ConversationId, id: MessageId) {
        let Some(item) = self.outbox.items.get_mut(&id) else {
            return;
        };
        if item.stage == Stage::Held && item.sealed.is_some() {
            item.stage = Stage::Accepted;
            let expires_at = item.expires_at;
            if let Some(view) = self.conversations.message_mut(chat, id) {
                view.state = MessageState::Waiting;
            }
            self.watch(io, id, expires_at);
        }
    }

    /// Changed keys were accepted: what was held goes out, in the order in which it was written.
    pub(crate) fn release_held(&mut self, io: &mut Io, chat: ConversationId) {
        let mut held: Vec<(u64, MessageId)> = self
            .outbox
            .items
            .iter()
            .filter(|(_, item)| item.chat == chat && item.stage == Stage::Held)
            .map(|(id, item)| (item.written, *id))
            .collect();
        held.sort_unstable();
        self.take_back_numbers(chat, &held);
        for (_, id) in held {
            self.release(io, chat, id);
        }
        io.ask(Effect::Send);
    }

    /// What nobody could open has no place in the count, or its reader would miss it. Copies in other
    /// sessions of ours have been counted.
    fn take_back_numbers(&mut self, chat: ConversationId, held: &[(u64, MessageId)]) {
        let (own, session) = (self.user, self.live);
        let items = &self.outbox.items;
        let mut last: Vec<_> = held
            .iter()
            .filter_map(|(_, id)| items.get(id)?.sealed.as_ref())
            .filter(|sealed| sealed.stamp.session == session)
            .filter(|sealed| sealed.targets.iter().all(|to| *to.account() != own))
            .map(|sealed| (sealed.stamp.sequence, sealed.before))
            .collect();
        last.sort_unstable_by_key(|(sequence, _)| std::cmp::Reverse(*sequence));
        self.outbox.said.insert(chat);
        let counter = self.counter_of(chat);
        for (sequence, before) in last {
            if counter.stamp().0 == sequence + 1 {
                *counter = before;
            }
        }
    }

    /// Lets one go: as it is, or as a new message with a key of its own where it was sealed before.
    fn release(&mut self, io: &mut Io, chat: ConversationId, id: MessageId) {
        let Some(item) = self.outbox.items.get_mut(&id) else {
            return;
        };
        if item.sealed.is_none() {
            item.stage = Stage::Queued;
            self.outbox.queue.push(id);
            self.conversations
                .set_state(io, chat, id, MessageState::Sending, false, &self.safe);
            return;
        }
        let Some(item) = self.outbox.items.remove(&id) else {
            return;
        };
        let Some(mut view) = self.conversations.message(chat, id).cloned() else {
            self.enqueue(io, chat, item.content, item.burn, item.life_secs);
            return;
        };
        self.forget_message(io, chat, id);
        if let Some(text) = &view.text {
            // As it was changed since, and at its place among the others.
            let content = Content::text(text.expose());
            view.id = self.enqueue(io, chat, content, item.burn, item.life_secs);
            view.state = MessageState::Sending;
            view.edited = false;
            self.conversations.put_message(io, chat, view, &self.safe);
        }
    }
}
