//! An invite link of ours by which somebody came, and keys that a link named.
//!
//! Specification: `docs/protocol/accounts.md#invites`.

use std::collections::BTreeSet;

use api::ids::InviteHash;
use protocol::envelope::InviteCode;
use protocol::primitives::kdf;

use crate::answers::Answer;
use crate::effects::Effect;
use crate::flows::parse;
use crate::id::{ConversationId, UserId};
use crate::io::Io;
use crate::purpose::{Open, Purpose};
use crate::state::contacts::Contacts;
use crate::state::safes::Safe;
use crate::wire::Invite as OwnInvite;

impl Contacts {
    /// Whether the keys that are pinned for somebody are those of the link that one came by.
    pub(crate) fn is_linked(&self, id: UserId, safe: &Safe) -> bool {
        let pinned = safe
            .contact(ConversationId::with(id))
            .and_then(|contact| contact.pin.fingerprint().ok());
        let named = safe.contents().settings.get(&link_name(id));
        !self.key_changed(id, safe)
            && pinned.is_some_and(|keys| named == Some(hex::encode(keys.as_bytes()).as_str()))
    }

    /// Somebody asks with the code of a link: the server is asked which links are ours.
    pub(crate) fn came_by(&mut self, io: &mut Io, chat: ConversationId, code: InviteCode) {
        // What the server calls an invite is the hash of its code.
        let name = InviteHash::from_bytes(kdf::sha3_256(&[&code.0]));
        self.requests.entry(chat).or_default().invite = Some(name);
        io.get("/invites", Purpose::Open(Open::OwnInvites));
    }

    pub(crate) fn own_invites_came(&mut self, io: &mut Io, answer: Answer) {
        let Some((200, body)) = answer else {
            return;
        };
        if let Ok(made) = parse::<Vec<OwnInvite>>(&body) {
            self.own_invites = made
                .into_iter()
                .map(|made| made.id)
                .collect::<BTreeSet<_>>();
            io.ask(Effect::TellRequests);
        }
    }

    /// Whether somebody's request came by a link of ours.
    pub(crate) fn by_own_link(&self, chat: ConversationId) -> bool {
        let named = self
            .requests
            .get(&chat)
            .and_then(|request| request.invite.as_ref());
        named.is_some_and(|name| self.own_invites.contains(name))
    }
}

/// Where the safe keeps what a link said of somebody's keys.
pub(crate) fn link_name(id: UserId) -> String {
    format!("link/{id}")
}
