//! Safety numbers, verified marks and changed keys.

use protocol::identity::{Fingerprint, safety_number};

use super::user;
use crate::event::Event;
use crate::failure::Failure;
use crate::id::Id;
use crate::io::Io;
use crate::qr;
use crate::unlocked::Unlocked;

impl Unlocked {
    /// One's own fingerprint.
    pub(crate) fn fingerprint(&self) -> &Fingerprint {
        self.safe.keys().fingerprint()
    }

    /// The number with a contact: of the keys to be decided on if they changed, else of the pin.
    fn number_with(&self, chat: Id) -> Option<String> {
        let theirs = match self.peers.get(&chat).and_then(|peer| peer.changed.as_ref()) {
            Some(changed) => *changed.fingerprint(),
            None => *self.contact(chat)?.pin.fingerprint().ok()?,
        };
        Some(safety_number(self.fingerprint(), &theirs))
    }

    /// `safety_number`.
    pub(crate) fn show_safety_number(&mut self, io: &mut Io, chat: Id) {
        let Some(number) = self.number_with(chat) else {
            io.failed_at(
                "safety_number",
                Failure::new("no-such-chat"),
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
            verified: self.is_verified(chat),
        });
    }

    /// Whether the number was compared, for the keys that are used.
    pub(crate) fn is_verified(&self, chat: Id) -> bool {
        !self.key_changed(chat)
            && self
                .contact(chat)
                .is_some_and(|contact| contact.pin.is_verified())
    }

    /// `set_verified`.
    pub(crate) fn set_verified(&mut self, io: &mut Io, chat: Id, verified: bool) {
        if self.contact(chat).is_none() || (verified && self.key_changed(chat)) {
            io.failed_at(
                "set_verified",
                Failure::new("no-such-chat"),
                Some(chat),
                None,
            );
            return;
        }
        let now = io.now();
        if let Some(contact) = self.safe.edit().contacts.get_mut(&user(chat)) {
            contact.pin.set_verified(verified, now);
        }
        self.chats_dirty = true;
    }

    /// `check_scan`.
    pub(crate) fn check_scan(&mut self, io: &mut Io, chat: Id, scanned: &str) {
        let Some(number) = self.number_with(chat) else {
            io.failed_at("check_scan", Failure::new("no-such-chat"), Some(chat), None);
            return;
        };
        let digits = |text: &str| -> String { text.chars().filter(char::is_ascii_digit).collect() };
        let equal = digits(&number) == digits(scanned);
        if equal && !self.key_changed(chat) {
            self.set_verified(io, chat, true);
        }
        io.event(Event::ScanChecked { chat, equal });
    }

    /// `accept_changed_key`.
    pub(crate) fn accept_changed_key(&mut self, io: &mut Io, chat: Id) {
        let changed = self
            .peers
            .get_mut(&chat)
            .and_then(|peer| peer.changed.take());
        let Some(keys) = changed else {
            io.failed_at(
                "accept_changed_key",
                Failure::new("no-such-chat"),
                Some(chat),
                None,
            );
            return;
        };
        let now = io.now();
        if let Some(contact) = self.safe.edit().contacts.get_mut(&user(chat)) {
            contact.pin.replace(*keys.fingerprint(), now);
            // Batches of another identity are counted anew.
            contact.batch_seen = 0;
        }
        self.chats_dirty = true;
        self.drop_epochs(chat);
        self.release_held(io, chat);
    }
}
