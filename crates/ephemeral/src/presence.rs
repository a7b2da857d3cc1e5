//! The trait of presence: which live sessions are connected, and how to write to them.

use crate::{Answer, LiveId, MessageId, SessionId, Target, UserId};

/// One connection of a live session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Connection {
    /// The account.
    pub account: UserId,
    /// The session that opened it.
    pub session: SessionId,
    /// The live session.
    pub live: LiveId,
    /// Drawn at random by the instance that holds it, so that two of one live session are told apart.
    pub number: u64,
}

/// A session bundle, as its session published it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bundle {
    /// The bucket of time that it was made for.
    pub bucket: u64,
    /// The encoded bundle.
    pub bytes: Vec<u8>,
}

/// A session holds as many connections as it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this session holds too many sockets; close some")]
pub struct TooManySockets;

/// Something that the connections of this instance must be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// Another connection took the place of this one.
    Replaced(Connection),
    /// The plane has begun anew where this connection's account lies: it is to be closed, so that its
    /// client comes again.
    Lost(Connection),
    /// A session has ended: its connections are to be closed with this code.
    Ended {
        /// The account.
        account: UserId,
        /// Its session.
        session: SessionId,
        /// The code of the WebSocket's end.
        code: u16,
    },
    /// A text for every connection of an account but one.
    Relayed {
        /// The account.
        account: UserId,
        /// The live session that is not told.
        besides: Option<LiveId>,
        /// The text.
        text: String,
    },
    /// Accounts were changed at another instance: who is signed in is to be looked at again.
    AccountsChanged,
}

/// Knows the connected live sessions of every account, on every instance, with their bundles.
pub trait Presence: Send + Sync {
    /// Adds a connection; it replaces one of the same live session, which a [`Notice`] tells.
    fn join(
        &self,
        connection: Connection,
        per_session: usize,
    ) -> Answer<'_, Result<(), TooManySockets>>;

    /// Removes a connection; returns whether its live session has no other. If so, the vault is told
    /// that it left.
    fn leave(&self, connection: &Connection) -> Answer<'_, bool>;

    /// Publishes a bundle for a connection that is still there; returns whether it is the first.
    fn publish(&self, connection: &Connection, bundle: Bundle) -> Answer<'_, bool>;

    /// Withdraws the bundle of a connection.
    fn withdraw(&self, connection: &Connection) -> Answer<'_, ()>;

    /// Withdraws every bundle of an account, whose identity was replaced.
    fn withdraw_all(&self, account: UserId) -> Answer<'_, ()>;

    /// Returns the connections of an account that have a bundle for this bucket of time or a later one.
    fn bundles(&self, account: UserId, bucket: u64) -> Answer<'_, Vec<(Connection, Vec<u8>)>>;

    /// If a live session left while a message was posted to it, treats it as one that left
    /// afterwards.
    fn mark_absent(&self, id: MessageId, targets: &[Target]) -> Answer<'_, ()>;

    /// Ends a session: its bundles are withdrawn, and a [`Notice`] closes its connections.
    fn end_session(&self, account: UserId, session: SessionId, code: u16) -> Answer<'_, ()>;

    /// Sends a text to the connections of an account, but to none of the live session `besides`.
    fn relay(&self, account: UserId, besides: Option<LiveId>, text: String) -> Answer<'_, ()>;

    /// Tells every other instance that accounts were changed.
    fn accounts_changed(&self) -> Answer<'_, ()>;
}
