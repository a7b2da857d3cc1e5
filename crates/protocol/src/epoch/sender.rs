//! The sending side of an epoch.
//!
//! Specification: `docs/protocol/messages.md#epochs`.

use rand_core::CryptoRng;

use super::chain::ChainKey;
use super::secrets::Anonymous;
use super::transcript::Transcript;
use super::{
    EpochError, EpochId, EpochPath, Handshake, LocalParty, MAX_MESSAGES, SlotKey, VerifiedTarget,
    WAITING_EPOCH_SECS, bucket_of,
};
use crate::envelope::Target;
use crate::identity::Fingerprint;
use crate::ids::MessageId;
use crate::primitives::agreement::AgreementSecret;

/// An epoch that this client sends in; lives in memory only.
pub struct SenderEpoch {
    handshake: Handshake,
    epoch_id: EpochId,
    target: Target,
    fingerprint: Fingerprint,
    chain: ChainKey,
    counter: u8,
    started_at: u64,
    acknowledged: bool,
}

impl SenderEpoch {
    /// Runs PQXDH towards a verified recipient.
    pub fn start(
        rng: &mut (impl CryptoRng + ?Sized),
        now: u64,
        me: &LocalParty<'_>,
        recipient: &VerifiedTarget,
    ) -> Result<Self, EpochError> {
        // The bundle may have been verified in an earlier bucket.
        if recipient
            .bucket
            .is_some_and(|bucket| bucket_of(now) > bucket.saturating_add(1))
        {
            return Err(EpochError::Over);
        }
        let ephemeral = AgreementSecret::generate(rng);
        let dh1 = me.secrets.identity.agree(&recipient.signed)?;
        let dh2 = ephemeral.agree(recipient.keys.identity())?;
        let dh3 = ephemeral.agree(&recipient.signed)?;
        let dh4 = recipient
            .one_time
            .as_ref()
            .map(|(_, key)| ephemeral.agree(key))
            .transpose()?;
        let (ciphertext, ss) = recipient.kem.encapsulate(rng);
        let anonymous = Anonymous { dh3, dh4, ss };
        let mut bytes = Handshake::without_hint(
            bucket_of(now),
            recipient.path,
            recipient.signed_id,
            recipient.one_time.map(|(id, _)| id),
            &ephemeral.public(),
            &ciphertext,
        );
        anonymous.seal_hint(&mut bytes, &me.user_id, me.keys.fingerprint());
        let handshake = Handshake::decode(&bytes)?;
        let transcript = Transcript {
            sender_id: &me.user_id,
            recipient_id: recipient.target.account(),
            sender: me.keys,
            recipient: &recipient.keys,
            signed: &recipient.signed,
            one_time: recipient.one_time.as_ref().map(|(_, key)| key),
            kem: &recipient.kem,
            handshake: &handshake,
        }
        .hash();
        let chain = anonymous.chain(&dh1, &dh2, &transcript);
        Ok(Self {
            handshake,
            epoch_id: transcript.epoch_id(),
            target: recipient.target,
            fingerprint: *recipient.keys.fingerprint(),
            chain,
            counter: 0,
            started_at: now,
            acknowledged: false,
        })
    }

    /// Whether another message may be sent in it at `now`.
    ///
    /// A live epoch ends with its bucket. On the waiting path it goes on past its bucket
    /// for at most 24 hours while nothing of it was acknowledged. Both end after fifty
    /// messages.
    pub fn is_open(&self, now: u64) -> bool {
        let in_bucket = bucket_of(now) <= self.handshake.bucket();
        let waits = self.handshake.path() != EpochPath::Live
            && !self.acknowledged
            && now < self.started_at.saturating_add(WAITING_EPOCH_SECS);
        self.counter < MAX_MESSAGES && (in_bucket || waits)
    }

    /// Notes that a message of it was acknowledged.
    pub fn acknowledged(&mut self) {
        self.acknowledged = true;
    }

    /// Where its slots go.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// The recipient's identity.
    pub fn fingerprint(&self) -> &Fingerprint {
        &self.fingerprint
    }

    /// Its handshake.
    pub fn handshake(&self) -> &Handshake {
        &self.handshake
    }

    /// Its name in replay records.
    pub fn epoch_id(&self) -> EpochId {
        self.epoch_id
    }

    /// How many messages were sent in it.
    pub fn sent(&self) -> u8 {
        self.counter
    }

    /// Returns key and counter of the next message, and erases the chain key before it.
    pub(crate) fn next(
        &mut self,
        now: u64,
        message_id: &MessageId,
    ) -> Result<(SlotKey, u8), EpochError> {
        if !self.is_open(now) {
            return Err(EpochError::Over);
        }
        let key = self.chain.slot_key(message_id);
        let counter = self.counter;
        self.chain.advance();
        self.counter += 1;
        Ok((key, counter))
    }
}

impl core::fmt::Debug for SenderEpoch {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("SenderEpoch")
            .field("epoch_id", &self.epoch_id)
            .field("chain", &self.chain)
            .field("counter", &self.counter)
            .finish_non_exhaustive()
    }
}
