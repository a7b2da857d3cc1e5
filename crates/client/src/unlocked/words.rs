//! Texts and requests that arrived: shown, or put before the person.

use protocol::envelope::{Content, ReceiptState, SecretText as Sealed};
use protocol::safe::ContactState;

use crate::command::Burn;
use crate::event::{Event, MessageState, MessageView, Spoken};
use crate::id::{ConversationId, MessageId};
use crate::io::Io;
use crate::refusal::Refusal;
use crate::secret_text::SecretText;
use crate::state::contacts::clip;
use crate::state::conversations::Origin;
use crate::state::safes::Asked;
use crate::timers::Timer;
use crate::unlocked::Unlocked;

/// What a text that arrived is shown with.
pub(crate) struct Arrived {
    pub(super) origin: Origin,
    pub(super) mine: bool,
    pub(super) live: bool,
    /// Unix seconds, by its sender's clock.
    pub(super) sent_at: u64,
    /// Unix seconds at which it expires unread.
    pub(super) end: u64,
    pub(super) burn: Burn,
    pub(super) warnings: Vec<String>,
    /// The sealed parcel, kept for the reveal of what burns.
    pub(super) parcel: Vec<u8>,
    /// What its place among the others follows from.
    pub(super) spoken: Spoken,
}

impl Arrived {
    pub(crate) fn view(&self, name: MessageId, text: &str, seen_ms: u64) -> MessageView {
        let burns = self.burn != Burn::Never && !self.mine;
        let state = match self.mine {
            true => MessageState::Waiting,
            false => MessageState::Unread,
        };
        MessageView {
            text: (!burns).then(|| SecretText::from(text)),
            sealed: burns,
            sent_ms: self.sent_at.saturating_mul(1_000),
            seen_ms,
            path: if self.live { "live" } else { "waiting" }.to_owned(),
            expires_at: Some(self.end),
            burn: self.burn,
            warnings: self.warnings.clone(),
            spoken: Some(self.spoken),
            ..MessageView::bare(name, self.mine, state)
        }
    }
}

impl Unlocked {
    /// A message came after its life was over. It does nothing; of a text it is shown that it expired.
    pub(super) fn came_late(&mut self, io: &mut Io, arrived: &Arrived, content: &Content) {
        let Origin { chat, id, .. } = arrived.origin;
        if matches!(content, Content::Text { .. })
            && self.safe.contact(chat).is_some()
            && !self.chats.known(&arrived.origin)
        {
            let name = self.new_name(io, &arrived.origin);
            let seen_ms = self.chats.next_seen_ms(io.shown_ms());
            let mut view = arrived.view(name, "", seen_ms);
            view.text = None;
            view.sealed = false;
            view.state = MessageState::Expired;
            self.chats.put_from(io, arrived.origin, view, &self.safe);
        }
        self.inbox.finish(id);
    }

    pub(super) fn text_came(&mut self, io: &mut Io, arrived: Arrived, text: &str) {
        let Origin {
            chat, id, trusted, ..
        } = arrived.origin;
        self.found_again(io, &arrived.origin);
        if self.chats.known(&arrived.origin) {
            // The same sender said something under this id before.
            io.refused(Refusal::Replayed, Some(chat), Some(id));
            self.finish_incoming(io, id);
            return;
        }
        let (mine, stranger) = (arrived.mine, self.safe.contact(chat).is_none());
        if stranger && !mine && !self.stranger_wrote(io, chat, (id, arrived.sent_at), None) {
            return;
        }
        let name = self.take_words(io, arrived, text);
        if mine {
            self.chats.emit_message(io, chat, name, &self.safe);
            // A copy of what another session of ours said: nothing has to be seen first.
            self.finish_incoming(io, id);
        } else if !stranger {
            self.chats.emit_message(io, chat, name, &self.safe);
            io.event(Event::Typing {
                chat,
                until_ms: io.now_ms,
            });
            if trusted {
                self.receipts
                    .owe_receipt(io, chat, id, ReceiptState::Delivered, &self.safe);
            }
        }
    }

    /// Puts words in memory and gives their name.
    pub(crate) fn take_words(
        &mut self,
        io: &mut Io,
        mut arrived: Arrived,
        text: &str,
    ) -> MessageId {
        let Origin { id, .. } = arrived.origin;
        let name = self.new_name(io, &arrived.origin);
        let view = arrived.view(name, text, self.chats.next_seen_ms(io.shown_ms()));
        if view.sealed {
            self.inbox
                .keep_parcel(id, std::mem::take(&mut arrived.parcel));
        }
        if let Some(end) = view.expires_at {
            // The end of a message that nobody reads.
            io.timers
                .set(Timer::Expire(name), io.local_ms(end.saturating_add(1)));
        }
        self.chats.put_quietly(io, arrived.origin, view, &self.safe);
        name
    }

    /// A request came; `alias` is the name that its sender gives, where it may say one.
    pub(super) fn request_came(
        &mut self,
        io: &mut Io,
        arrived: Arrived,
        alias: Option<&str>,
        greeting: &Sealed,
    ) {
        let Origin { chat, id, .. } = arrived.origin;
        let contact = self.safe.contents().contacts.get(&chat.peer());
        match contact.map(|contact| contact.state.value) {
            Some(ContactState::Outgoing) => {
                // Both asked: that is an agreement.
                self.accepted_by(io, chat, alias.unwrap_or_default());
                self.greeted(io, arrived, greeting);
                self.outbox.accept(io, chat, &self.me);
            }
            Some(ContactState::Accepted) => {
                self.greeted(io, arrived, greeting);
                self.outbox.accept(io, chat, &self.me);
            }
            _ => {
                if self.stranger_wrote(io, chat, (id, arrived.sent_at), alias) {
                    self.contacts.note_request(chat).asks.push(id);
                    if !greeting.is_blank() && !self.chats.known(&arrived.origin) {
                        self.take_words(io, arrived, greeting.as_str());
                    }
                }
            }
        }
    }

    /// The first line of a request is a text as others are, once the two are contacts.
    pub(super) fn greeted(&mut self, io: &mut Io, arrived: Arrived, greeting: &Sealed) {
        if greeting.is_blank() {
            self.finish_incoming(io, arrived.origin.id);
        } else {
            self.text_came(io, arrived, greeting.as_str());
        }
    }

    /// Somebody who is no contact wrote a request, or a text before one; true when it is kept for the
    /// person to decide.
    pub(crate) fn stranger_wrote(
        &mut self,
        io: &mut Io,
        chat: ConversationId,
        (id, sent_at): (MessageId, u64),
        alias: Option<&str>,
    ) -> bool {
        let Some(fingerprint) = self.inbox.writer(id) else {
            return false;
        };
        let (handle, known_as) = self.contacts.names_of(chat.peer(), &self.safe);
        let names = (handle, alias.map_or(known_as, clip));
        let of_theirs = self.inbox.count_of(chat);
        let asked = (self.safe).asked(io, chat, fingerprint, sent_at, names, of_theirs);
        match asked {
            Asked::Pending => {
                let other = !self.safe.is_pinned(chat.peer(), &fingerprint);
                self.contacts.note_request(chat).other_keys |= other;
                true
            }
            Asked::Decided => {
                self.finish_incoming(io, id);
                false
            }
            Asked::NoRoom => {
                self.inbox.finish(id);
                false
            }
        }
    }
}
