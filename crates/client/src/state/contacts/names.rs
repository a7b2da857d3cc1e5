//! Names of people as they are shown, whatever they send.

use crate::event::{Event, PersonView};
use crate::id::UserId;
use crate::io::Io;
use crate::state::contacts::Contacts;
use crate::state::safes::Safe;

impl Contacts {
    /// Everybody who is blocked.
    pub(crate) fn emit_blocked(&self, io: &mut Io, safe: &Safe) {
        let contents = safe.contents();
        let mut people: Vec<PersonView> = contents
            .blocks
            .iter()
            .filter(|(_, block)| block.value)
            .map(|(user, _)| {
                let id = *user;
                let (handle, alias) = self.names_of(id, safe);
                PersonView {
                    user_id: id,
                    handle,
                    alias,
                    relation: "blocked".to_owned(),
                }
            })
            .collect();
        people.sort_by(|a, b| a.alias.cmp(&b.alias));
        io.event(Event::Blocked { people });
    }

    /// Handle and name: the contact's, else the server's.
    pub(crate) fn names_of(&self, id: UserId, safe: &Safe) -> (String, String) {
        let kept = safe.contents().contacts.get(&id);
        let peer = self.peers.get(&id);
        let pick = |kept: Option<&str>, heard: Option<&str>| {
            kept.filter(|name| !name.is_empty())
                .or(heard)
                .unwrap_or_default()
                .to_owned()
        };
        let handle = pick(
            kept.map(|c| c.handle.value.as_str()),
            peer.map(|p| p.handle.as_str()),
        );
        let alias = pick(
            kept.map(|c| c.alias.value.as_str()),
            peer.map(|p| p.alias.as_str()),
        );
        let alias = if alias.is_empty() {
            handle.clone()
        } else {
            alias
        };
        (handle, alias)
    }
}

/// A name of somebody else as it is shown, whatever they send.
pub(crate) fn clip(name: &str) -> String {
    protocol::name::shown(name)
}

#[cfg(test)]
mod tests {
    use super::clip;

    #[test]
    fn names_of_others_turn_no_line_around_and_end_none() {
        assert_eq!(clip("bob\u{202E}ecila\u{202C}\n"), "bobecila");
        assert_eq!(clip("\u{2066}a\u{2069}\u{2029}b\u{0}"), "ab");
        assert_eq!(clip(&"x".repeat(65)), "x".repeat(64));
    }

    #[test]
    fn joined_emoji_and_joiners_of_a_script_stay_in_a_name() {
        let name = "\u{1F469}\u{200D}\u{1F4BB} \u{645}\u{6CC}\u{200C}\u{62E}";
        assert_eq!(clip(name), name);
    }
}
