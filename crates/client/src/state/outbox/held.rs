//! Messages held back because the recipient's keys are not the pinned ones any more.
//!
//! Specification: `docs/protocol/messages.md#more-slots-for-a-message`.

use protocol::envelope::Content;

use super::Stage;
use crate::id::{ConversationId, MessageId};
use crate::io::Io;
use crate::state::outbox::Outbox;
use crate::state::outbox::Outgoing;
use crate::state::safes::Safe;
use crate::timers::Timer;

impl Outbox {
    /// What nobody could open has no place in the count, or its reader would miss it. Copies in other
    /// sessions of ours have been counted.
    fn take_back_numbers(&mut self, chat: ConversationId, held: &[(u64, MessageId)], safe: &Safe) {
        let (own, session) = (self.user, self.live);
        let items = &self.items;
        let mut last: Vec<_> = held
            .iter()
            .filter_map(|(_, id)| items.get(id)?.sealed.as_ref())
            .filter(|sealed| sealed.stamp.session == session)
            .filter(|sealed| sealed.targets.iter().all(|to| *to.account() != own))
            .map(|sealed| (sealed.stamp.sequence, sealed.before))
            .collect();
        last.sort_unstable_by_key(|(sequence, _)| std::cmp::Reverse(*sequence));
        self.said.insert(chat);
        let counter = self.counter_of(chat, safe);
        for (sequence, before) in last {
            if counter.stamp().0 == sequence + 1 {
                *counter = before;
            }
        }
    }

    /// Holds a message back, and gives its chat; what is not worth it ends.
    ///
    /// One that the server has already was sealed to keys that its recipient does not have any more.
    pub(crate) fn hold(&mut self, io: &mut Io, id: MessageId) -> Option<ConversationId> {
        for timer in [Timer::Resend(id), Timer::Fallback(id), Timer::Expire(id)] {
            io.timers.cancel(timer);
        }
        let item = self.items.get_mut(&id)?;
        if !item.lasting() {
            self.items.remove(&id);
            return None;
        }
        item.stage = Stage::Held;
        item.wanted = None;
        Some(item.chat)
    }

    /// Whether a message was held although the server had it: it reached somebody after all.
    pub(crate) fn arrived_while_held(&mut self, io: &mut Io, id: MessageId) -> bool {
        let item = self.items.get_mut(&id);
        let held = item.filter(|item| item.stage == Stage::Held && item.sealed.is_some());
        let Some(item) = held else {
            return false;
        };
        item.stage = Stage::Accepted;
        let expires_at = item.expires_at;
        self.watch(io, id, expires_at);
        true
    }

    /// What is held in a chat, in the order in which it was written; its numbers are free again.
    pub(crate) fn held(&mut self, chat: ConversationId, safe: &Safe) -> Vec<MessageId> {
        let items = self.items.iter();
        let mut held: Vec<(u64, MessageId)> = items
            .filter(|(_, item)| item.chat == chat && item.stage == Stage::Held)
            .map(|(id, item)| (item.written, *id))
            .collect();
        held.sort_unstable();
        self.take_back_numbers(chat, &held, safe);
        held.into_iter().map(|(_, id)| id).collect()
    }

    /// Lets what was held wait to be sent; gives it instead where it was sealed before.
    pub(crate) fn release(&mut self, id: MessageId) -> Option<Outgoing> {
        let item = self.items.get_mut(&id)?;
        if item.sealed.is_some() {
            return self.items.remove(&id);
        }
        item.stage = Stage::Queued;
        self.queue.push(id);
        None
    }

    /// Puts something into the outbox as a new message, perhaps with other content.
    pub(crate) fn enqueue_again(
        &mut self,
        io: &mut Io,
        item: Outgoing,
        content: Option<Content>,
    ) -> MessageId {
        let content = content.unwrap_or(item.content);
        self.enqueue(io, item.chat, content, item.burn, item.life_secs)
    }
}
