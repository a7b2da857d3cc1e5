//! Messages that an enemy seals by hand, under any keys, for a tab or for an account that is away.

use client::testing::{SeededRng, World};
use protocol::envelope::{
    Content, Conversation, Slot, SlotContent, Submission, Target, seal_body, seal_slot,
};
use protocol::epoch::{LocalParty, SenderEpoch, VerifiedTarget};
use protocol::identity::{AccountKeys, AccountSecrets};
use protocol::ids::{LiveId, MessageId, UserId};
use protocol::prekeys::SessionBundle;
use protocol::safe::{SafeMark, open_safe};

use client::testing::PASSPHRASE;

/// A message's id as the protocol has it.
pub(crate) fn mid(id: MessageId) -> MessageId {
    MessageId::from_bytes(*id.as_bytes())
}

/// Posts a message whose slot is one byte.
pub(crate) fn garbage(world: &mut World, from: UserId, target: Target, id: MessageId) {
    let submission = Submission {
        message_id: id,
        life_secs: 3_600,
        burn_on_read: false,
        slots: vec![Slot {
            target,
            prekey_id: None,
            bytes: vec![1],
        }],
        body: vec![1],
    };
    world.server.post_as(from, &submission.encode());
}

/// The live session of a tab.
pub(crate) fn live_target(world: &World, tab: usize, victim: &UserId) -> VerifiedTarget {
    let (live, bundle) = world.server.bundle_of(tab);
    let keys = AccountKeys::decode(&world.server.accounts[victim].public_keys).unwrap();
    SessionBundle::decode(&bundle)
        .unwrap()
        .verify(&keys, victim, &live, world.server.now())
        .unwrap()
}

/// A prekey out of the victim's batch: a one-time pair by its place, or the last resort.
pub(crate) fn prekey_target(
    world: &World,
    victim: &UserId,
    one_time: Option<u32>,
) -> VerifiedTarget {
    let account = &world.server.accounts[victim];
    let keys = AccountKeys::decode(&account.public_keys).unwrap();
    let claimed = account.batch.claimed(one_time).unwrap();
    claimed
        .verify(&keys, victim, world.server.now(), 0)
        .unwrap()
}

/// What is sealed, for whom, and under which id.
pub(crate) struct Forged {
    pub content: Content,
    pub id: MessageId,
    pub burn: bool,
    pub sent_at: u64,
    pub life_secs: u32,
    /// To whom the conversation is, where that is not whoever it is sealed for.
    pub recipient: Option<UserId>,
    /// What one's own session says of the safe.
    pub safe_mark: Option<SafeMark>,
    /// Its number in the conversation; what it names as the one before is made up.
    pub sequence: u64,
}

impl Forged {
    pub(crate) fn new(world: &World, content: Content, id: MessageId) -> Self {
        Self {
            content,
            id,
            burn: false,
            sent_at: world.server.now(),
            life_secs: 3_600,
            recipient: None,
            safe_mark: None,
            sequence: 0,
        }
    }

    /// Seals it as somebody for a target.
    pub(crate) fn seal(
        &self,
        world: &World,
        sender: UserId,
        secrets: &AccountSecrets,
        target: &VerifiedTarget,
    ) -> Submission {
        // Another epoch each time.
        let seed = 1_000_000 + world.server.traffic.len() as u64;
        let mut rng = SeededRng::new(seed);
        let now = world.server.now();
        let own = secrets.account_keys(&mut rng);
        let party = LocalParty {
            user_id: sender,
            secrets,
            keys: &own,
        };
        let mut epoch = SenderEpoch::start(&mut rng, now, &party, target).unwrap();
        let body = seal_body(&mut rng, &self.content, None).unwrap();
        let slot_content = SlotContent {
            key: body.key.duplicate(),
            sender,
            session: LiveId::from_bytes([3; 16]),
            conversation: Conversation::Direct {
                recipient: self.recipient.unwrap_or(*target.target().account()),
            },
            sequence: self.sequence,
            previous: [if self.sequence == 0 { 0 } else { 7 }; 32],
            earlier: protocol::envelope::EarlierEnds::default(),
            sent_at: self.sent_at,
            life_secs: self.life_secs,
            burn_on_read: self.burn,
            burn_after_secs: 0,
            kind: self.content.kind(),
            safe_mark: self.safe_mark,
        };
        let slot = seal_slot(&mut epoch, now, &mid(self.id), &body.hash, &slot_content).unwrap();
        Submission {
            message_id: mid(self.id),
            life_secs: self.life_secs,
            burn_on_read: self.burn,
            slots: vec![slot],
            body: body.bytes,
        }
    }
}

/// Seals a content for a tab's live session, posts it by any account, and lets it arrive.
pub(crate) fn deliver(
    world: &mut World,
    tab: usize,
    sender: UserId,
    secrets: &AccountSecrets,
    content: Content,
    id: MessageId,
) {
    let victim = world.server.user_of(tab);
    let target = live_target(world, tab, &victim);
    let forged = Forged::new(world, content, id);
    let submission = forged.seal(world, sender, secrets, &target);
    world.server.post_as(sender, &submission.encode());
    world.settle();
}

/// The server makes up keys for somebody; gives their private halves and the true public keys.
pub(crate) fn swap_keys(world: &mut World, of: &UserId, seed: u64) -> (AccountSecrets, Vec<u8>) {
    let mut rng = SeededRng::new(seed);
    let fake = AccountSecrets::generate(&mut rng);
    let encoding = fake.account_keys(&mut rng).encode();
    let account = world.server.accounts.get_mut(of).unwrap();
    let real = std::mem::replace(&mut account.public_keys, encoding);
    (fake, real)
}

/// The private keys of an account, as whoever knows its passphrase finds them.
pub(crate) fn stolen(world: &mut World, handle: &str) -> AccountSecrets {
    let user = world.server.user(handle);
    let key = world.server.safe_key(handle, PASSPHRASE);
    let (version, data) = world.server.accounts[&user].history.last().unwrap().clone();
    open_safe(&key, &user, version, &data).unwrap().secrets
}
