//! Who asks for contact.
//!
//! That somebody asks is a fact of the key safe, so that every session of the account shows it until one
//! of them decides. What they wrote is not: it stays at the server, unread, and each session opens it there.
//!
//! Specification: `docs/protocol/messages.md#requests`.

use api::Own;
use protocol::identity::Fingerprint;
use protocol::safe::{Contact, ContactState, Stamped};

use super::Safe;
use crate::effects::Effect;
use crate::failure::Failure;
use crate::id::ConversationId;
use crate::io::Io;

/// Most undecided requests in the key safe; further ones wait at the server, so that strangers cannot
/// fill the safe.
const MAX_PENDING: usize = 256;

/// Most that is kept of one person who asks, until the person has decided; further messages of theirs
/// wait at the server.
const MAX_OF_ONE: usize = 16;

/// What becomes of something that a stranger wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked {
    /// It is a request, or belongs to one.
    Pending,
    /// The person has decided since it was written.
    Decided,
    /// Too many others ask, or this one says too much.
    NoRoom,
}

impl Safe {
    /// The person decides on a request; false, and told, where nobody asks.
    pub(crate) fn decide(
        &mut self,
        io: &mut Io,
        during: &'static str,
        chat: ConversationId,
        to: ContactState,
    ) -> bool {
        if self.pending(chat).is_none() {
            io.failed_at(during, Failure::new(Own::NoSuchChat), Some(chat), None);
            return false;
        }
        self.set_relation(io, chat, to);
        true
    }

    /// Notes how far we have come with a known person.
    pub(crate) fn set_relation(&mut self, io: &Io, chat: ConversationId, to: ContactState) {
        let now = io.stamp();
        if let Some(contact) = self.edit_contact(chat) {
            contact.state.set(now, to);
        }
    }

    /// Somebody who is no contact wrote at `sent_at`, by their clock; so much of theirs is here.
    ///
    /// The request bears that time, not the time of its opening: a session that opens it late does not
    /// undo what another has decided.
    pub(crate) fn asked(
        &mut self,
        io: &mut Io,
        chat: ConversationId,
        fingerprint: Fingerprint,
        sent_at: u64,
        (handle, alias): (String, String),
        of_theirs: usize,
    ) -> Asked {
        let at = sent_at.min(io.stamp());
        let too_many = of_theirs > MAX_OF_ONE;
        let contacts = &self.contents().contacts;
        let asks = Stamped::new(at, ContactState::Incoming);
        match contacts.get(&chat.peer()).map(|contact| &contact.state) {
            Some(state) if state.value == ContactState::Incoming && !too_many => {}
            Some(state) if state.value != ContactState::Incoming && *state > asks => {
                return Asked::Decided;
            }
            _ if too_many => return Asked::NoRoom,
            _ => {
                let pending = |contact: &&Contact| contact.state.value == ContactState::Incoming;
                if contacts.values().filter(pending).count() >= MAX_PENDING {
                    return Asked::NoRoom;
                }
            }
        }
        let news = contacts.get(&chat.peer()).is_none_or(|contact| {
            contact.state < asks
                || contact.alias.value.as_str() != alias
                || contact.handle.value.as_str() != handle
        });
        if news {
            let contact = self
                .edit()
                .contacts
                .entry(chat.peer())
                .or_insert_with(|| Contact::new(fingerprint, ContactState::Incoming, at));
            contact.state.merge(asks);
            if contact.handle.value.as_str() != handle {
                contact.handle.set(at, handle.as_str().into());
            }
            if contact.alias.value.as_str() != alias {
                contact.alias.set(at, alias.as_str().into());
            }
        }
        io.ask(Effect::TellRequests);
        Asked::Pending
    }
}
