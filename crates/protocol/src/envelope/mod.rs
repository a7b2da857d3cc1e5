//! Envelopes: a body that is sealed once, a slot for each target, and the objects that contain them.

mod attachment;
mod body;
mod content;
mod conversation;
mod ends;
mod padding;
mod parcel;
mod reseal;
mod sequence;
mod slot;
mod slot_content;
mod submission;
mod target;
mod text;

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod hostile;

pub use attachment::{CHUNK_LEN, open_chunk, seal_chunk};
pub use body::{BodyHash, ContentKey, OpenedBody, SealedBody, open_body, seal_body};
pub use content::{Content, ContentKind, InviteCode, Receipt, ReceiptState};
pub use conversation::{Conversation, GroupContext, members_hash};
pub use ends::EarlierEnds;
pub use padding::{MIN_PADDED, padded_len};
pub use parcel::{Parcel, ParcelRef};
pub use reseal::{ResealError, SentRecord};
pub use sequence::{Order, SequenceCounter, SequenceError, SequenceTracker};
pub use slot::{SealedSlot, open_slot, seal_slot};
pub use slot_content::{SlotContent, message_link};
pub use submission::{
    MAX_BODY_LEN, MAX_SLOT_LEN, MAX_SLOTS, Slot, SlotSet, Submission, SubmissionHeader,
};
pub use target::Target;
pub use text::{SecretText, is_blank};

use crate::codec::DecodeError;
use crate::epoch::EpochError;

/// How long a live message may stay unread before the sender adds a waiting slot: seconds.
pub const LIVE_CLAIM_SECS: u64 = 10;

/// Why an envelope cannot be sealed or opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
    /// The bytes are not such an object.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// The epoch cannot give a key.
    #[error(transparent)]
    Epoch(#[from] EpochError),
    /// The parcel is addressed to another account or session.
    #[error("this message is addressed to somebody else; the server cross-delivered it")]
    WrongTarget,
    /// The slot's tag does not verify: it was changed, or moved from another message,
    /// target or body.
    #[error("the slot does not belong to this message, target and body; discard it")]
    MovedSlot,
    /// The slot names another sender than the epoch proves.
    #[error("the slot names another sender than its keys prove; discard it")]
    SenderMismatch,
    /// The conversation is neither with the sender nor one's own.
    #[error("the message belongs to a conversation of other people; discard it")]
    WrongConversation,
    /// The body was not sealed under the slot's content key.
    #[error("the body was not sealed under this message's key; discard it")]
    BadCommitment,
    /// The body's tag does not verify.
    #[error("the body was changed; discard it")]
    BadBody,
    /// Slot and body name different kinds.
    #[error("slot and body name different kinds; discard the message")]
    KindMismatch,
    /// The content is longer than its kind allows.
    #[error("the content is too long; shorten it")]
    TooLong,
}
