//! Messages that people do not see: typing, answers to requests.

use super::compose::Said;
use crate::command::Burn;
use crate::effects::Effect;
use crate::id::ConversationId;
use crate::io::Io;
use crate::secret_text::SecretText;
use crate::state::outbox::compose::{REQUEST_LIFE_SECS, TYPING_LIFE_SECS};
use crate::unlocked::Unlocked;
use protocol::envelope::{Content, InviteCode};
use protocol::safe::ContactState;

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
