//! From the screen back to the server: reveal, mark, acknowledge, burn.

use crate::command::Burn;
use crate::effects::Effect;
use crate::event::{MessageState, MessageView};
use crate::failure::Failure;
use crate::id::{ConversationId, MessageId};
use crate::io::Io;
use crate::refusal::Refusal;
use crate::secret_text::SecretText;
use crate::state::inbox::Why;
use crate::state::inbox::open::Opened;
use crate::state::inbox::shown::ON_READ_MS;
use crate::state::safes::After;
use crate::timers::Timer;
use crate::unlocked::Unlocked;
use api::Own;
use protocol::envelope::{Content, ReceiptState};
use protocol::epoch::{EpochPath, ReplayError};

impl Unlocked {
    /// `reveal`: wins the message first, then shows it.
    pub(crate) fn reveal(&mut self, io: &mut Io, chat: ConversationId, name: MessageId) {
        let sealed = self
            .chats
            .message(chat, name)
            .is_some_and(|view| view.sealed);
        let Some(id) = self.unacknowledged(name).filter(|_| sealed) else {
            let code = Own::MessageGone;
            io.failed_at("reveal", Failure::new(code), Some(chat), Some(name));
            return;
        };
        if self.inbox.is_parked(id) {
            // It is on its way.
            return;
        }
        if !io.online {
            io.failed_at("reveal", Failure::new(Own::Offline), Some(chat), Some(name));
            return;
        }
        self.inbox.claim_soon(io, id, Why::Reveal);
    }

    /// The lease was extended.
    pub(crate) fn extended(&mut self, io: &mut Io, id: MessageId, lease_ms: u64) {
        if self.inbox.extended(io, id, lease_ms) {
            self.open_current(io);
        }
    }

    /// A message that burns was won and opened.
    pub(super) fn reveal_opened(&mut self, io: &mut Io, chat: ConversationId, opened: Opened) {
        let sender = opened.epoch.sender.user_id;
        let Some(name) = self.chats.name(chat, sender, opened.id) else {
            return;
        };
        let over = self
            .chats
            .message(chat, name)
            .and_then(|view| view.expires_at)
            .is_some_and(|end| end < io.now());
        if over {
            self.expire(io, name);
            return;
        }
        if let Content::Text { text, .. } = opened.content
            && let Some(view) = self.chats.message_mut(chat, name)
        {
            view.text = Some(SecretText::from(text.as_str()));
            view.sealed = false;
        }
        self.chats.emit_message(io, chat, name, &self.safe);
    }

    /// `shown`.
    pub(crate) fn shown(&mut self, io: &mut Io, chat: ConversationId, ids: &[MessageId]) {
        let mut burning = false;
        for id in ids {
            let Some(view) = self.chats.message(chat, *id) else {
                continue;
            };
            if view.mine || view.sealed || view.state != MessageState::Unread {
                continue;
            }
            let burn = view.burn;
            io.timers.cancel(Timer::Expire(*id));
            let burns_ms = match burn {
                Burn::Never => None,
                Burn::OnRead => Some(io.now_ms + ON_READ_MS),
                Burn::After(secs) => Some(io.now_ms + u64::from(secs) * 1_000),
            };
            if let Some(at) = burns_ms {
                io.timers.set(Timer::Burn(*id), at);
            }
            if let Some(view) = self.chats.message_mut(chat, *id) {
                view.burns_ms = burns_ms;
                view.expires_at = None;
            }
            burning |= burn != Burn::Never;
            self.receipts
                .owe_of(io, chat, *id, ReceiptState::Read, (&self.chats, &self.safe));
            self.finish_named(io, *id);
            self.chats
                .set_state(io, chat, *id, MessageState::Read, false, &self.safe);
        }
        self.receipts
            .of_reading(io, burning, &mut self.outbox, &self.safe);
    }

    /// `hide`: what burns on reading burns now.
    pub(crate) fn hide(&mut self, io: &mut Io, chat: ConversationId, ids: &[MessageId]) {
        for id in ids {
            let burning = self
                .chats
                .message(chat, *id)
                .is_some_and(|view| view.burn == Burn::OnRead && view.burns_ms.is_some());
            if burning {
                self.burn_now(io, *id);
            }
        }
    }

    /// A text burns, ours or theirs.
    pub(crate) fn burn_now(&mut self, io: &mut Io, id: MessageId) {
        io.timers.cancel(Timer::Burn(id));
        let Some(chat) = self.chats.chat_of(id) else {
            return;
        };
        self.drop_outgoing(id);
        let read_once = |view: &MessageView| {
            !view.mine && view.burn == Burn::OnRead && view.state == MessageState::Read
        };
        if self.chats.message(chat, id).is_some_and(read_once) {
            self.receipts.owe_of(
                io,
                chat,
                id,
                ReceiptState::Burned,
                (&self.chats, &self.safe),
            );
        }
        if let Some(view) = self.chats.message_mut(chat, id) {
            view.text = None;
            view.sealed = false;
            view.burns_ms = None;
            self.chats
                .set_state(io, chat, id, MessageState::Burned, false, &self.safe);
        }
    }

    /// Finishes a message by the name that tabs know, if it is to be acknowledged.
    pub(crate) fn finish_named(&mut self, io: &mut Io, name: MessageId) {
        if let Some(id) = self.unacknowledged(name) {
            self.finish_incoming(io, id);
        }
    }

    /// Stores the mark of a message that was shown or does not have to be, then acknowledges it.
    pub(crate) fn finish_incoming(&mut self, io: &mut Io, id: MessageId) {
        let Some((chat, epoch, counter, followers)) = self.inbox.begin_marking(id) else {
            return;
        };
        let now = io.stamp();
        let live = epoch.key.path == EpochPath::Live;
        let leaves_mark = self.chats.leaves_mark(chat, id, &epoch, &self.safe);
        let marked = match (leaves_mark, live) {
            (true, true) => self.presence.mark_shown(epoch, counter),
            (true, false) => self.safe.mark_shown(&epoch, counter, now),
            (false, _) => {
                self.safe.note_opened(&epoch, now);
                Ok(())
            }
        };
        // It was no replay when it was opened here: another session of ours has shown it since.
        if marked.is_err_and(|error| error != ReplayError::Replayed) {
            io.refused(Refusal::Replayed, Some(chat), Some(id));
        }
        if live || !leaves_mark {
            self.marked(io, id);
        } else {
            self.safe.when_stored(After::Acknowledge(id));
        }
        for follower in followers {
            self.finish_incoming(io, follower);
        }
    }

    /// The mark of a message is stored: it can be acknowledged.
    pub(crate) fn marked(&mut self, io: &mut Io, id: MessageId) {
        if self.inbox.marked(id) {
            self.receipts
                .acknowledge(io, id, &mut self.inbox, &self.outbox);
        }
    }

    /// The server did not take an acknowledgement.
    pub(crate) fn ack_refused(&mut self, io: &mut Io, id: MessageId, failure: &Failure) {
        if self.inbox.ack_refused(io, id, failure) {
            self.receipts
                .acknowledge(io, id, &mut self.inbox, &self.outbox);
        }
    }

    /// The time of a message is over.
    pub(crate) fn expire(&mut self, io: &mut Io, id: MessageId) {
        let Some(chat) = self.chats.chat_of(id) else {
            // Nothing of it is on the screen.
            self.outbox.forget(id);
            return;
        };
        // Whoever has not answered has not read it, as far as anybody is told.
        let collected = self.chats.is_collected(id) && !self.safe.unanswered(chat);
        let Some(view) = self.chats.message_mut(chat, id) else {
            return;
        };
        let mine = view.mine;
        let over = match view.state {
            MessageState::Unread => true,
            MessageState::Waiting | MessageState::Delivered => mine && !collected,
            _ => false,
        };
        if collected && view.state == MessageState::Delivered && view.burn != Burn::Never {
            // Nobody said that it was read: what burns goes here with its life at the latest.
            let by_server = view.by_server;
            view.text = None;
            self.chats
                .set_state(io, chat, id, MessageState::Delivered, by_server, &self.safe);
        }
        self.drop_outgoing(id);
        if !over {
            return;
        }
        let unacknowledged = self.unacknowledged(id);
        let Some(view) = self.chats.message_mut(chat, id) else {
            return;
        };
        if !view.mine {
            view.text = None;
            view.sealed = false;
            if let Some(id) = unacknowledged {
                self.inbox.finish(id);
            }
            // It may have been the first line of a request.
            io.ask(Effect::TellRequests);
        }
        self.chats
            .set_state(io, chat, id, MessageState::Expired, false, &self.safe);
    }
}
