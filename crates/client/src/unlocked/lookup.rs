//! Finding people by handle, and asking them for contact.

use crate::answers::Answer;
use crate::effects::Effect;
use crate::failure::Failure;
use crate::flows::parse;
use crate::flows::sessions::Invite;
use crate::id::ConversationId;
use crate::io::Io;
use crate::secret_text::SecretText;
use crate::unlocked::Unlocked;
use crate::wire::Person;
use api::{Code, Own};
use protocol::safe::ContactState;

impl Unlocked {
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
                if let Err(failure) = self.ask_for_contact(io, &found, greeting, None) {
                    io.failed_at(
                        during,
                        failure,
                        Some(ConversationId::with(found.user_id)),
                        None,
                    );
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
