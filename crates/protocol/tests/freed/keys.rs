use protocol::envelope::ContentKey;
use protocol::identity::AccountSecrets;
use protocol::ids::UserId;
use protocol::opaque::ExportKey;
use protocol::primitives::agreement::{AgreementSecret, SharedSecret};
use protocol::primitives::kem::{KemSecret, KemShared};
use protocol::primitives::signature::{Ed25519Seed, MlDsaSeed, SigningKey};
use protocol::recovery_key::{RecoveryKey, RecoveryProof};
use protocol::safe::{
    ResumeHalf, SafeContents, SafeKey, UnsentFront, WriteProof, open_safe, open_unsent,
    passphrase_unwrap, passphrase_wrap, resume_unwrap, resume_wrap, seal_safe, seal_unsent,
};
use protocol::vectors::SeededRng;

use crate::{MARK, NOW, legible_after};

#[test]
fn secrets_of_fixed_size_are_overwritten() {
    let dropped = [
        legible_after(|| drop(AgreementSecret::from_bytes(&[MARK; 32]))),
        legible_after(|| drop(SharedSecret::from_bytes(&[MARK; 32]))),
        legible_after(|| drop(KemSecret::from_bytes(&[MARK; 64]))),
        legible_after(|| drop(KemShared::from_bytes(&[MARK; 32]))),
        legible_after(|| drop(Ed25519Seed::from_bytes(&[MARK; 32]))),
        legible_after(|| drop(MlDsaSeed::from_bytes(&[MARK; 32]))),
        legible_after(|| drop(ExportKey::from_bytes(&[MARK; 64]))),
        legible_after(|| drop(ContentKey::from_bytes(&[MARK; 32]))),
        legible_after(|| drop(SafeKey::from_bytes(&[MARK; 32]))),
        legible_after(|| drop(WriteProof::from_bytes(&[MARK; 32]))),
        legible_after(|| drop(ResumeHalf::from_bytes(&[MARK; 32]))),
        legible_after(|| drop(RecoveryKey::from_bytes(&[MARK; 20]))),
        legible_after(|| drop(RecoveryProof::from_bytes(&[MARK; 32]))),
    ];
    assert_eq!(dropped, [0; 13]);
}

#[test]
fn sealing_and_opening_a_safe_and_its_key_leaves_no_key_behind() {
    let rng = &mut SeededRng::new(3);
    let user = UserId::from_bytes([1; 16]);
    let contents = || {
        let secrets = AccountSecrets {
            identity: AgreementSecret::from_bytes(&[MARK; 32]),
            signing: SigningKey::from_seeds(
                Ed25519Seed::from_bytes(&[MARK; 32]),
                MlDsaSeed::from_bytes(&[MARK; 32]),
            ),
        };
        SafeContents::new(secrets, NOW)
    };
    let key = SafeKey::from_bytes(&[MARK; 32]);
    let half = ResumeHalf::from_bytes(&[1; 32]);
    let export = ExportKey::from_bytes(&[2; 64]);
    let work = || {
        let sealed = seal_safe(rng, &key, &user, 1, &contents());
        assert_eq!(open_safe(&key, &user, 1, &sealed).unwrap(), contents());
        let wrapped = resume_wrap(rng, &key, &half, &user);
        assert_eq!(resume_unwrap(&half, &user, &wrapped).unwrap(), key);
        let wrapped = passphrase_wrap(rng, &key, &export, &user);
        assert_eq!(passphrase_unwrap(&export, &user, &wrapped).unwrap(), key);
        let front = UnsentFront {
            user_id: user,
            chats: Vec::new(),
        };
        let unsent = seal_unsent(rng, &key, front, &|writer| {
            writer.raw(&[MARK; 1_000]);
        });
        drop(open_unsent(&key, &unsent).unwrap());
    };
    assert_eq!(legible_after(work), 0);
}
