//! Messages that people do not see: typing, answers to requests.

use protocol::envelope::{Content, InviteCode};
use protocol::safe::ContactState;

use super::compose::Said;
use crate::command::Burn;
use crate::effects::Effect;
use crate::id::ConversationId;
use crate::io::Io;
use crate::secret_text::SecretText;
use crate::state::outbox::Outbox;
use crate::unlocked::Unlocked;

/// How long an answer or a request may wait for somebody who is away, seconds.
const REQUEST_LIFE_SECS: u32 = 7 * 86_400;
/// Life of a sign of typing, seconds.
const TYPING_LIFE_SECS: u32 = 5;
/// Keys are passed on at most this often, milliseconds.
const TYPING_EVERY_MS: u64 = 3_000;

impl Outbox {
    /// Whether somebody may be told that the person types, not too often; if so, that is noted.
    fn may_tell_typing(&mut self, now_ms: u64, chat: ConversationId) -> bool {
        let told = self.typing_told.entry(chat).or_insert(0);
        let may = now_ms.saturating_sub(*told) >= TYPING_EVERY_MS;
        if may {
            *told = now_ms;
        }
        may
    }
}

impl Unlocked {
    /// `typing`: to live sessions only, and not on every key.
    pub(crate) fn typing(&mut self, io: &mut Io, chat: ConversationId) {
        if !self.safe.settings().typing || self.safe.may_write(chat).is_err() || !io.online {
            return;
        }
        if !self.outbox.may_tell_typing(io.now_ms, chat) {
            return;
        }
        let content = Content::Typing { active: true };
        self.outbox
            .enqueue(io, chat, content, Burn::Never, TYPING_LIFE_SECS);
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

    /// Tells somebody that their request was accepted.
    pub(crate) fn send_accept(&mut self, io: &mut Io, chat: ConversationId) {
        let content = Content::Accept {
            handle: self.me.handle.as_str().into(),
            alias: self.me.alias.as_str().into(),
        };
        self.outbox
            .enqueue(io, chat, content, Burn::Never, REQUEST_LIFE_SECS);
        io.ask(Effect::Send);
    }

    /// Tells everybody who is a contact one's own name.
    pub(crate) fn send_profile(&mut self, io: &mut Io) {
        let contents = self.safe.contents();
        let known: Vec<ConversationId> = contents
            .contacts
            .iter()
            .filter(|(user, contact)| {
                contact.state.value == ContactState::Accepted && !contents.is_blocked(user)
            })
            .map(|(user, _)| ConversationId::with(*user))
            .collect();
        for chat in known {
            let content = Content::Profile {
                alias: self.me.alias.as_str().into(),
            };
            self.outbox
                .enqueue(io, chat, content, Burn::Never, REQUEST_LIFE_SECS);
        }
        io.ask(Effect::Send);
    }
}
