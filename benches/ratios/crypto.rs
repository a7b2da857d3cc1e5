//! The protocol's own cost: epochs and messages over the bare primitives that they are made of.

use std::hint::black_box;
use std::time::{Duration, Instant};

use ambient::Rng;
use protocol::envelope::{
    BodyHash, Content, ContentKind, Conversation, SealedSlot, SlotContent, open_body, open_slot,
    seal_body, seal_slot,
};
use protocol::epoch::{LocalParty, PendingEpoch, SenderEpoch, VerifiedTarget};
use protocol::identity::{AccountKeys, AccountSecrets};
use protocol::ids::{LiveId, MessageId, UserId};
use protocol::prekeys::{SessionBundle, SessionSecrets};
use protocol::primitives::{aead, agreement::AgreementSecret, kdf, kem::KemSecret};

use crate::report::{Aim, Report};

const NOW: u64 = 1_800_000_000;
const TEXT: usize = 900;

struct Person {
    id: UserId,
    live: LiveId,
    secrets: AccountSecrets,
    keys: AccountKeys,
}

impl Person {
    fn new() -> Self {
        let secrets = AccountSecrets::generate(&mut Rng::system());
        let keys = secrets.account_keys(&mut Rng::system());
        Self {
            id: UserId::random(&mut Rng::system()),
            live: LiveId::random(&mut Rng::system()),
            secrets,
            keys,
        }
    }

    fn party(&self) -> LocalParty<'_> {
        LocalParty {
            user_id: self.id,
            secrets: &self.secrets,
            keys: &self.keys,
        }
    }

    fn bundle(&self) -> (SessionSecrets, SessionBundle) {
        SessionSecrets::generate(&mut Rng::system(), &self.secrets, self.id, self.live, NOW)
    }

    fn target(&self, bundle: &SessionBundle) -> VerifiedTarget {
        bundle
            .verify(&self.keys, &self.id, &self.live, NOW)
            .expect("an honest bundle verifies")
    }
}

/// Seconds that one call takes: the best of several rounds, each of which fills the same time.
fn cost(mut call: impl FnMut()) -> f64 {
    let round = Duration::from_millis(120);
    let mut best = f64::INFINITY;
    for _ in 0..5 {
        let (started, mut calls) = (Instant::now(), 0_u32);
        while started.elapsed() < round {
            call();
            calls += 1;
        }
        best = best.min(started.elapsed().as_secs_f64() / f64::from(calls));
    }
    best
}

fn micros(seconds: f64) -> (f64, &'static str) {
    (seconds * 1e6, "µs")
}

/// Measures and reports.
pub(crate) fn run(report: &mut Report) {
    let (alice, bob) = (Person::new(), Person::new());
    let (session, bundle) = bob.bundle();
    let target = bob.target(&bundle);
    let start = || {
        SenderEpoch::start(&mut Rng::system(), NOW, &alice.party(), &target)
            .expect("an epoch starts")
    };

    let ours = cost(|| drop(black_box(start())));
    report.row(
        "epoch start / X25519 ×4, ML-KEM encapsulation, HKDF",
        micros(ours),
        micros(start_primitives()),
        Aim::NEAR_COST,
    );

    let epoch = start();
    let ours = cost(|| {
        let pairs = session
            .pairs_for(epoch.handshake())
            .expect("the pair is there");
        let pending = PendingEpoch::begin(epoch.handshake(), pairs, NOW).expect("the hint opens");
        drop(black_box(
            pending
                .finish(&bob.party(), &alice.keys)
                .expect("the epoch opens"),
        ));
    });
    report.row(
        "epoch open / X25519 ×4, ML-KEM decapsulation, HKDF",
        micros(ours),
        micros(open_primitives()),
        Aim::NEAR_COST,
    );

    messages(report, &alice, &bob, &start, &session);
}

fn messages(
    report: &mut Report,
    alice: &Person,
    bob: &Person,
    start: &dyn Fn() -> SenderEpoch,
    session: &SessionSecrets,
) {
    let content = Content::text("x".repeat(TEXT));
    let mut epoch = start();
    let sealed_once = {
        let id = MessageId::random(&mut Rng::system());
        let body = seal_body(&mut Rng::system(), &content, None).expect("a text fits");
        let slot = seal_slot(
            &mut epoch,
            NOW,
            &id,
            &body.hash,
            &slot_content(alice, bob, body.key.duplicate()),
        )
        .expect("the epoch is open");
        (id, body, slot)
    };
    let bytes = sealed_once.1.bytes.len();

    // An epoch holds fifty messages, so its start is measured apart and taken off again.
    let start_cost = cost(|| drop(black_box(start())));
    let fifty = cost(|| {
        let mut epoch = start();
        for _ in 0..50 {
            let id = MessageId::random(&mut Rng::system());
            let body = seal_body(&mut Rng::system(), &content, None).expect("a text fits");
            let hash = body.hash;
            let slot = slot_content(alice, bob, body.key);
            black_box(seal_slot(&mut epoch, NOW, &id, &hash, &slot).expect("the epoch is open"));
        }
    });
    let ours = (fifty - start_cost) / 50.0;
    report.row(
        "message seal / ChaCha20-Poly1305 ×2, SHA3-256, HKDF ×4",
        micros(ours),
        micros(seal_primitives(bytes)),
        Aim::NEAR_COST,
    );

    let (id, body, slot) = sealed_once;
    let sealed = SealedSlot::decode(&slot.bytes).expect("our own slot decodes");
    let pairs = session
        .pairs_for(&sealed.handshake)
        .expect("the pair is there");
    let received = PendingEpoch::begin(&sealed.handshake, pairs, NOW)
        .and_then(|pending| pending.finish(&bob.party(), &alice.keys))
        .expect("the epoch opens");
    let ours = cost(|| {
        let hash = BodyHash::of(&body.bytes);
        let opened =
            open_slot(&received, &sealed, &slot.target, &id, &hash).expect("the slot opens");
        drop(black_box(
            open_body(&opened.key, &body.bytes).expect("the body opens"),
        ));
    });
    report.row(
        "message open / ChaCha20-Poly1305 ×2, SHA3-256, HKDF ×4",
        micros(ours),
        micros(seal_primitives(bytes)),
        Aim::NEAR_COST,
    );
}

fn slot_content(alice: &Person, bob: &Person, key: protocol::envelope::ContentKey) -> SlotContent {
    SlotContent {
        key,
        sender: alice.id,
        session: alice.live,
        conversation: Conversation::Direct { recipient: bob.id },
        sequence: 1,
        previous: [0; 32],
        earlier: protocol::envelope::EarlierEnds::default(),
        sent_at: NOW,
        life_secs: 86_400,
        burn_on_read: true,
        burn_after_secs: 0,
        kind: ContentKind::Text,
        safe_mark: None,
    }
}

fn derive(count: usize) {
    let mut out = [0; 64];
    for _ in 0..count {
        kdf::derive(&[&[7; 32]], &[b"bench"], &mut out);
        black_box(&out);
    }
}

fn start_primitives() -> f64 {
    let (own, theirs) = (
        AgreementSecret::generate(&mut Rng::system()),
        AgreementSecret::generate(&mut Rng::system()).public(),
    );
    let kem = KemSecret::generate(&mut Rng::system()).public();
    cost(|| {
        black_box(AgreementSecret::generate(&mut Rng::system()).public());
        for _ in 0..3 {
            drop(black_box(own.agree(&theirs)));
        }
        drop(black_box(kem.encapsulate(&mut Rng::system())));
        derive(2);
    })
}

fn open_primitives() -> f64 {
    let (own, theirs) = (
        AgreementSecret::generate(&mut Rng::system()),
        AgreementSecret::generate(&mut Rng::system()).public(),
    );
    let kem = KemSecret::generate(&mut Rng::system());
    let (ciphertext, _) = kem.public().encapsulate(&mut Rng::system());
    cost(|| {
        black_box(own.public());
        for _ in 0..3 {
            drop(black_box(own.agree(&theirs)));
        }
        drop(black_box(kem.decapsulate(&ciphertext)));
        derive(2);
    })
}

fn seal_primitives(body: usize) -> f64 {
    let slot = SealedSlot::ENCODED_LEN;
    cost(|| {
        for size in [body, slot / 10] {
            let mut buffer = Vec::with_capacity(size + aead::TAG_LEN);
            buffer.resize(size, 1);
            aead::seal(&[3; 32], &[0; 12], b"", &mut buffer, 0);
            black_box(&buffer);
        }
        let mut buffer = vec![1; body];
        black_box(kdf::sha3_256(&[&buffer]));
        buffer.clear();
        derive(4);
    })
}
