//! Whether the server took what was given to it.
//!
//! Specification: `docs/protocol/messages.md#submissions`.

use super::Stage;
use super::seal::ANSWER_MS;
use crate::effects::Effect;
use crate::failure::Failure;
use crate::id::{ConversationId, MessageId, TargetId, UserId};
use crate::io::Io;
use crate::state::outbox::{Outbox, Outgoing};
use crate::timers::Timer;
use crate::wire::ClientFrame;
use api::frames::Asked;
use protocol::envelope::Target;

/// Submissions without an answer before a message counts as failed.
const MAX_TRIES: u32 = 3;

impl Outbox {
    /// Drops a message that was taken back while it was on its way, so that its deletion follows; false for any
    /// other message.
    pub(crate) fn let_go(&mut self, io: &mut Io, id: MessageId) -> bool {
        let taken_back = self.is_taken_back(id);
        if taken_back {
            io.timers.cancel(Timer::Resend(id));
            self.items.remove(&id);
            io.ask(Effect::Send);
        }
        taken_back
    }

    pub(crate) fn is_taken_back(&self, id: MessageId) -> bool {
        let item = self.items.get(&id);
        item.is_some_and(|item| item.stage == Stage::TakenBack)
    }

    /// The server asked to wait: the message goes back into the queue, before those that were written after it.
    pub(crate) fn send_later(&mut self, io: &mut Io, id: MessageId, failure: &Failure) {
        io.timers.cancel(Timer::Resend(id));
        let Some(item) = self.items.get_mut(&id) else {
            return;
        };
        if item.stage != Stage::Submitted {
            return;
        }
        if item.fleeting() {
            self.items.remove(&id);
            return;
        }
        item.stage = Stage::Queued;
        self.queue_again(id, self.live);
        let until_ms = io.now_ms + failure.wait_ms();
        self.rest_until_ms = self.rest_until_ms.max(until_ms);
        io.timers.set(Timer::Bundles(self.user), self.rest_until_ms);
    }

    /// The server refused the content of a submission and does not name it. Gives the message where only one
    /// body is on its way over HTTP; otherwise none that can be meant is given again.
    pub(crate) fn refused_unnamed(&mut self, re: Asked, failure: &Failure) -> Option<MessageId> {
        let (asked, of_http) = (&self.tickets, re == Asked::Send);
        let given = self.items.iter_mut().filter(|(id, item)| {
            matches!(item.stage, Stage::Submitted | Stage::TakenBack)
                && (item.is_long() || !of_http)
                && asked.iter().all(|(waits, _)| waits != *id)
        });
        let mut meant = Vec::new();
        for (id, item) in given {
            item.refused = Some(failure.clone());
            meant.push(*id);
        }
        match meant.as_slice() {
            [only] if of_http => Some(*only),
            _ => None,
        }
    }

    /// Takes the refusal that can be of a message which got no answer.
    pub(crate) fn take_refusal(&mut self, id: MessageId) -> Option<Failure> {
        self.items.get_mut(&id)?.refused.take()
    }

    /// More slots were not taken: the message may be gone.
    pub(crate) fn slots_refused(&mut self, io: &mut Io, id: MessageId) {
        io.frame(&ClientFrame::Status { ids: vec![id] });
    }

    /// Bundles are to be asked for again, or the time is over that the server asked to wait.
    pub(crate) fn bundles_due(&mut self, io: &mut Io, user: UserId) {
        self.ask_wanted_bundles(io, user);
        io.ask(Effect::Send);
    }

    /// Takes a message back; one that is on its way over HTTP stays until that was answered.
    pub(crate) fn take_back(&mut self, id: MessageId) {
        if let Some(item) = self.items.get_mut(&id)
            && item.is_on_http()
        {
            item.stage = Stage::TakenBack;
            item.wanted = None;
        }
    }

    /// The server has it: gives the chat and the life of what it keeps.
    pub(crate) fn accepted(
        &mut self,
        io: &mut Io,
        id: MessageId,
        expires_at: u64,
    ) -> Option<(ConversationId, u32)> {
        if self.let_go(io, id) {
            return None;
        }
        io.timers.cancel(Timer::Resend(id));
        let item = self.items.get_mut(&id);
        let item = item.filter(|item| item.stage == Stage::Submitted)?;
        item.stage = Stage::Accepted;
        item.expires_at = expires_at;
        item.tries = 0;
        if item.fleeting() {
            self.items.remove(&id);
            return None;
        }
        let accepted = (item.chat, item.life_secs);
        self.watch(io, id, expires_at);
        // What changes it may follow.
        io.ask(Effect::Send);
        Some(accepted)
    }

    /// No answer came: tries again, and asks whether anybody answers at all; false once that was tried too often.
    pub(crate) fn resend(&mut self, io: &mut Io, id: MessageId) -> bool {
        let item = self.items.get_mut(&id);
        let given =
            |item: &&mut Outgoing| matches!(item.stage, Stage::Submitted | Stage::TakenBack);
        let Some(item) = item.filter(given) else {
            io.ask(Effect::Send);
            return true;
        };
        item.tries += 1;
        if item.tries > MAX_TRIES {
            return self.let_go(io, id);
        }
        if item.stage == Stage::TakenBack {
            io.timers.set(Timer::Resend(id), io.now_ms + ANSWER_MS);
        } else if io.online {
            if !item.is_on_http() {
                // Perhaps nobody is at the other end of the socket any more.
                io.timers.set_earlier(Timer::Ping, io.now_ms);
            }
            self.submit(io, id);
        }
        true
    }

    /// Ends what cannot be sent.
    pub(crate) fn give_up(&mut self, io: &mut Io, id: MessageId) -> Option<Outgoing> {
        for timer in [Timer::Resend(id), Timer::Fallback(id), Timer::Expire(id)] {
            io.timers.cancel(timer);
        }
        self.items.remove(&id)
    }
}

impl Outbox {
    /// Finds the slot of a message by its live session or account. A live slot is also found by its account.
    pub(crate) fn find_target(&self, id: MessageId, named: TargetId) -> Option<Target> {
        let sealed = self.items.get(&id)?.sealed.as_ref()?;
        // Those of accounts are the last in their order.
        let mut targets = sealed.targets.iter().rev();
        let found = targets.find(|target| {
            let live = target.live_id().map(|live| TargetId::from(*live));
            live == Some(named) || TargetId::from(*target.account()) == named
        });
        found.copied()
    }
}
