//! What a secret prints of itself: nothing.

use insta::assert_snapshot;
use protocol::envelope::{Content, ContentKey, InviteCode, SecretText, seal_body};
use protocol::epoch::{PendingEpoch, SenderEpoch};
use protocol::opaque::{ExportKey, ServerSetup, login_start, register_start};
use protocol::prekeys::PairSecrets;
use protocol::primitives::agreement::{AgreementSecret, SharedSecret};
use protocol::primitives::kem::{KemSecret, KemShared};
use protocol::primitives::signature::{Ed25519Seed, MlDsaSeed, SigningKey};
use protocol::recovery_key::{RecoveryKey, RecoveryProof};
use protocol::safe::{ResumeHalf, SafeKey, WriteProof};

use crate::support::{ALICE, BOB, NOW, SeededRng, Sent};

#[test]
fn fixed_size_secrets_print_their_name_only() {
    let rng = &mut SeededRng::new(1);
    let printed = [
        format!("{:?}", AgreementSecret::random(rng)),
        format!("{:?}", SharedSecret::random(rng)),
        format!("{:?}", KemSecret::random(rng)),
        format!("{:?}", KemShared::random(rng)),
        format!("{:?}", Ed25519Seed::random(rng)),
        format!("{:?}", MlDsaSeed::random(rng)),
        format!("{:?}", ExportKey::random(rng)),
        format!("{:?}", ContentKey::random(rng)),
        format!("{:?}", SafeKey::random(rng)),
        format!("{:?}", WriteProof::random(rng)),
        format!("{:?}", ResumeHalf::random(rng)),
        format!("{:?}", RecoveryKey::random(rng)),
        format!("{:?}", RecoveryProof::random(rng)),
        format!("{:?}", SecretText::from("words")),
    ];
    assert_snapshot!(printed.join("\n"), @r"
    AgreementSecret(..)
    SharedSecret(..)
    KemSecret(..)
    KemShared(..)
    Ed25519Seed(..)
    MlDsaSeed(..)
    ExportKey(..)
    ContentKey(..)
    SafeKey(..)
    WriteProof(..)
    ResumeHalf(..)
    RecoveryKey(..)
    RecoveryProof(..)
    SecretText(..)
    ");
}

#[test]
fn what_holds_secrets_prints_none_of_them() {
    let rng = &mut SeededRng::new(2);
    assert_snapshot!(
        format!("{:?}", ALICE.secrets),
        @"AccountSecrets { identity: AgreementSecret(..), signing: SigningKey { ed25519: Ed25519Seed(..), ml_dsa: MlDsaSeed(..) } }"
    );
    assert_snapshot!(
        format!("{:?}", PairSecrets::generate(rng)),
        @"PairSecrets { agreement: AgreementSecret(..), kem: KemSecret(..) }"
    );
    assert_snapshot!(
        format!("{:?}", SigningKey::generate(rng)),
        @"SigningKey { ed25519: Ed25519Seed(..), ml_dsa: MlDsaSeed(..) }"
    );
    assert_snapshot!(format!("{:?}", register_start(rng, b"pass").unwrap().0), @"RegisterState(..)");
    assert_snapshot!(format!("{:?}", login_start(rng, b"pass").unwrap().0), @"LoginState(..)");
    assert_snapshot!(format!("{:?}", ServerSetup::generate(rng)), @"ServerSetup(..)");
    assert_snapshot!(
        format!("{:?}", protocol::boot::BootSigningKey::generate(rng)),
        @"BootSigningKey(SigningKey { ed25519: Ed25519Seed(..), ml_dsa: MlDsaSeed(..) })"
    );
}

#[test]
fn epochs_and_contents_print_no_key_and_no_word() {
    let rng = &mut SeededRng::new(3);
    let (session, bundle) = BOB.session(50, NOW);
    let target = BOB.live_target(&bundle, NOW);
    let mut epoch = SenderEpoch::start(rng, NOW, &ALICE.party(), &target).unwrap();
    assert_snapshot!(
        format!("{epoch:?}"),
        @"SenderEpoch { epoch_id: EpochId(429d5a5d..), chain: ChainKey(..), counter: 0, .. }"
    );
    let sent = Sent::new(&mut epoch, &ALICE, &BOB, "words");
    let slot = protocol::envelope::SealedSlot::decode(&sent.slot.bytes).unwrap();
    let pairs = session.pairs_for(&slot.handshake).unwrap();
    let receiver = PendingEpoch::begin(&slot.handshake, pairs, NOW)
        .unwrap()
        .finish(&BOB.party(), &ALICE.keys)
        .unwrap();
    assert_snapshot!(
        format!("{receiver:?}"),
        @"ReceiverEpoch { epoch_id: EpochId(429d5a5d..), chain: ChainKey(..), .. }"
    );
    let content = Content::Request {
        handle: "alice".into(),
        alias: "Alice".into(),
        greeting: "hello".into(),
        invite: Some(InviteCode([7; 16])),
    };
    assert_snapshot!(
        format!("{content:?}"),
        @"Request { handle: SecretText(..), alias: SecretText(..), greeting: SecretText(..), invite: Some(InviteCode(..)) }"
    );
    let body = seal_body(rng, &content, None).unwrap();
    assert!(format!("{body:?}").starts_with("SealedBody { key: ContentKey(..)"));
}
