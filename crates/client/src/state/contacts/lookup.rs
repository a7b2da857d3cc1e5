//! Finding people by handle, and whether somebody may be asked for contact.

use api::Own;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::{ShownKeys, clip};
use crate::answers::Answer;
use crate::event::{Event, PersonView};
use crate::failure::Failure;
use crate::flows::parse;
use crate::flows::sessions::Invite;
use crate::id::ConversationId;
use crate::io::Io;
use crate::purpose::{Open, Purpose};
use crate::refusal::Refusal;
use crate::secret_text::SecretText;
use crate::state::contacts::Contacts;
use crate::state::safes::Safe;
use crate::wire::Person;

/// Longest first line of a request, characters.
const MAX_GREETING: usize = 280;

impl Contacts {
    /// `lookup`.
    pub(crate) fn lookup(&mut self, io: &mut Io, handle: &str) {
        let Some(path) = path_of(handle) else {
            io.failed("lookup", Failure::new(Own::BadHandle));
            return;
        };
        io.get(
            &path,
            Purpose::Open(Open::Lookup {
                handle: handle.to_owned(),
            }),
        );
    }

    pub(crate) fn looked_up(&mut self, io: &mut Io, handle: String, answer: Answer, safe: &Safe) {
        match answer {
            Some((200, body)) => match parse::<Person>(&body) {
                Ok(found) => {
                    self.note_person(&found);
                    let person = PersonView {
                        user_id: found.user_id,
                        handle: clip(&found.handle),
                        alias: clip(&found.alias),
                        relation: safe.relation_to(found.user_id).to_owned(),
                    };
                    io.event(Event::LookedUp {
                        handle,
                        person: Some(person),
                    });
                }
                Err(failure) => io.failed("lookup", failure),
            },
            Some((404, _)) => io.event(Event::LookedUp {
                handle,
                person: None,
            }),
            Some((status, body)) => io.failed("lookup", Failure::from_answer(status, &body)),
            None => io.failed("lookup", Failure::new(Own::Offline)),
        }
    }

    /// `request_contact`.
    pub(crate) fn request_contact(&mut self, io: &mut Io, handle: &str, greeting: SecretText) {
        let Some(path) = path_of(handle) else {
            io.failed("request_contact", Failure::new(Own::BadHandle));
            return;
        };
        if !is_greeting(&greeting) {
            io.failed("request_contact", Failure::new(Own::TextTooLong));
            return;
        }
        io.get(&path, Purpose::Open(Open::Request(greeting)));
    }

    /// Checks that somebody may be asked: they are not blocked, their keys are whole, and those that the
    /// link named.
    pub(crate) fn may_ask(
        &mut self,
        io: &mut Io,
        found: &Person,
        invite: Option<&Invite>,
        safe: &Safe,
    ) -> Result<ShownKeys, Failure> {
        let id = found.user_id;
        if safe.contents().is_blocked(&found.user_id) {
            return Err(Failure::new(Own::Blocked));
        }
        self.note_person(found);
        let shown = self.decode_keys(io, id, &found.public_keys)?;
        let fingerprint = shown.keys.fingerprint().as_bytes();
        if invite.is_some_and(|invite| !fingerprint.starts_with(&invite.pin)) {
            io.refused(Refusal::InvitePin, Some(ConversationId::with(id)), None);
            return Err(Refusal::InvitePin.into());
        }
        Ok(shown)
    }

    /// Remembers what the server says of somebody's names.
    pub(crate) fn note_person(&mut self, found: &Person) {
        let peer = self.peers.entry(found.user_id).or_default();
        peer.handle = clip(&found.handle);
        peer.alias = clip(&found.alias);
    }
}

/// Whether a text fits into a request.
pub(crate) fn is_greeting(text: &SecretText) -> bool {
    text.expose().chars().count() <= MAX_GREETING
}

/// What is escaped in a segment of a path: a segment of dots alone would be taken for another path.
const IN_A_SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'~');

/// The path of a look-up; `None` for what can be no handle.
fn path_of(handle: &str) -> Option<String> {
    let handle = protocol::name::bare_handle(handle);
    let length = handle.chars().count();
    if length == 0 || length > 64 || handle.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return None;
    }
    let handle = utf8_percent_encode(handle, IN_A_SEGMENT);
    Some(format!("/users/by-handle/{handle}"))
}

#[cfg(test)]
mod tests {
    use super::path_of;

    #[test]
    fn a_handle_is_one_percent_encoded_path_segment() {
        assert_eq!(
            path_of("@jörg./x").as_deref(),
            Some("/users/by-handle/j%C3%B6rg%2E%2Fx")
        );
    }

    #[test]
    fn nothing_and_white_space_are_no_handles() {
        assert_eq!(path_of("  "), None);
        assert_eq!(path_of("a b"), None);
    }

    #[test]
    fn a_handle_has_at_most_64_characters() {
        let paths = [64, 65].map(|length| path_of(&"ö".repeat(length)));
        assert!(paths[0].is_some() && paths[1].is_none());
    }
}
