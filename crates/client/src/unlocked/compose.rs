//! From the composer into the outbox.

use crate::command::Burn;
use crate::effects::Effect;
use crate::event::{Event, MessageState, MessageView};
use crate::failure::Failure;
use crate::id::{ConversationId, MessageId};
use crate::io::Io;
use crate::secret_text::SecretText;
use crate::state::contacts::is_greeting;
use crate::state::outbox::compose::{LIFE_SECS, MAX_TEXT, REQUEST_LIFE_SECS, burn_in_range};
use crate::timers::Timer;
use crate::unlocked::Unlocked;
use api::Own;
use protocol::envelope::{Content, InviteCode};

/// A text on its way to the screen and into the outbox.
pub(crate) struct Said {
    pub(super) text: SecretText,
    pub(super) burn: Burn,
    pub(super) life_secs: u32,
    pub(super) tag: Option<String>,
}

impl Unlocked {
    /// `send`.
    pub(crate) fn send(
        &mut self,
        io: &mut Io,
        chat: ConversationId,
        text: SecretText,
        burn: Option<Burn>,
        life_secs: Option<u32>,
        tag: Option<String>,
    ) {
        let (default_burn, default_life) = self.safe.defaults_of(chat);
        let burn = burn.unwrap_or(default_burn);
        let life_secs = life_secs.unwrap_or(default_life);
        let wrong = if text.is_blank() {
            Some(Own::TextEmpty)
        } else if text.expose().len() > MAX_TEXT {
            Some(Own::TextTooLong)
        } else if !LIFE_SECS.contains(&life_secs) {
            Some(Own::BadLife)
        } else if !burn_in_range(burn) {
            Some(Own::BadBurn)
        } else {
            self.safe.may_write(chat).err()
        };
        if let Some(code) = wrong {
            io.failed_text(Failure::new(code), chat, tag);
            return;
        }
        let said = Said {
            text,
            burn,
            life_secs,
            tag,
        };
        self.send_text(io, chat, said);
    }

    /// Puts a text that was checked into the outbox and on the screen.
    pub(crate) fn send_text(&mut self, io: &mut Io, chat: ConversationId, said: Said) {
        let content = Content::text(said.text.expose());
        let id = self
            .outbox
            .enqueue(io, chat, content, said.burn, said.life_secs);
        self.show_said(io, chat, id, said);
        io.ask(Effect::Send);
    }

    /// Puts what is in the outbox on the screen.
    pub(super) fn show_said(
        &mut self,
        io: &mut Io,
        chat: ConversationId,
        id: MessageId,
        said: Said,
    ) {
        let now_ms = io.shown_ms();
        let seen_ms = self.chats.next_seen_ms(now_ms);
        let mut view = MessageView::written(id, said.text, said.burn, now_ms, seen_ms);
        view.expires_at = Some(io.now().saturating_add(u64::from(said.life_secs)));
        view.tag = said.tag;
        self.chats.put_message(io, chat, view, &self.safe);
    }

    /// `send_again`: the same text as a new message; the old one goes.
    pub(crate) fn send_again(&mut self, io: &mut Io, chat: ConversationId, id: MessageId) {
        let failure = match self.chats.message(chat, id) {
            None => Some(Own::NoSuchMessage),
            Some(view) if !view.mine => Some(Own::NotYours),
            Some(view) => match (view.state, view.text.clone()) {
                (
                    MessageState::Vanished | MessageState::Expired | MessageState::Failed,
                    Some(text),
                ) => {
                    let (burn, tag) = (view.burn, view.tag.clone());
                    let life = self
                        .chats
                        .life_of(id)
                        .unwrap_or_else(|| self.safe.defaults_of(chat).1);
                    match self.safe.may_write(chat) {
                        Ok(()) => {
                            self.forget_message(io, chat, id);
                            if burn == Burn::Never
                                && self.safe.unanswered(chat)
                                && is_greeting(&text)
                            {
                                self.send_request(io, chat, &text, None);
                            } else {
                                let said = Said {
                                    text,
                                    burn,
                                    life_secs: life,
                                    tag,
                                };
                                self.send_text(io, chat, said);
                            }
                            None
                        }
                        Err(code) => Some(code),
                    }
                }
                _ => Some(Own::MessageGone),
            },
        };
        if let Some(code) = failure {
            io.failed_at("send_again", Failure::new(code), Some(chat), Some(id));
        }
    }

    /// `edit`.
    pub(crate) fn edit(
        &mut self,
        io: &mut Io,
        chat: ConversationId,
        id: MessageId,
        text: SecretText,
    ) {
        let wrong = match self.chats.message(chat, id) {
            None => Some(Own::NoSuchMessage),
            Some(view) if !view.mine => Some(Own::NotYours),
            Some(view) if view.text.is_none() => Some(Own::MessageGone),
            Some(view) if view.burn != Burn::Never => Some(Own::Burning),
            Some(_) if !self.chats.is_ours_still(id, &self.safe) => Some(Own::EarlierIdentity),
            Some(_) if text.is_blank() => Some(Own::TextEmpty),
            Some(_) if text.expose().len() > MAX_TEXT => Some(Own::TextTooLong),
            Some(_) => self.safe.may_write(chat).err(),
        };
        if let Some(code) = wrong {
            io.failed_at("edit", Failure::new(code), Some(chat), Some(id));
            return;
        }
        let content = Content::Edit {
            message_id: self.chats.id_of_message(id),
            text: text.expose().into(),
        };
        let life = self
            .chats
            .life_left(io, chat, id, self.safe.defaults_of(chat).1);
        self.outbox.enqueue(io, chat, content, Burn::Never, life);
        if let Some(view) = self.chats.message_mut(chat, id) {
            view.text = Some(text);
            view.edited = true;
        }
        self.chats.emit_message(io, chat, id, &self.safe);
        io.ask(Effect::Send);
    }

    /// `delete`.
    pub(crate) fn delete(
        &mut self,
        io: &mut Io,
        chat: ConversationId,
        id: MessageId,
        everywhere: bool,
    ) {
        let Some(mine) = self.chats.message(chat, id).map(|view| view.mine) else {
            let failure = Failure::new(Own::NoSuchMessage);
            return io.failed_at("delete", failure, Some(chat), Some(id));
        };
        let wrong = if everywhere && !mine {
            Some(Own::NotYours)
        } else if everywhere && !self.chats.is_ours_still(id, &self.safe) {
            Some(Own::EarlierIdentity)
        } else {
            None
        };
        if let Some(code) = wrong {
            io.failed_at("delete", Failure::new(code), Some(chat), Some(id));
            return;
        }
        if everywhere {
            let content = Content::Delete {
                message_id: self.chats.id_of_message(id),
            };
            let life = self
                .chats
                .life_left(io, chat, id, self.safe.defaults_of(chat).1);
            self.outbox.enqueue(io, chat, content, Burn::Never, life);
        }
        // What was taken away, unseen or while it burns, is not to be delivered again.
        self.finish_named(io, id);
        if let Some(sent) = self.outgoing(id).filter(|_| everywhere) {
            self.outbox.take_back(sent);
        }
        self.forget_message(io, chat, id);
        io.ask(Effect::Send);
    }

    /// Asks somebody for contact; what is said with it is the first text of the chat.
    pub(crate) fn send_request(
        &mut self,
        io: &mut Io,
        chat: ConversationId,
        greeting: &SecretText,
        invite: Option<api::ids::InviteCode>,
    ) {
        let content = Content::Request {
            handle: self.me.handle.as_str().into(),
            alias: self.me.alias.as_str().into(),
            greeting: greeting.expose().into(),
            invite: invite.map(|code| InviteCode(*code.as_bytes())),
        };
        let id = self
            .outbox
            .enqueue(io, chat, content, Burn::Never, REQUEST_LIFE_SECS);
        if !greeting.is_blank() {
            let said = Said {
                text: greeting.clone(),
                burn: Burn::Never,
                life_secs: REQUEST_LIFE_SECS,
                tag: None,
            };
            self.show_said(io, chat, id, said);
        }
        io.ask(Effect::Send);
    }

    /// Takes a message out of this session's memory.
    pub(crate) fn forget_message(&mut self, io: &mut Io, chat: ConversationId, id: MessageId) {
        for timer in [Timer::Burn(id), Timer::Expire(id), Timer::Fallback(id)] {
            io.timers.cancel(timer);
        }
        if let Some(sent) = self
            .outgoing(id)
            .filter(|sent| !self.outbox.is_taken_back(*sent))
        {
            io.timers.cancel(Timer::Resend(sent));
            self.outbox.forget(sent);
        }
        if self.chats.remove_message(io, chat, id) {
            io.event(Event::MessageRemoved { chat, message: id });
        }
    }
}
