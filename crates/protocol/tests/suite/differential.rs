//! The verified libraries against their RustCrypto twins.

use ml_dsa::{Keypair, MlDsa87, Signature as TwinSignature};
use ml_kem::kem::{Decapsulate, KeyExport};
use ml_kem::{FromSeed, MlKem1024};
use protocol::primitives::kem::KemSecret;
use protocol::primitives::signature::{Ed25519Seed, MlDsaSeed, SigningKey};
use rand_core::Rng;

use crate::support::SeededRng;

#[test]
fn ml_kem_1024_agrees_with_its_twin() {
    let rng = &mut SeededRng::new(1);
    for _ in 0..16 {
        let secret = KemSecret::generate(rng);
        let public = secret.public();
        let seed = (*secret.expose()).into();
        let (twin_secret, twin_public) = MlKem1024::from_seed(&seed);
        assert_eq!(twin_public.to_bytes().as_slice(), public.as_bytes());
        let (ciphertext, shared) = public.encapsulate(rng);
        let twin_shared = twin_secret
            .decapsulate_slice(ciphertext.as_slice())
            .unwrap();
        assert_eq!(twin_shared.as_slice(), shared.expose());
        assert_eq!(secret.decapsulate(&ciphertext), shared);
        // Implicit rejection gives the same unrelated secret in both.
        let mut wrong = ciphertext;
        wrong[7] ^= 1;
        let rejected = secret.decapsulate(&wrong);
        assert_ne!(rejected, shared);
        let twin_rejected = twin_secret.decapsulate_slice(wrong.as_slice()).unwrap();
        assert_eq!(twin_rejected.as_slice(), rejected.expose());
    }
}

#[test]
fn ml_dsa_87_agrees_with_its_twin() {
    use protocol::codec::Writer;
    let rng = &mut SeededRng::new(2);
    for round in 0..4_u8 {
        let mut seed = [0; 32];
        rng.fill_bytes(&mut seed);
        let ours = SigningKey::from_seeds(
            Ed25519Seed::from_bytes(&[round; 32]),
            MlDsaSeed::from_bytes(&seed),
        );
        let twin = ml_dsa::SigningKey::<MlDsa87>::from_seed(&seed.into());
        let verify = twin.verifying_key();
        assert_eq!(
            verify.encode().as_slice(),
            ours.verify_key().ml_dsa().as_slice()
        );
        const LABEL: &[u8] = b"secure-messaging/1 test";
        let signature = ours.sign(rng, LABEL, b"message");
        let mut bytes = Writer::default();
        signature.write(&mut bytes);
        let bytes = bytes.into_bytes();
        let twin_signature = TwinSignature::<MlDsa87>::try_from(&bytes[64..]).unwrap();
        // What is signed: the label's length, the label, the message.
        let mut signed = vec![23];
        signed.extend_from_slice(LABEL);
        signed.extend_from_slice(b"message");
        assert!(verify.verify_with_context(&signed, LABEL, &twin_signature));
        assert!(!verify.verify_with_context(&signed, b"other", &twin_signature));
        assert!(!verify.verify_with_context(b"message", LABEL, &twin_signature));
        assert!(
            ours.verify_key()
                .verify(LABEL, b"message", &signature)
                .is_ok()
        );
        assert!(
            ours.verify_key()
                .verify(LABEL, b"another", &signature)
                .is_err()
        );
    }
}
