//! Messages that no client of ours made.

use client::testing::{SeededRng, World};
use protocol::envelope::{
    Content, ContentKind, Conversation, EarlierEnds, SlotContent, Submission, seal_body, seal_slot,
};
use protocol::epoch::{LocalParty, SenderEpoch, VerifiedTarget};
use protocol::identity::{AccountKeys, AccountSecrets};
use protocol::ids::{LiveId, MessageId, UserId};
use protocol::prekeys::SessionBundle;

/// Somebody with an account and no client.
pub(crate) struct Forger {
    pub user: UserId,
    secrets: AccountSecrets,
    rng: SeededRng,
}

/// What a message says of itself, beside its content.
pub(crate) struct Said {
    /// The kind in the slot.
    pub kind: ContentKind,
    /// Unix seconds.
    pub sent_at: u64,
}

pub(crate) fn keys_of(world: &World, user: &UserId) -> AccountKeys {
    AccountKeys::decode(&world.server.accounts[user].public_keys).unwrap()
}

/// The live session of a tab, by the bundle that it has published.
pub(crate) fn live(world: &World, tab: usize, user: &UserId) -> VerifiedTarget {
    let (live, bundle) = world.server.bundle_of(tab);
    SessionBundle::decode(&bundle)
        .unwrap()
        .verify(&keys_of(world, user), user, &live, world.server.now())
        .unwrap()
}

/// An account that is away: its last-resort pair, or a one-time pair of its batch.
pub(crate) fn away(world: &World, user: &UserId, one_time: Option<u32>) -> VerifiedTarget {
    let claimed = world.server.accounts[user].batch.claimed(one_time).unwrap();
    claimed
        .verify(&keys_of(world, user), user, world.server.now(), 0)
        .unwrap()
}

impl Forger {
    pub(crate) fn plant(world: &mut World, handle: &str, seed: u64) -> Self {
        let (user, secrets) = world.server.plant(handle);
        Self {
            user,
            secrets,
            rng: SeededRng::new(seed),
        }
    }

    /// Seals a content in an epoch of its own that begins at `now`, and posts it.
    pub(crate) fn post(
        &mut self,
        world: &mut World,
        target: &VerifiedTarget,
        content: &Content,
        now: u64,
    ) -> MessageId {
        let said = Said {
            kind: content.kind(),
            sent_at: now,
        };
        self.post_as(world, target, content, &said, now)
    }

    pub(crate) fn post_as(
        &mut self,
        world: &mut World,
        target: &VerifiedTarget,
        content: &Content,
        said: &Said,
        now: u64,
    ) -> MessageId {
        let own = self.secrets.account_keys(&mut self.rng);
        let party = LocalParty {
            user_id: self.user,
            secrets: &self.secrets,
            keys: &own,
        };
        let mut epoch = SenderEpoch::start(&mut self.rng, now, &party, target).unwrap();
        let body = seal_body(&mut self.rng, content, None).unwrap();
        let message_id = MessageId::random(&mut self.rng);
        let recipient = *target.target().account();
        let slot_content = SlotContent {
            key: body.key.duplicate(),
            sender: self.user,
            session: LiveId::from_bytes([3; 16]),
            conversation: Conversation::Direct { recipient },
            sequence: 0,
            previous: [0; 32],
            earlier: EarlierEnds::default(),
            sent_at: said.sent_at,
            life_secs: 3_600,
            burn_on_read: false,
            burn_after_secs: 0,
            kind: said.kind,
            safe_mark: None,
        };
        let slot = seal_slot(&mut epoch, now, &message_id, &body.hash, &slot_content).unwrap();
        let submission = Submission {
            message_id,
            life_secs: 3_600,
            burn_on_read: false,
            slots: vec![slot],
            body: body.bytes,
        };
        world.server.post_as(self.user, &submission.encode());
        world.settle();
        message_id
    }
}
