//! Contacts: asked, accepted, blocked, removed.

use crate::answers::Answer;
use crate::effects::Effect;
use crate::failure::Failure;
use crate::flows::parse;
use crate::flows::sessions::Invite;
use crate::id::{ConversationId, MessageId};
use crate::io::Io;
use crate::secret_text::SecretText;
use crate::state::contacts::names::clip;
use crate::unlocked::Unlocked;
use crate::wire::Person;
use api::{Code, Own};
use protocol::safe::ContactState;

impl Unlocked {
    /// The other side accepted.
    pub(crate) fn accepted_by(&mut self, io: &mut Io, chat: ConversationId, alias: &str) {
        let now = io.stamp();
        if let Some(contact) = self.safe.edit_contact(chat) {
            contact.state.set(now, ContactState::Accepted);
            if !alias.is_empty() && contact.alias.value.as_str() != alias {
                contact.alias.set(now, clip(alias).into());
            }
        }
        io.ask(Effect::TellChats);
        self.told_after_answer(io);
    }

    /// `block`.
    pub(crate) fn block(&mut self, io: &mut Io, chat: ConversationId) {
        let now = io.stamp();
        if self.safe.pending(chat).is_some() {
            self.safe.set_relation(io, chat, ContactState::Removed);
        }
        self.contacts.take_request(chat);
        io.ask(Effect::TellRequests);
        self.inbox.leave_unread(chat);
        self.safe.edit().set_blocked(chat.peer(), true, now);
        self.forget_chat(io, chat);
        io.ask(Effect::TellChats);
        self.contacts.emit_blocked(io, &self.safe);
    }

    /// `unblock`.
    pub(crate) fn unblock(&mut self, io: &mut Io, chat: ConversationId) {
        let now = io.stamp();
        self.safe.edit().set_blocked(chat.peer(), false, now);
        io.ask(Effect::TellChats);
        self.contacts.emit_blocked(io, &self.safe);
    }

    /// `remove_contact`.
    pub(crate) fn remove_contact(&mut self, io: &mut Io, chat: ConversationId) {
        if self.safe.contact(chat).is_none() {
            let failure = Failure::new(Own::NoSuchChat);
            return io.failed_at("remove_contact", failure, Some(chat), None);
        }
        self.safe.set_relation(io, chat, ContactState::Removed);
        self.forget_chat(io, chat);
        io.ask(Effect::TellChats);
    }

    pub(crate) fn forget_chat(&mut self, io: &mut Io, chat: ConversationId) {
        let names: Vec<MessageId> = self.chats.of(chat).map(|view| view.id).collect();
        for id in names {
            self.finish_named(io, id);
            self.forget_message(io, chat, id);
        }
        self.outbox.forget_chat(chat);
        self.receipts.forget(chat);
        self.drafts.forget(io, chat);
    }

    pub(crate) fn request_found(&mut self, io: &mut Io, greeting: &SecretText, answer: Answer) {
        let during = "request_contact";
        let found = match answer {
            Some((200, body)) => parse::<Person>(&body),
            Some((404, _)) => Err(Failure::new(Code::NoSuchUser)),
            Some((status, body)) => Err(Failure::from_answer(status, &body)),
            None => Err(Failure::new(Own::Offline)),
        };
        match found {
            Ok(found) if found.user_id == self.me.user_id => {
                io.failed(during, Failure::new(Own::ThatIsYou));
            }
            Ok(found) => {
                let chat = Some(ConversationId::with(found.user_id));
                if let Err(failure) = self.ask_for_contact(io, &found, greeting, None) {
                    io.failed_at(during, failure, chat, None);
                }
            }
            Err(failure) => io.failed(during, failure),
        }
    }

    /// Pins somebody and asks them, or accepts what they asked.
    pub(super) fn ask_for_contact(
        &mut self,
        io: &mut Io,
        found: &Person,
        greeting: &SecretText,
        invite: Option<&Invite>,
    ) -> Result<(), Failure> {
        let id = found.user_id;
        let shown = self.contacts.may_ask(io, found, invite, &self.safe)?;
        let fingerprint = *shown.keys.fingerprint();
        if invite.is_some() {
            self.safe.note_linked(io, id, &fingerprint);
        }
        // An earlier pin may not hold any more; what is sent then is held until the person decides.
        self.contacts.pin_holds(io, id, shown, &mut self.safe);
        let chat = ConversationId::with(id);
        if self.safe.pending(chat).is_some() {
            self.accept_request(io, chat);
            return Ok(());
        }
        if self.safe.is_accepted(id) {
            io.ask(Effect::TellChats);
            return Ok(());
        }
        self.safe.put_contact(
            io,
            chat,
            fingerprint,
            ContactState::Outgoing,
            &found.handle,
            &found.alias,
        );
        self.send_request(io, chat, greeting, invite.map(|invite| invite.code));
        Ok(())
    }
}
