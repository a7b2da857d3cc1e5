//! Prekeys and session bundles: the public halves that senders start epochs with.
//!
//! Specification: `docs/protocol/messages.md#prekey-batches`.

mod batch;
mod bundle;
mod claimed;
mod head;
mod leaf;
mod merkle;
mod pair;

pub use batch::{
    BATCH_LEAVES, ONE_TIME_AT_REGISTRATION, ONE_TIME_PER_BATCH, PrekeyBatch, SignedBatch,
    generate_batch,
};
pub use bundle::{SessionBundle, SessionSecrets};
pub use claimed::{ClaimedPrekey, assemble_claimed};
pub use head::BatchHead;
pub use leaf::{LeafKind, PrekeyLeaf};
pub use merkle::{MerklePath, leaf_hash, path, root};
pub use pair::{PairPublic, PairSecrets};

use crate::codec::DecodeError;
use crate::identity::IdentityError;

/// Life of a leaf: 30 days in seconds.
pub const LEAF_LIFE_SECS: u64 = 30 * 86_400;

/// How far a signed creation time may lie ahead of `now`: one hour in seconds.
pub const CLOCK_TOLERANCE_SECS: u64 = 3_600;

/// Why a prekey, batch or session bundle is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PrekeyError {
    /// The bytes are not such an object.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// The account's keys are not usable.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The signature does not hold.
    #[error("the signature over these prekeys does not hold; do not send to them")]
    BadSignature,
    /// The object belongs to another account.
    #[error("these prekeys belong to another account; the server mixed them up")]
    WrongUser,
    /// The object was signed by another identity than the given keys.
    #[error("these prekeys name another identity than the pinned one; compare safety numbers")]
    WrongIdentity,
    /// The bundle belongs to another live session.
    #[error("this session bundle belongs to another session; the server mixed them up")]
    WrongSession,
    /// The batch is older than one that was already seen.
    #[error("batch {got} is older than batch {seen}, which was seen before; refuse it")]
    StaleBatch {
        /// The highest batch number seen.
        seen: u32,
        /// The batch number that was offered.
        got: u32,
    },
    /// Leaves or batch are past their expiry.
    #[error("these prekeys expired; the recipient must sign in before it can be written to")]
    Expired,
    /// Created, or of a bucket, in the future.
    #[error("these prekeys are from the future; check the clock")]
    FromTheFuture,
    /// The session bundle's bucket is over.
    #[error("this session bundle's five minutes are over; fetch a fresh one")]
    StaleBundle,
    /// The Merkle path does not lead from the leaf to the signed root.
    #[error("this prekey is not part of the signed batch; refuse it")]
    NotInBatch,
    /// A one-time leaf where the last-resort leaf belongs, or the other way round.
    #[error("one-time and last-resort prekeys are exchanged; refuse them")]
    WrongKind,
    /// A batch has too many, too few or twice the same prekeys.
    #[error("a batch is one last-resort and up to 128 one-time prekeys with distinct ids")]
    BadShape,
}
