//! Activity of a session: only actions of a person count.

/// The kinds of request and frame that the idle end distinguishes.
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
    /// A message is claimed, as soon as it is announced. What is pushed is claimed by nobody's deed.
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
    /// Returns whether only a person does this; actions that clients take by themselves do not count.
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
