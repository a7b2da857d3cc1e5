//! Other people: contacts and their pins, requests of strangers, invites, safety numbers.

mod contacts;
mod invites;
mod keys;
mod lookup;
mod requests;
mod senders;
mod trust;
mod views;

pub(crate) use contacts::clip;
pub(crate) use invites::link_name;
pub(crate) use keys::ShownKeys;
pub(crate) use lookup::is_greeting;
pub(crate) use requests::{Asked, Request};
pub(crate) use senders::Lookups;

/// What is known of somebody in this session's memory.
#[derive(Default)]
pub(crate) struct Peer {
    /// Public keys that were the pinned ones when they came, or the first that were shown of somebody
    /// who is not pinned. Only `keys_for` gives them out.
    pub(crate) keys: Option<ShownKeys>,
    /// Keys that were not the pinned ones; the person has to decide before the next send.
    pub(crate) changed: Option<ShownKeys>,
    /// Handle as the server says.
    pub(crate) handle: String,
    /// Name as the server says.
    pub(crate) alias: String,
    /// Whether the last fetch found a live session.
    pub(crate) live: bool,
}
