//! Rules for sealing a message again for a recipient who could not open it.
//!
//! Specification: `docs/protocol/messages.md#more-slots-for-a-message`.

use crate::epoch::VerifiedTarget;
use crate::identity::Fingerprint;
use crate::ids::{MessageId, UserId};

/// What a sender keeps of a message for one recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentRecord {
    /// The message; a resealed copy has the same id.
    pub message_id: MessageId,
    /// The recipient.
    pub recipient: UserId,
    /// The identity that was pinned when it was first sent.
    pub fingerprint: Fingerprint,
    resealed: bool,
    receipted: bool,
}

/// Why a message is not sealed again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ResealError {
    /// The target belongs to another account.
    #[error("the target belongs to another account; do not send this message there")]
    OtherAccount,
    /// The target belongs to another identity than the one first sent to.
    #[error("the recipient's keys changed since this was sent; write it again by hand")]
    OtherIdentity,
    /// It was sealed again once already.
    #[error("this message was sealed again once already; write it again by hand")]
    AlreadyResealed,
    /// A sealed receipt says that it arrived.
    #[error("this message has a receipt; there is nothing to send again")]
    AlreadyReceipted,
}

impl SentRecord {
    /// Remembers a message at its first sending.
    pub fn new(message_id: MessageId, recipient: UserId, fingerprint: Fingerprint) -> Self {
        Self {
            message_id,
            recipient,
            fingerprint,
            resealed: false,
            receipted: false,
        }
    }

    /// Notes a sealed receipt of the recipient.
    pub fn receipted(&mut self) {
        self.receipted = true;
    }

    /// Whether another slot may be added for a target, such as a waiting one after ten
    /// seconds.
    pub fn allow_slot(&self, target: &VerifiedTarget) -> Result<(), ResealError> {
        if *target.target().account() != self.recipient {
            return Err(ResealError::OtherAccount);
        }
        if *target.fingerprint() != self.fingerprint {
            return Err(ResealError::OtherIdentity);
        }
        if self.receipted {
            return Err(ResealError::AlreadyReceipted);
        }
        Ok(())
    }

    /// Allows sealing again once after the recipient could not open it, and notes that.
    pub fn allow_reseal(&mut self, target: &VerifiedTarget) -> Result<(), ResealError> {
        self.allow_slot(target)?;
        if self.resealed {
            return Err(ResealError::AlreadyResealed);
        }
        self.resealed = true;
        Ok(())
    }
}
