//! What becomes of own messages: by sealed receipts, and by the server's word.
//!
//! Specification: `docs/protocol/messages.md#receipts`.

use crate::command::Burn;
use crate::event::{MessageState, MessageView};
use crate::id::{ConversationId, MessageId, TargetId};
use crate::io::Io;
use crate::state::conversations::UNTOLD_MS;
use crate::state::inbox::ON_READ_MS;
use crate::state::outbox::Outgoing;
use crate::timers::Timer;
use crate::unlocked::Unlocked;
use crate::wire::{ClientFrame, StatusEntry};
use api::frames::{Change, MessageState as ServerState};
use protocol::envelope::ReceiptState;

impl Unlocked {
    /// A sealed receipt of the recipient.
    pub(crate) fn receipt_heard(
        &mut self,
        io: &mut Io,
        chat: ConversationId,
        id: MessageId,
        state: ReceiptState,
    ) {
        self.arrived_while_held(io, chat, id);
        if let Some(sent) = self.outgoing(id) {
            self.outbox.receipted(sent);
        }
        match state {
            ReceiptState::Delivered => {
                self.chats
                    .progress(io, chat, id, MessageState::Delivered, false, &self.safe)
            }
            ReceiptState::Read => self.was_read(io, chat, id),
            ReceiptState::Burned => self.was_burned(io, chat, id),
        }
    }

    /// The recipient says that it was read.
    pub(crate) fn was_read(&mut self, io: &mut Io, chat: ConversationId, id: MessageId) {
        io.timers.cancel(Timer::Fallback(id));
        io.timers.cancel(Timer::Expire(id));
        self.drop_outgoing(id);
        match self.chats.message(chat, id).map(|view| view.burn) {
            None => {}
            Some(Burn::Never) => {
                self.chats
                    .progress(io, chat, id, MessageState::Read, false, &self.safe)
            }
            Some(Burn::OnRead) => self.burned_before(io, chat, id),
            Some(Burn::After(secs)) => {
                self.chats
                    .progress(io, chat, id, MessageState::Read, false, &self.safe);
                if !io.timers.is_set(Timer::Burn(id)) {
                    let at = io.now_ms + u64::from(secs) * 1_000;
                    io.timers.set(Timer::Burn(id), at);
                    if let Some(view) = self.chats.message_mut(chat, id) {
                        view.burns_ms = Some(at);
                    }
                    self.chats.emit_message(io, chat, id, &self.safe);
                }
            }
        }
    }

    /// The recipient says that it is gone there too.
    pub(crate) fn was_burned(&mut self, io: &mut Io, chat: ConversationId, id: MessageId) {
        self.was_read(io, chat, id);
        let on_read = |view: &MessageView| view.mine && view.burn == Burn::OnRead;
        if self.chats.message(chat, id).is_some_and(on_read) {
            self.burn_now(io, id);
        }
    }

    /// What burns on reading burns here first; its reader has it for a while yet.
    pub(crate) fn burned_before(&mut self, io: &mut Io, chat: ConversationId, id: MessageId) {
        let burned = |view: &MessageView| view.state == MessageState::Burned;
        if self.chats.message(chat, id).is_none_or(burned) {
            return;
        }
        self.burn_now(io, id);
        let at = io.now_ms + ON_READ_MS;
        io.timers.set(Timer::Burn(id), at);
        if let Some(view) = self.chats.message_mut(chat, id) {
            view.burns_ms = Some(at);
        }
        self.chats.emit_message(io, chat, id, &self.safe);
    }

    /// The server says that a recipient took it for good: it arrived, and waits there no more.
    ///
    /// Whether it was read only the recipient says, and only where receipts are on.
    pub(crate) fn was_collected(&mut self, io: &mut Io, chat: ConversationId, id: MessageId) {
        io.timers.cancel(Timer::Fallback(id));
        if self.chats.message(chat, id).is_none() {
            self.outbox.forget(id);
            return;
        }
        if self.chats.collect(id) {
            io.timers.set(Timer::Untold(id), io.now_ms + UNTOLD_MS);
        }
        self.chats
            .progress(io, chat, id, MessageState::Delivered, true, &self.safe);
    }

    /// Somebody who was asked may have answered: what the server had said of them is shown then.
    pub(crate) fn told_after_answer(&mut self, io: &mut Io) {
        for id in self.chats.collected() {
            if let Some(chat) = self.chats.chat_of(id) {
                self.chats
                    .progress(io, chat, id, MessageState::Delivered, true, &self.safe);
                if !io.timers.is_set(Timer::Untold(id)) {
                    self.chats.untold(io, id, &self.safe);
                }
            }
        }
    }

    /// The server's word on one of our messages.
    pub(crate) fn status_heard(
        &mut self,
        io: &mut Io,
        id: MessageId,
        state: Change,
        name: Option<TargetId>,
        live: bool,
    ) {
        let in_outbox = self.outbox.item(id).map(|item| (item.chat(), id));
        let Some((chat, ours)) = in_outbox.or_else(|| self.chats.own_message(id)) else {
            return;
        };
        let target = name.and_then(|name| self.outbox.find_target(id, name));
        let own = match target {
            Some(target) => *target.account() == self.user,
            None => name.is_some_and(|name| {
                name == (*self.presence.live()).into() || name == self.user.into()
            }),
        };
        if own {
            return;
        }
        if target.is_none() && live && self.outbox.item(id).is_none() {
            // Said by another session of ours, which alone knows whose session this is: ours, perhaps.
            let open = self
                .chats
                .message(chat, ours)
                .is_some_and(|view| view.mine && view.state == MessageState::Waiting);
            if open && state == Change::Acknowledged {
                io.frame(&ClientFrame::Status { ids: vec![id] });
            }
            return;
        }
        if state == Change::Acknowledged {
            self.arrived_while_held(io, chat, id);
        }
        if self.outbox.item(id).is_some_and(Outgoing::is_held) {
            return;
        }
        match state {
            Change::Claimed => {
                self.chats
                    .progress(io, chat, ours, MessageState::Delivered, true, &self.safe)
            }
            Change::Acknowledged => {
                if let Some(target) = target {
                    self.outbox.acknowledged(&target);
                }
                self.was_collected(io, chat, ours);
            }
            Change::Returned if self.chats.is_collected(ours) => {}
            Change::Returned => self.chats.returned(io, chat, ours, &self.safe),
            Change::Left => self.outbox.target_left(io, id, &self.chats),
            Change::CannotOpen => match target {
                Some(target) => self.outbox.cannot_open_heard(io, id, target, &self.chats),
                // No slot of it was made: whoever came since may have a live one.
                None => self.outbox.target_left(io, id, &self.chats),
            },
            Change::Expired => self.expire(io, ours),
        }
    }

    /// Answers to [`ClientFrame::Status`].
    pub(crate) fn statuses_came(&mut self, io: &mut Io, states: Vec<StatusEntry>) {
        for entry in states {
            let id = entry.id;
            let change = match entry.state {
                ServerState::Unknown => {
                    self.vanish(io, id, true);
                    continue;
                }
                ServerState::Waiting => Change::Returned,
                ServerState::Claimed => Change::Claimed,
                ServerState::Acknowledged => Change::Acknowledged,
                ServerState::Expired => Change::Expired,
            };
            self.status_heard(io, id, change, None, false);
        }
    }
}
