//! What an HTTP request was for.

use crate::flows::Step;
use crate::flows::sessions::Invite;
use crate::id::{MessageId, UserId};
use crate::secret_text::SecretText;
use crate::wire::Person;
use protocol::link::Ticket;

/// Kept until the answer comes.
#[derive(Debug)]
pub(crate) enum Purpose {
    /// Nobody waits for the answer.
    Ignore,
    /// The server's state.
    Server,
    /// Whether there is a session, at start.
    Session,
    /// Why the socket did not open, which a browser does not tell.
    Unopened,
    /// The server's half of a resume wrap.
    ResumeHalf,
    /// A step of sign-in, registration, recovery or a change of passphrase.
    Flow(Step),
    /// The session is being ended by its owner.
    SignOut,
    /// Whether a registration would be taken.
    RegistrationCheck,
    /// A new alias was stored.
    Alias(String),
    /// The list of sessions, or a change of it.
    Sessions { during: &'static str, list: bool },
    /// The registration mode was set.
    Registration,
    /// Something of invites.
    InviteMade,
    /// The list of invites, or a change of it.
    Invites { during: &'static str, list: bool },
    /// Anything that needs the keys.
    Open(Open),
}

/// Requests of the unlocked part.
#[derive(Debug)]
pub(crate) enum Open {
    /// Both safes were written by another session; the number of the read.
    SafeRead(u32),
    /// The key safe is being written.
    SafeWritten,
    /// The prekey safe is being written.
    PrekeySafeWritten,
    /// Stock of prekeys.
    Stock,
    /// A new batch.
    BatchPut,
    /// Which prekeys something waits under.
    InUse,
    /// Bundles of somebody, for the messages that wait for them.
    Bundles { user: UserId, want_prekey: bool },
    /// A message under a ticket.
    Posted(MessageId),
    /// A large parcel under a ticket.
    Parcel(MessageId, Box<Ticket>),
    /// Keys of the claimed sender of the message under way.
    Sender(UserId),
    /// Somebody by handle.
    Lookup { handle: String },
    /// Somebody by handle, to be asked for contact.
    Request(SecretText),
    /// The owner of an invite link.
    Inviter(Invite),
    /// An invite that somebody else made is being used.
    InviteUsed { invite: Invite, inviter: Person },
    /// The links that were made here, to know who came by one.
    OwnInvites,
}
