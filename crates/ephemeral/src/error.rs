//! Errors, one enum for each operation.

use std::time::Duration;

use thiserror::Error;

/// There is no room for a message. What waits unread is never evicted to make some.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Full {
    /// The message is larger than any may be.
    #[error("the message has {bytes} bytes and {limit} are allowed; send less at once")]
    TooLarge {
        /// Bytes asked for.
        bytes: u64,
        /// Bytes allowed.
        limit: u64,
    },
    /// The posting account has used up its own share, which shrinks as the vault fills.
    #[error("too much of yours is waiting unread; try again in {} s", retry_after.as_secs())]
    Account {
        /// When to try again.
        retry_after: Duration,
    },
    /// The vault has no room for this, whoever posts it.
    #[error("the vault is full; try again in {} s", retry_after.as_secs())]
    Vault {
        /// When to try again.
        retry_after: Duration,
    },
}

/// A message was not taken; nothing of it is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PutError {
    /// The id is held already, or was until lately.
    #[error("a message with this id was already posted; do not post it again")]
    Duplicate,
    /// The poster, or somebody whom it is for, was erased.
    #[error("this account does not exist any more; nobody could read the message")]
    Erased,
    /// The life is shorter or longer than allowed.
    #[error("the life must be between {} s and {} s", shortest.as_secs(), longest.as_secs())]
    Life {
        /// The shortest life allowed.
        shortest: Duration,
        /// The longest life allowed.
        longest: Duration,
    },
    /// There is nobody to read it.
    #[error("a message needs at least one slot")]
    NoSlots,
    /// There are more slots than allowed.
    #[error("a message may have {limit} slots; send to fewer at once")]
    TooManySlots {
        /// Slots allowed.
        limit: usize,
    },
    /// Two slots have the same target.
    #[error("two slots have the same target; send one for each")]
    RepeatedTarget,
    /// Body and slots take more than what was reserved.
    #[error("body and slots take {bytes} bytes and {reserved} were reserved")]
    OverReserved {
        /// Bytes that they take.
        bytes: u64,
        /// Bytes reserved.
        reserved: u64,
    },
}

/// A message was not claimed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ClaimError {
    /// Never existed, was read, or expired: the vault cannot tell which.
    #[error("the message is gone")]
    Gone,
    /// Somebody else is reading it; it may come back when their lease is over.
    #[error("the message is being read elsewhere; wait for it to be acknowledged or returned")]
    Taken,
    /// It has no slot that this reader could open.
    #[error("the message has no slot for this session")]
    NotForYou,
    /// No claim token could be made.
    #[error("the operating system gave no random bytes; try again")]
    NoEntropy,
}

/// A claim could not be acknowledged, extended, fetched or given back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum LeaseError {
    /// The message is gone.
    #[error("the message is gone")]
    Gone,
    /// The token is not that of a running claim of this account.
    #[error("the claim is over or was never yours; claim the message again")]
    StaleClaim,
}

/// Slots were not added; none of them is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum AddSlotsError {
    /// The message is gone, or was posted by somebody else.
    #[error("the message is gone")]
    Gone,
    /// The poster, or somebody whom a slot is for, was erased.
    #[error("this account does not exist any more; nobody could read the message")]
    Erased,
    /// There are more slots than allowed.
    #[error("a message may have {limit} slots; send to fewer at once")]
    TooManySlots {
        /// Slots allowed.
        limit: usize,
    },
    /// Two slots have the same target.
    #[error("two slots have the same target; send one for each")]
    RepeatedTarget,
    /// There is no room for them.
    #[error(transparent)]
    Full(#[from] Full),
}
