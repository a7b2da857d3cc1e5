//! Safety numbers, verified marks and changed keys.
//!
//! Specification: `docs/protocol/accounts.md#safety-numbers`.

use api::Own;
use protocol::identity::safety_number;

use crate::effects::Effect;
use crate::event::Event;
use crate::failure::Failure;
use crate::id::ConversationId;
use crate::io::Io;
use crate::qr;
use crate::state::contacts::Contacts;
use crate::state::safes::Safe;

impl Contacts {
    /// The number with a contact: of the keys to be decided on if they changed, else of the pin.
    fn number_with(&self, chat: ConversationId, safe: &Safe) -> Option<String> {
        let theirs = match self.changed_keys(chat.peer(), safe) {
            Some(changed) => *changed.fingerprint(),
            None => *safe.contact(chat)?.pin.fingerprint().ok()?,
        };
        Some(safety_number(safe.fingerprint(), &theirs))
    }

    /// `safety_number`.
    pub(crate) fn show_safety_number(&mut self, io: &mut Io, chat: ConversationId, safe: &Safe) {
        let Some(number) = self.number_with(chat, safe) else {
            io.failed_at(
                "safety_number",
                Failure::new(Own::NoSuchChat),
                Some(chat),
                None,
            );
            return;
        };
        let qr_svg = qr::svg(&number).unwrap_or_default();
        io.event(Event::SafetyNumber {
            chat,
            groups: number.split(' ').map(str::to_owned).collect(),
            qr_svg,
            verified: self.is_verified(chat, safe),
        });
    }

    /// Whether the number was compared, for the keys that are used, and nothing has happened since that
    /// the person has not seen.
    pub(crate) fn is_verified(&self, chat: ConversationId, safe: &Safe) -> bool {
        !self.key_changed(chat.peer(), safe)
            && safe
                .contact(chat)
                .is_some_and(|contact| contact.pin.is_verified() && !contact.saw_other_keys())
    }

    /// Whether other keys than the pinned ones were shown or used, and the pinned ones are back, and the
    /// person has not acknowledged it.
    pub(crate) fn key_changed_back(&self, chat: ConversationId, safe: &Safe) -> bool {
        !self.key_changed(chat.peer(), safe)
            && safe
                .contact(chat)
                .is_some_and(|contact| contact.saw_other_keys())
    }

    /// `set_verified`.
    pub(crate) fn set_verified(
        &mut self,
        io: &mut Io,
        chat: ConversationId,
        verified: bool,
        safe: &mut Safe,
    ) {
        if safe.contact(chat).is_none() || (verified && self.key_changed(chat.peer(), safe)) {
            io.failed_at(
                "set_verified",
                Failure::new(Own::NoSuchChat),
                Some(chat),
                None,
            );
            return;
        }
        let now = io.stamp();
        if let Some(contact) = safe.edit_contact(chat) {
            contact.pin.set_verified(verified, now);
            if verified {
                // The pinned keys are the right ones, whatever else was shown.
                contact.other_keys.set(now, None);
            }
        }
        io.ask(Effect::TellChats);
    }

    /// `check_scan`.
    pub(crate) fn check_scan(
        &mut self,
        io: &mut Io,
        chat: ConversationId,
        scanned: &str,
        safe: &mut Safe,
    ) {
        let Some(number) = self.number_with(chat, safe) else {
            io.failed_at(
                "check_scan",
                Failure::new(Own::NoSuchChat),
                Some(chat),
                None,
            );
            return;
        };
        let digits = |text: &str| -> String { text.chars().filter(char::is_ascii_digit).collect() };
        let equal = digits(&number) == digits(scanned);
        if equal && !self.key_changed(chat.peer(), safe) {
            self.set_verified(io, chat, true, safe);
        }
        io.event(Event::ScanChecked { chat, equal });
    }

    /// `acknowledge_keys`.
    pub(crate) fn acknowledge_keys(&mut self, io: &mut Io, chat: ConversationId, safe: &mut Safe) {
        if !self.key_changed_back(chat, safe) {
            let failure = Failure::new(Own::NoSuchChat);
            io.failed_at("acknowledge_keys", failure, Some(chat), None);
            return;
        }
        let now = io.stamp();
        if let Some(contact) = safe.edit_contact(chat) {
            contact.other_keys.set(now, None);
        }
        io.ask(Effect::TellChats);
    }

    /// `accept_changed_key`.
    pub(crate) fn accept_changed_key(
        &mut self,
        io: &mut Io,
        chat: ConversationId,
        safe: &mut Safe,
    ) {
        let Some(fingerprint) = self
            .changed_keys(chat.peer(), safe)
            .map(|keys| *keys.fingerprint())
        else {
            let failure = Failure::new(Own::NoSuchChat);
            io.failed_at("accept_changed_key", failure, Some(chat), None);
            return;
        };
        let now = io.stamp();
        if let Some(contact) = safe.edit_contact(chat) {
            contact.accept_identity(fingerprint, now);
            contact.other_keys.set(now, None);
        }
        io.ask(Effect::TellChats);
        self.pins_joined(io, safe);
    }
}
