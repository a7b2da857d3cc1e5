//! What the account knows of other people for good: contacts and their pins, blocks, and who asks.
//!
//! Specification: `docs/protocol/accounts.md#pins`.

use api::Own;
use protocol::epoch::SenderClaim;
use protocol::identity::Fingerprint;
use protocol::safe::{Contact, ContactState};

use super::Safe;
use crate::effects::Effect;
use crate::id::{ConversationId, UserId};
use crate::io::Io;
use crate::state::contacts::{clip, link_name};
use crate::state::inbox::Standing;

impl Safe {
    /// The record of a person, to be changed; it is written soon.
    pub(crate) fn edit_contact(&mut self, chat: ConversationId) -> Option<&mut Contact> {
        self.edit().contacts.get_mut(&chat.peer())
    }

    /// One's own fingerprint.
    pub(crate) fn fingerprint(&self) -> &Fingerprint {
        self.keys().fingerprint()
    }

    /// Notes the keys that an invite link names as its maker's.
    pub(crate) fn note_linked(&mut self, io: &Io, id: UserId, fingerprint: &Fingerprint) {
        let keys = hex::encode(fingerprint.as_bytes());
        let name = link_name(id);
        if self.contents().settings.get(&name) != Some(keys.as_str()) {
            self.edit().settings.set(&name, &keys, io.stamp());
        }
    }

    /// Whether a fingerprint is the pinned one of a person, or the person was never pinned.
    pub(crate) fn is_pinned(&self, id: UserId, fingerprint: &Fingerprint) -> bool {
        match self.contents().contacts.get(&id) {
            Some(contact) => contact.pin.fingerprint() == Ok(fingerprint),
            None => true,
        }
    }

    /// Notes that other keys than the pinned ones were shown or used for a contact. The note is shown until the
    /// person has answered it.
    pub(crate) fn note_other_keys(&mut self, io: &mut Io, id: UserId, fingerprint: &Fingerprint) {
        let noted = self
            .contact(ConversationId::with(id))
            .is_none_or(|contact| contact.saw_other_keys());
        if noted {
            return;
        }
        let now = io.stamp();
        if let Some(contact) = self.edit().contacts.get_mut(&id) {
            contact.other_keys.set(now, Some(*fingerprint));
        }
        io.ask(Effect::TellChats);
    }

    /// The highest prekey batch seen of somebody.
    pub(crate) fn highest_batch(&self, user: &UserId) -> u32 {
        self.contents()
            .contacts
            .get(user)
            .map_or(0, |contact| contact.batch_seen)
    }

    /// Remembers a batch number, so that an older batch is refused from now on.
    pub(crate) fn note_batch(&mut self, user: &UserId, number: u32) {
        if number > self.highest_batch(user)
            && let Some(contact) = self.edit().contacts.get_mut(user)
        {
            contact.batch_seen = number;
        }
    }

    /// A contact that is neither removed nor only incoming.
    pub(crate) fn contact(&self, chat: ConversationId) -> Option<&Contact> {
        self.contents()
            .contacts
            .get(&chat.peer())
            .filter(|contact| {
                matches!(
                    contact.state.value,
                    ContactState::Outgoing | ContactState::Accepted
                )
            })
    }

    /// Whether the person can write in a chat; an error says why not.
    pub(crate) fn may_write(&self, chat: ConversationId) -> Result<(), Own> {
        if self.contents().is_blocked(&chat.peer()) {
            return Err(Own::Blocked);
        }
        if self.contact(chat).is_none() {
            return Err(Own::NoSuchChat);
        }
        Ok(())
    }

    /// Makes or revives a contact. An earlier pin stays: other keys are noticed, not taken.
    pub(crate) fn put_contact(
        &mut self,
        io: &mut Io,
        chat: ConversationId,
        fingerprint: Fingerprint,
        state: ContactState,
        handle: &str,
        alias: &str,
    ) {
        let now = io.stamp();
        let contact = self
            .edit()
            .contacts
            .entry(chat.peer())
            .or_insert_with(|| Contact::new(fingerprint, state, now));
        contact.state.set(now, state);
        let handle = clip(handle);
        if !handle.is_empty() && contact.handle.value.as_str() != handle {
            contact.handle.set(now, handle.into());
        }
        if !alias.is_empty() && contact.alias.value.as_str() != alias {
            contact.alias.set(now, clip(alias).into());
        }
        io.ask(Effect::TellChats);
    }

    /// A contact has another name now.
    pub(crate) fn renamed(&mut self, io: &mut Io, chat: ConversationId, alias: &str) {
        let now = io.stamp();
        if let Some(contact) = self.edit_contact(chat) {
            contact.alias.set(now, clip(alias).into());
        }
        io.ask(Effect::TellChats);
    }

    /// The relation to a person, as tabs name it: `contact`, `requested`, `asking`, `blocked`, `self` or `none`.
    pub(crate) fn relation_to(&self, id: UserId) -> &'static str {
        if id == self.user {
            return "self";
        }
        if self.contents().is_blocked(&id) {
            return "blocked";
        }
        if self.pending(ConversationId::with(id)).is_some() {
            return "asking";
        }
        match self
            .contact(ConversationId::with(id))
            .map(|contact| contact.state.value)
        {
            Some(ContactState::Accepted) => "contact",
            Some(ContactState::Outgoing) => "requested",
            _ => "none",
        }
    }

    /// Somebody who is no contact and waits for a decision.
    pub(crate) fn pending(&self, chat: ConversationId) -> Option<&Contact> {
        let contents = self.contents();
        let asks = |contact: &&Contact| contact.state.value == ContactState::Incoming;
        let found = contents.contacts.get(&chat.peer()).filter(asks);
        found.filter(|_| !contents.is_blocked(&chat.peer()))
    }

    /// Whether the person was asked and has not answered yet.
    pub(crate) fn unanswered(&self, chat: ConversationId) -> bool {
        let state = self.contact(chat).map(|contact| contact.state.value);
        state == Some(ContactState::Outgoing)
    }

    /// Whether somebody is a contact who was asked and has answered.
    pub(crate) fn is_accepted(&self, id: UserId) -> bool {
        let state = self
            .contact(ConversationId::with(id))
            .map(|contact| contact.state.value);
        state == Some(ContactState::Accepted)
    }

    /// Whether it is this account or one whose owner is a contact, or was asked to be.
    pub(crate) fn is_known(&self, from: Option<UserId>) -> bool {
        from.is_some_and(|id| {
            let contacts = &self.contents().contacts;
            id == self.user
                || contacts.get(&id).is_some_and(|contact| {
                    let state = contact.state.value;
                    matches!(state, ContactState::Accepted | ContactState::Outgoing)
                })
        })
    }

    /// Who a proven sender is to this account.
    pub(crate) fn standing(&self, claim: &SenderClaim) -> Standing {
        let id = claim.user_id;
        if id == self.user {
            return Standing::Own;
        }
        let contents = self.contents();
        if contents.is_blocked(&claim.user_id) {
            return Standing::Blocked;
        }
        let Some(contact) = contents.contacts.get(&claim.user_id) else {
            return Standing::Stranger;
        };
        let known = matches!(
            contact.state.value,
            ContactState::Outgoing | ContactState::Accepted
        );
        let pinned = self.is_pinned(id, &claim.fingerprint);
        match (known, pinned) {
            (true, true) => Standing::Pinned,
            (true, false) => Standing::OtherKeys,
            (false, true) => Standing::Stranger,
            (false, false) => Standing::StrangerOtherKeys,
        }
    }
}
