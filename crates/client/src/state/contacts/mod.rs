//! Other people: contacts and their pins, requests of strangers, invites, safety numbers.

pub(crate) mod invites;
pub(crate) mod keys;
pub(crate) mod lookup;
pub(crate) mod names;
pub(crate) mod requests;
pub(crate) mod senders;
pub(crate) mod trust;

use std::collections::{BTreeMap, BTreeSet};

use api::ids::InviteHash;

pub(crate) use invites::link_name;
pub(crate) use keys::ShownKeys;
pub(crate) use lookup::is_greeting;
pub(crate) use names::clip;
pub(crate) use senders::Lookups;

use crate::id::{ConversationId, MessageId, UserId};
use crate::state::safes::Safe;

/// What this session knows of other people, beside what the safe keeps.
#[derive(Default)]
pub(crate) struct Contacts {
    peers: BTreeMap<UserId, Peer>,
    requests: BTreeMap<ConversationId, Request>,
    /// Names of the invite links that were made here, as the server lists them.
    own_invites: BTreeSet<InviteHash>,
    lookups: Lookups,
}

impl Contacts {
    /// What this session has opened of somebody who asks.
    pub(crate) fn request(&self, chat: ConversationId) -> Option<&Request> {
        self.requests.get(&chat)
    }

    /// The same, to be added to.
    pub(crate) fn note_request(&mut self, chat: ConversationId) -> &mut Request {
        self.requests.entry(chat).or_default()
    }

    /// Takes what was opened of somebody who was decided on.
    pub(crate) fn take_request(&mut self, chat: ConversationId) -> Request {
        self.requests.remove(&chat).unwrap_or_default()
    }

    /// Who is not pending any more, of those who asked.
    pub(crate) fn decided(&self, safe: &Safe) -> Vec<ConversationId> {
        let asked = self.requests.keys().copied();
        asked.filter(|chat| safe.pending(*chat).is_none()).collect()
    }

    /// Whether the last fetch found a live session of somebody.
    pub(crate) fn is_live(&self, id: UserId) -> bool {
        self.peers.get(&id).is_some_and(|peer| peer.live)
    }

    /// Look-ups that are to be made again.
    pub(crate) const fn lookups(&self) -> &Lookups {
        &self.lookups
    }

    /// The connection is gone.
    pub(crate) fn offline(&mut self) {
        self.lookups.forget();
    }
}

/// What this session has opened of somebody who asks.
#[derive(Default)]
pub(crate) struct Request {
    /// Requests, the newest last. The first line of one is a text as those that came with it.
    pub(crate) asks: Vec<MessageId>,
    /// Something of it came under other keys than those seen first.
    pub(crate) other_keys: bool,
    /// Name of the invite link whose code they showed.
    pub(crate) invite: Option<InviteHash>,
}

/// What is known of somebody in this session's memory.
#[derive(Default)]
struct Peer {
    /// Public keys that were the pinned ones when they came, or the first that were shown of somebody
    /// who is not pinned. Only `keys_for` gives them out.
    keys: Option<ShownKeys>,
    /// Keys that were not the pinned ones; the person has to decide before the next send.
    changed: Option<ShownKeys>,
    /// Handle as the server says.
    handle: String,
    /// Name as the server says.
    alias: String,
    /// Whether the last fetch found a live session.
    live: bool,
}
