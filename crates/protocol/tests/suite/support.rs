//! Two people, their sessions and their prekeys.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use protocol::envelope::{BodyHash, ContentKind};
use protocol::envelope::{
    Content, Conversation, EnvelopeError, Parcel, SealedBody, SealedSlot, Slot, SlotContent,
    open_body, open_slot, seal_body, seal_slot,
};
use protocol::epoch::{
    LocalParty, PendingEpoch, ReceiverEpoch, ReceiverPairs, SenderEpoch, VerifiedTarget,
};
use protocol::identity::{AccountKeys, AccountSecrets};
use protocol::ids::{LiveId, MessageId, UserId};
use protocol::prekeys::{SessionBundle, SessionSecrets, SignedBatch, generate_batch};
use protocol::safe::PrekeySafe;
pub(crate) use protocol::vectors::SeededRng;

pub(crate) const NOW: u64 = 1_800_000_000;

pub(crate) struct Person {
    pub user_id: UserId,
    pub live_id: LiveId,
    pub secrets: AccountSecrets,
    pub keys: AccountKeys,
}

impl Person {
    pub(crate) fn new(seed: u64) -> Self {
        let mut rng = SeededRng::new(seed);
        let secrets = AccountSecrets::generate(&mut rng);
        let keys = secrets.account_keys(&mut rng);
        Self {
            user_id: UserId::random(&mut rng),
            live_id: LiveId::random(&mut rng),
            secrets,
            keys,
        }
    }

    pub(crate) fn party(&self) -> LocalParty<'_> {
        LocalParty {
            user_id: self.user_id,
            secrets: &self.secrets,
            keys: &self.keys,
        }
    }

    pub(crate) fn session(&self, seed: u64, now: u64) -> (SessionSecrets, SessionBundle) {
        let mut rng = SeededRng::new(seed);
        SessionSecrets::generate(&mut rng, &self.secrets, self.user_id, self.live_id, now)
    }

    pub(crate) fn live_target(&self, bundle: &SessionBundle, now: u64) -> VerifiedTarget {
        bundle
            .verify(&self.keys, &self.user_id, &self.live_id, now)
            .unwrap()
    }

    /// A small batch, committed to a prekey safe.
    pub(crate) fn prekeys(&self, seed: u64, number: u32, now: u64) -> (PrekeySafe, SignedBatch) {
        let mut rng = SeededRng::new(seed);
        let batch = generate_batch(
            &mut rng,
            &self.secrets,
            self.user_id,
            number,
            4,
            now,
            &BTreeSet::new(),
        );
        let mut safe = PrekeySafe::default();
        let signed = safe.add_batch(batch);
        (safe, signed)
    }

    pub(crate) fn waiting_target(
        &self,
        batch: &SignedBatch,
        one_time: Option<usize>,
        now: u64,
    ) -> VerifiedTarget {
        let id = one_time.map(|index| batch.leaves[index].prekey_id);
        let claimed = batch.claimed(id).unwrap();
        claimed.verify(&self.keys, &self.user_id, now, 0).unwrap()
    }
}

/// Alice, made once: ML-DSA in an unoptimised test binary is not free.
pub(crate) static ALICE: LazyLock<Person> = LazyLock::new(|| Person::new(1));
/// Bob.
pub(crate) static BOB: LazyLock<Person> = LazyLock::new(|| Person::new(2));
/// Mallory.
pub(crate) static MALLORY: LazyLock<Person> = LazyLock::new(|| Person::new(3));

pub(crate) fn content(from: &Person, to: &Person, body: &SealedBody, sequence: u64) -> SlotContent {
    SlotContent {
        key: body.key.duplicate(),
        sender: from.user_id,
        session: from.live_id,
        conversation: Conversation::Direct {
            recipient: to.user_id,
        },
        sequence,
        previous: [0; 32],
        earlier: protocol::envelope::EarlierEnds::default(),
        sent_at: NOW,
        life_secs: 3_600,
        burn_on_read: true,
        burn_after_secs: 0,
        kind: ContentKind::Text,
        safe_mark: None,
    }
}

/// A sealed message of one slot.
pub(crate) struct Sent {
    pub message_id: MessageId,
    pub body: SealedBody,
    pub slot: Slot,
}

impl Sent {
    pub(crate) fn new(epoch: &mut SenderEpoch, from: &Person, to: &Person, text: &str) -> Self {
        Self::at(epoch, from, to, text, NOW)
    }

    pub(crate) fn at(
        epoch: &mut SenderEpoch,
        from: &Person,
        to: &Person,
        text: &str,
        now: u64,
    ) -> Self {
        let mut rng = SeededRng::new(u64::from(epoch.sent()) + 1_000);
        let message_id = MessageId::random(&mut rng);
        let body = seal_body(&mut rng, &Content::text(text), None).unwrap();
        let content = content(from, to, &body, u64::from(epoch.sent()) + 1);
        let slot = seal_slot(epoch, now, &message_id, &body.hash, &content).unwrap();
        Self {
            message_id,
            body,
            slot,
        }
    }

    pub(crate) fn parcel(&self) -> Parcel {
        Parcel {
            message_id: self.message_id,
            token: [7; 16],
            lease_ms: 30_000,
            target: self.slot.target,
            slot: self.slot.bytes.clone(),
            body: self.body.bytes.clone(),
        }
    }
}

/// Opens a parcel as a client would.
pub(crate) fn open(
    parcel: &Parcel,
    me: &Person,
    pairs: ReceiverPairs<'_>,
    sender: &AccountKeys,
    now: u64,
) -> Result<(ReceiverEpoch, u8, SlotContent, Content), EnvelopeError> {
    if !parcel.target.is_for(&me.user_id, &me.live_id) {
        return Err(EnvelopeError::WrongTarget);
    }
    let slot = SealedSlot::decode(&parcel.slot)?;
    let epoch = PendingEpoch::begin(&slot.handshake, pairs, now)?.finish(&me.party(), sender)?;
    let hash = BodyHash::of(&parcel.body);
    let content = open_slot(&epoch, &slot, &parcel.target, &parcel.message_id, &hash)?;
    let body = open_body(&content.key, &parcel.body)?;
    Ok((epoch, slot.counter, content, body.content))
}

pub(crate) fn text_of(content: &Content) -> &str {
    match content {
        Content::Text { text, .. } => text.as_str(),
        _ => panic!("not a text"),
    }
}
