//! What counts as activity of a session: only what a person does.

/// What a request or a frame asks for, as far as the session's idle end is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    /// The client says that somebody used the keyboard or the pointer.
    Input,
    /// The passphrase was given again.
    Reauthentication,
    /// A message is posted. Receipts, repetitions and typing are messages too, and sealed like any
    /// other.
    Post,
    /// Slots are added to a message, by the client when nobody claimed it.
    AddSlots,
    /// A message is claimed, as soon as it is announced.
    Claim,
    /// A claim is acknowledged.
    Acknowledge,
    /// A claim is extended.
    Extend,
    /// A message did not open.
    CannotOpen,
    /// The states of messages are asked for.
    Status,
}

impl Deed {
    /// Returns whether only a person does this; what clients do by themselves is no activity.
    pub const fn is_a_persons(self) -> bool {
        match self {
            Self::Input | Self::Reauthentication => true,
            Self::Post
            | Self::AddSlots
            | Self::Claim
            | Self::Acknowledge
            | Self::Extend
            | Self::CannotOpen
            | Self::Status => false,
        }
    }
}
