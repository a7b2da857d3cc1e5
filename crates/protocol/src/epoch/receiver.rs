//! The receiving side of an epoch: first the claim, then the proof.
//!
//! Specification: `docs/protocol/messages.md#receiving-an-epoch`.

use subtle::ConstantTimeEq;

use super::bucket::check_bucket;
use super::chain::ChainKey;
use super::secrets::Anonymous;
use super::transcript::Transcript;
use super::{EpochError, EpochId, EpochPath, Handshake, KeyRef, LocalParty, MAX_MESSAGES, SlotKey};
use crate::identity::{AccountKeys, Fingerprint};
use crate::ids::{MessageId, UserId};
use crate::prekeys::PairSecrets;
use crate::primitives::kem::KemPublic;

/// The private pairs that a handshake names.
#[derive(Debug, Clone, Copy)]
pub struct ReceiverPairs<'a> {
    /// The session pair or the last-resort pair.
    pub signed: &'a PairSecrets,
    /// The one-time pair, exactly on the one-time path.
    pub one_time: Option<&'a PairSecrets>,
}

/// Who a handshake says it is from: a claim until a slot's tag verifies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SenderClaim {
    /// The claimed account.
    pub user_id: UserId,
    /// The claimed identity.
    pub fingerprint: Fingerprint,
}

/// A handshake whose hint opened.
pub struct PendingEpoch<'a> {
    handshake: &'a Handshake,
    pairs: ReceiverPairs<'a>,
    anonymous: Anonymous,
    kem: KemPublic,
    claim: SenderClaim,
}

/// What is kept of an epoch after its slots were opened: names and no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EpochRecord {
    /// The sender whom its slots prove.
    pub sender: SenderClaim,
    /// Its name.
    pub epoch_id: EpochId,
    /// Its bucket.
    pub bucket: u64,
    /// The private half that its messages depend on.
    pub key: KeyRef,
}

/// An epoch that this client can open slots of.
pub struct ReceiverEpoch {
    claim: SenderClaim,
    epoch_id: EpochId,
    handshake: Handshake,
    chain: ChainKey,
}

impl<'a> PendingEpoch<'a> {
    /// Checks the bucket, computes DH3, DH4 and SS and opens the hint.
    pub fn begin(
        handshake: &'a Handshake,
        pairs: ReceiverPairs<'a>,
        now: u64,
    ) -> Result<Self, EpochError> {
        check_bucket(handshake.bucket(), now)?;
        let with_one_time = handshake.path() == EpochPath::OneTime;
        if with_one_time != pairs.one_time.is_some() {
            return Err(EpochError::UnknownKey);
        }
        let ephemeral = handshake.ephemeral();
        let dh3 = pairs.signed.agreement.agree(ephemeral)?;
        let dh4 = pairs
            .one_time
            .map(|pair| pair.agreement.agree(ephemeral))
            .transpose()?;
        let (ss, kem) = pairs
            .one_time
            .unwrap_or(pairs.signed)
            .kem
            .decapsulate_with_public(handshake.ciphertext());
        let anonymous = Anonymous { dh3, dh4, ss };
        let claim = anonymous.open_hint(handshake.before_hint(), handshake.hint())?;
        Ok(Self {
            handshake,
            pairs,
            anonymous,
            kem,
            claim,
        })
    }

    /// Who the handshake says it is from.
    pub fn claim(&self) -> SenderClaim {
        self.claim
    }

    /// Finishes PQXDH with the claimed sender's keys, pinned or fetched.
    pub fn finish(
        self,
        me: &LocalParty<'_>,
        sender: &AccountKeys,
    ) -> Result<ReceiverEpoch, EpochError> {
        let claimed = self.claim.fingerprint.as_bytes();
        if !bool::from(claimed.ct_eq(sender.fingerprint().as_bytes())) {
            return Err(EpochError::SwappedKey);
        }
        let dh1 = self.pairs.signed.agreement.agree(sender.identity())?;
        let dh2 = me.secrets.identity.agree(self.handshake.ephemeral())?;
        let signed = self.pairs.signed.agreement.public();
        let one_time = self.pairs.one_time.map(|pair| pair.agreement.public());
        let transcript = Transcript {
            sender_id: &self.claim.user_id,
            recipient_id: &me.user_id,
            sender,
            recipient: me.keys,
            signed: &signed,
            one_time: one_time.as_ref(),
            kem: &self.kem,
            handshake: self.handshake,
        }
        .hash();
        Ok(ReceiverEpoch {
            claim: self.claim,
            epoch_id: transcript.epoch_id(),
            chain: self.anonymous.chain(&dh1, &dh2, &transcript),
            handshake: self.handshake.clone(),
        })
    }
}

impl core::fmt::Debug for PendingEpoch<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("PendingEpoch")
            .field("claim", &self.claim)
            .finish_non_exhaustive()
    }
}

impl ReceiverEpoch {
    /// The sender; proven for every slot whose tag verifies under this epoch.
    pub fn sender(&self) -> &SenderClaim {
        &self.claim
    }

    /// Its name in replay records.
    pub fn epoch_id(&self) -> EpochId {
        self.epoch_id
    }

    /// Its handshake.
    pub fn handshake(&self) -> &Handshake {
        &self.handshake
    }

    /// Returns what is kept when the epoch and its chain key are dropped.
    pub fn record(&self) -> EpochRecord {
        EpochRecord {
            sender: self.claim,
            epoch_id: self.epoch_id,
            bucket: self.handshake.bucket(),
            key: KeyRef {
                path: self.handshake.path(),
                id: self
                    .handshake
                    .prekey_id()
                    .unwrap_or(self.handshake.signed_id()),
            },
        }
    }

    /// The key of the message at `counter`.
    pub(crate) fn slot_key(
        &self,
        counter: u8,
        message_id: &MessageId,
    ) -> Result<SlotKey, EpochError> {
        if counter >= MAX_MESSAGES {
            return Err(EpochError::CounterTooHigh);
        }
        if counter == 0 {
            return Ok(self.chain.slot_key(message_id));
        }
        let mut chain = self.chain.duplicate();
        for _ in 0..counter {
            chain.advance();
        }
        Ok(chain.slot_key(message_id))
    }
}

impl From<&ReceiverEpoch> for EpochRecord {
    fn from(epoch: &ReceiverEpoch) -> Self {
        epoch.record()
    }
}

impl From<&Self> for EpochRecord {
    fn from(record: &Self) -> Self {
        *record
    }
}

impl core::fmt::Debug for ReceiverEpoch {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("ReceiverEpoch")
            .field("epoch_id", &self.epoch_id)
            .field("chain", &self.chain)
            .finish_non_exhaustive()
    }
}
