//! Epochs: one PQXDH handshake, good for a bucket or fifty messages.
//!
//! A new epoch owes nothing to the last. Inside it a KDF chain gives every message its own key.
//!
//! Specification: `docs/protocol/messages.md#epochs`.

mod bucket;
mod chain;
mod handshake;
mod receiver;
mod replay;
mod secrets;
mod sender;
mod target;
mod transcript;

pub use bucket::{
    BUCKET_SECS, MAX_BUCKETS_AHEAD, MAX_LIFE_SECS, MAX_MESSAGES, OLDEST_EPOCH_SECS,
    WAITING_EPOCH_SECS, bucket_of,
};
pub use chain::SlotKey;
pub use handshake::{EpochPath, Handshake};
pub use receiver::{EpochRecord, PendingEpoch, ReceiverEpoch, ReceiverPairs, SenderClaim};
pub use replay::{KeyRef, ReplayEntry, ReplayError, ReplayMap};
pub use sender::SenderEpoch;
pub use target::VerifiedTarget;

use crate::codec::DecodeError;
use crate::identity::{AccountKeys, AccountSecrets};
use crate::ids::UserId;

/// One's own side of an epoch.
#[derive(Debug, Clone, Copy)]
pub struct LocalParty<'a> {
    /// Own account.
    pub user_id: UserId,
    /// Own private keys.
    pub secrets: &'a AccountSecrets,
    /// The public half of `secrets`.
    pub keys: &'a AccountKeys,
}

/// First 32 bytes of the transcript; names an epoch in replay records.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EpochId(pub [u8; 32]);

impl core::fmt::Debug for EpochId {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let [a, b, c, d, ..] = self.0;
        write!(f, "EpochId({a:02x}{b:02x}{c:02x}{d:02x}..)")
    }
}

/// Why an epoch cannot be started, continued or opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EpochError {
    /// The bytes are not a handshake.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// The handshake's bucket is more than twelve ahead.
    #[error("the message is dated more than an hour ahead; check the clock")]
    TooFarAhead,
    /// The handshake's bucket is older than any message may be.
    #[error("the message is older than any message may be; discard it")]
    TooOld,
    /// No private half is known under the handshake's key ids.
    #[error("the keys of this message are not here; ask the sender to send it again")]
    UnknownKey,
    /// The private half was destroyed.
    #[error("the keys of this message were destroyed; ask the sender to send it again")]
    DestroyedKey,
    /// A key agreement gave all zeros.
    #[error("a key agreement gave nothing secret; discard the message")]
    ZeroSharedSecret,
    /// The sender's claim does not open, so the handshake was not made for these keys.
    #[error("the handshake was not made for these keys; discard the message")]
    BadHint,
    /// The keys given for the claimed sender are not those of the claim.
    #[error("the claimed sender's keys are not those of this handshake; compare safety numbers")]
    SwappedKey,
    /// The sending epoch is used up or out of time.
    #[error("this epoch is over; start a new one")]
    Over,
    /// A counter of fifty or more.
    #[error("the message's counter is above the limit of an epoch; discard it")]
    CounterTooHigh,
}

impl From<crate::primitives::agreement::ZeroSharedSecret> for EpochError {
    fn from(_: crate::primitives::agreement::ZeroSharedSecret) -> Self {
        Self::ZeroSharedSecret
    }
}
