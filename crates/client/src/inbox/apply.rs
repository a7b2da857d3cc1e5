//! What an opened message does, by its kind.

use protocol::envelope::{Content, Receipt, ReceiptState};
use protocol::ids::UserId;
use protocol::safe::ContactState;

use super::Lease;
use super::open::Opened;
use crate::command::Burn;
use crate::event::{Event, MessageState, MessageView};
use crate::id::Id;
use crate::io::Io;
use crate::people::{Asked, id_of, user};
use crate::refusal::Refusal;
use crate::secret_text::SecretText;
use crate::timers::Timer;
use crate::unlocked::Unlocked;

/// How long a sign of typing is shown, milliseconds.
const TYPING_MS: u64 = 5_000;

/// What a text that arrived is shown with.
struct Arrived {
    id: Id,
    mine: bool,
    live: bool,
    /// Unix seconds, by its sender's clock.
    sent_at: u64,
    /// Unix seconds at which it expires unread.
    end: u64,
    burn: Burn,
    warnings: Vec<String>,
}

impl Arrived {
    fn view(self, text: &str, seen_ms: u64) -> MessageView {
        let burns = self.burn != Burn::Never && !self.mine;
        MessageView {
            id: self.id,
            mine: self.mine,
            text: (!burns).then(|| SecretText::from(text)),
            sealed: burns,
            sent_ms: self.sent_at.saturating_mul(1_000),
            seen_ms,
            state: if self.mine {
                MessageState::Waiting
            } else {
                MessageState::Unread
            },
            by_server: false,
            path: if self.live { "live" } else { "waiting" }.to_owned(),
            expires_at: Some(self.end),
            burn: self.burn,
            burns_ms: None,
            edited: false,
            failure: None,
            failure_text: None,
            warnings: self.warnings,
            tag: None,
        }
    }
}

impl Unlocked {
    /// A message was opened for the first time.
    pub(super) fn first_opened(
        &mut self,
        io: &mut Io,
        mut opened: Opened,
        lease: Option<Lease>,
        parcel: Vec<u8>,
    ) {
        let id = opened.id;
        let sender = id_of(&opened.slot.sender);
        let mine = sender == self.me.user_id;
        let peer: UserId = match opened
            .slot
            .conversation
            .peer(&self.user, &opened.slot.sender)
        {
            Ok(Some(peer)) => peer,
            _ => {
                io.refused(Refusal::CrossDelivered, Some(sender), Some(id));
                self.inbox.done.insert(id);
                return;
            }
        };
        let chat = id_of(&peer);
        let mut warnings = self.order_of(io, chat, &opened);
        if opened.last_resort {
            warnings.push("last-resort".to_owned());
            self.last_resort_used(io, chat);
        }
        if !mine && self.key_changed(chat) {
            warnings.push("key-changed".to_owned());
        }
        if mine && let Some(mark) = opened.slot.safe_mark {
            self.safe_promised(io, mark);
        }
        let content = std::mem::replace(&mut opened.content, Content::Sync);
        let keep = (opened.epoch, opened.counter);
        let slot = &opened.slot;
        let burn = match (slot.burn_on_read, slot.burn_after_secs) {
            (false, _) => Burn::Never,
            (true, 0) => Burn::OnRead,
            (true, secs) => Burn::After(secs),
        };
        let sent_at = slot.sent_at;
        let end = sent_at.saturating_add(u64::from(slot.life_secs));
        let end = self.inbox.ends.get(&id).map_or(end, |at| end.min(*at));
        self.keep(id, chat, keep, lease, Vec::new());
        if self.safe.contents().is_blocked(&peer) {
            // Neither shown nor acknowledged: a sender must not learn from it that they are blocked.
            self.inbox.finish(id);
            return;
        }
        let arrived = Arrived {
            id,
            mine,
            live: opened.live,
            sent_at,
            end,
            burn,
            warnings,
        };
        match content {
            Content::Text { text, .. } => {
                let view = arrived.view(text.as_str(), self.next_seen_ms(io.server_ms()));
                if view.sealed
                    && let Some(item) = self.inbox.items.get_mut(&id)
                {
                    item.parcel = parcel;
                }
                self.text_came(io, chat, view);
            }
            Content::Request {
                alias, greeting, ..
            } => {
                let seen_ms = self.next_seen_ms(io.server_ms());
                let said = (!greeting.is_blank()).then(|| arrived.view(greeting.as_str(), seen_ms));
                if mine {
                    self.greeted(io, chat, id, said);
                } else {
                    self.request_came(io, chat, (id, sent_at), alias.as_str(), said);
                }
            }
            Content::Accept { alias, .. } => {
                if self.contact(chat).is_some() {
                    self.accepted_by(io, chat, alias.as_str());
                }
                self.finish_incoming(io, id);
            }
            Content::Profile { alias } => {
                if !mine && self.contact(chat).is_some() {
                    self.renamed(io, chat, alias.as_str());
                }
                self.finish_incoming(io, id);
            }
            Content::Receipt(receipts) => {
                self.receipts_came(io, chat, &receipts);
                self.finish_incoming(io, id);
            }
            Content::Typing { active } => {
                if self.contact(chat).is_some() {
                    let until_ms = if active {
                        io.now_ms + TYPING_MS
                    } else {
                        io.now_ms
                    };
                    io.event(Event::Typing { chat, until_ms });
                }
                self.finish_incoming(io, id);
            }
            Content::Edit { message_id, text } => {
                let of = Id::from_bytes(*message_id.as_bytes());
                self.change_came(io, chat, id, of, mine, Some(text.as_str()));
            }
            Content::Delete { message_id } => {
                let of = Id::from_bytes(*message_id.as_bytes());
                self.change_came(io, chat, id, of, mine, None);
            }
            Content::Sync => self.finish_incoming(io, id),
        }
    }

    fn text_came(&mut self, io: &mut Io, chat: Id, view: MessageView) {
        let (id, mine) = (view.id, view.mine);
        watch_expiry(io, &view);
        if mine {
            self.put_message(io, chat, view);
            // A copy of what another session of ours said: nothing has to be seen first.
            self.finish_incoming(io, id);
            return;
        }
        if self.contact(chat).is_none() {
            if self.stranger_wrote(io, chat, (id, view.sent_ms / 1_000), None) {
                self.put_message_quietly(chat, view);
            }
            return;
        }
        self.put_message(io, chat, view);
        io.event(Event::Typing {
            chat,
            until_ms: io.now_ms,
        });
        self.owe_receipt(io, chat, id, ReceiptState::Delivered);
    }

    fn request_came(
        &mut self,
        io: &mut Io,
        chat: Id,
        (id, sent_at): (Id, u64),
        alias: &str,
        said: Option<MessageView>,
    ) {
        let state = self
            .safe
            .contents()
            .contacts
            .get(&user(chat))
            .map(|contact| contact.state.value);
        match state {
            Some(ContactState::Outgoing) => {
                // Both asked: that is an agreement.
                self.accepted_by(io, chat, alias);
                self.greeted(io, chat, id, said);
                self.send_accept(io, chat);
            }
            Some(ContactState::Accepted) => {
                self.greeted(io, chat, id, said);
                self.send_accept(io, chat);
            }
            _ => {
                if self.stranger_wrote(io, chat, (id, sent_at), Some(alias)) {
                    let asks = &mut self.requests.entry(chat).or_default().asks;
                    asks.push(id);
                    if let Some(view) = said {
                        watch_expiry(io, &view);
                        self.put_message_quietly(chat, view);
                    }
                }
            }
        }
    }

    /// The first line of a request is a text as others are, once the two are contacts.
    fn greeted(&mut self, io: &mut Io, chat: Id, id: Id, said: Option<MessageView>) {
        match said {
            Some(view) => self.text_came(io, chat, view),
            None => self.finish_incoming(io, id),
        }
    }

    /// Somebody who is no contact wrote a request, or a text before one; true when it is kept for the
    /// person to decide.
    fn stranger_wrote(
        &mut self,
        io: &mut Io,
        chat: Id,
        (id, sent_at): (Id, u64),
        alias: Option<&str>,
    ) -> bool {
        let Some(item) = self.inbox.items.get(&id) else {
            return false;
        };
        let fingerprint = item.epoch.sender().fingerprint;
        match self.asked(io, chat, fingerprint, sent_at, alias) {
            Asked::Pending => {
                self.requests.entry(chat).or_default();
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

    /// Sealed receipts: only of the person who has the messages.
    fn receipts_came(&mut self, io: &mut Io, chat: Id, receipts: &[Receipt]) {
        for receipt in receipts {
            let id = Id::from_bytes(*receipt.message_id.as_bytes());
            match self.chat_of(id) {
                Some(at) if at == chat => {
                    if self.message(chat, id).is_some_and(|view| view.mine) {
                        self.receipt_heard(io, chat, id, receipt.state);
                    } else {
                        io.refused(Refusal::ForgedReceipt, Some(chat), Some(id));
                    }
                }
                Some(_) => io.refused(Refusal::ForgedReceipt, Some(chat), Some(id)),
                // Sent before this session's memory began.
                None => {}
            }
        }
    }

    /// An edit or a deletion: only by the author.
    fn change_came(
        &mut self,
        io: &mut Io,
        chat: Id,
        id: Id,
        of: Id,
        mine: bool,
        text: Option<&str>,
    ) {
        let Some(at) = self.chat_of(of) else {
            // The message is not in this session's memory any more.
            self.finish_incoming(io, id);
            return;
        };
        let author = self.message(at, of).map(|view| view.mine);
        if at != chat || author != Some(mine) {
            io.refused(Refusal::ForgedEdit, Some(chat), Some(of));
            self.finish_incoming(io, id);
            return;
        }
        // The request may show it.
        self.requests_dirty = true;
        let Some(text) = text else {
            self.finish_incoming(io, of);
            self.finish_incoming(io, id);
            io.timers.cancel(Timer::Burn(of));
            io.timers.cancel(Timer::Expire(of));
            if let Some(view) = self.message_mut(chat, of) {
                view.text = None;
                view.sealed = false;
                view.edited = false;
            }
            self.set_state(io, chat, of, MessageState::Deleted, false);
            return;
        };
        if let Some(view) = self.message_mut(chat, of)
            && view.text.is_some()
            && view.burn == Burn::Never
        {
            view.text = Some(SecretText::from(text));
            view.edited = true;
        }
        self.emit_message(io, chat, of);
        let unread = self
            .inbox
            .items
            .get_mut(&of)
            .filter(|item| item.progress == super::Progress::Opened);
        match unread {
            // The server still has the unchanged text: both go together.
            Some(item) => item.followers.push(id),
            None => self.finish_incoming(io, id),
        }
    }
}

/// Sets the end of a message that nobody reads.
fn watch_expiry(io: &mut Io, view: &MessageView) {
    if let Some(end) = view.expires_at {
        io.timers
            .set(Timer::Expire(view.id), io.local_ms(end) + 1_000);
    }
}
