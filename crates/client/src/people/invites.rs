//! What an invite link proves, and who came by one of ours.

use std::collections::BTreeSet;

use protocol::envelope::InviteCode;
use protocol::identity::Fingerprint;
use protocol::primitives::kdf;
use serde::Deserialize;

use crate::account::parse;
use crate::answers::Answer;
use crate::id::Id;
use crate::io::Io;
use crate::purpose::{Open, Purpose};
use crate::unlocked::Unlocked;

#[derive(Deserialize)]
struct Made {
    id: String,
}

impl Unlocked {
    /// A link named these keys as its maker's.
    pub(super) fn note_linked(&mut self, io: &Io, id: Id, fingerprint: &Fingerprint) {
        let keys = hex::encode(fingerprint.as_bytes());
        let name = link_name(id);
        if self.safe.contents().settings.get(&name) != Some(keys.as_str()) {
            self.safe.edit().settings.set(&name, &keys, io.now());
        }
    }

    /// Whether the keys that are pinned for somebody are those of the link that one came by.
    pub(crate) fn is_linked(&self, id: Id) -> bool {
        let pinned = self
            .contact(id)
            .and_then(|contact| contact.pin.fingerprint().ok());
        let named = self.safe.contents().settings.get(&link_name(id));
        !self.key_changed(id)
            && pinned.is_some_and(|keys| named == Some(hex::encode(keys.as_bytes()).as_str()))
    }

    /// Somebody asks with the code of a link: the server is asked which links are ours.
    pub(crate) fn came_by(&mut self, io: &mut Io, chat: Id, code: InviteCode) {
        // What the server calls an invite is the hash of its code.
        let name = hex::encode(kdf::sha3_256(&[&code.0]));
        self.requests.entry(chat).or_default().invite = Some(name);
        io.get("/invites", Purpose::Open(Open::OwnInvites));
    }

    pub(crate) fn own_invites_came(&mut self, answer: Answer) {
        let Some((200, body)) = answer else {
            return;
        };
        if let Ok(made) = parse::<Vec<Made>>(&body) {
            self.own_invites = made
                .into_iter()
                .map(|made| made.id)
                .collect::<BTreeSet<_>>();
            self.requests_dirty = true;
        }
    }

    /// Whether somebody's request came by a link of ours.
    pub(super) fn by_own_link(&self, chat: Id) -> bool {
        let named = self
            .requests
            .get(&chat)
            .and_then(|request| request.invite.as_ref());
        named.is_some_and(|name| self.own_invites.contains(name))
    }
}

/// Where the safe keeps what a link said of somebody's keys.
fn link_name(id: Id) -> String {
    format!("link/{id}")
}
