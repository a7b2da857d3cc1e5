use protocol::boot::{BootError, BootSigningKey, SignedBoot};

use crate::support::{NOW, SeededRng};

#[test]
fn a_boot_id_is_signed_and_the_servers_key_is_pinned() {
    let rng = &mut SeededRng::new(1);
    let key = BootSigningKey::generate(rng);
    let stored = BootSigningKey::from_bytes(&key.to_bytes());
    let one = stored.sign(rng, [1; 16], NOW);
    let boot = SignedBoot::decode(&one.encode()).unwrap();
    let verified = boot.verify(None).unwrap();
    assert_eq!((verified.boot_id, verified.at), ([1; 16], NOW));
    let two = key.sign(rng, [2; 16], NOW + 1);
    assert!(two.verify(Some(&verified.fingerprint)).is_ok());
    let other = BootSigningKey::generate(rng).sign(rng, [3; 16], NOW);
    assert_eq!(
        other.verify(Some(&verified.fingerprint)),
        Err(BootError::OtherServer)
    );
    let mut changed = one.encode();
    changed[3] ^= 1;
    assert_eq!(
        SignedBoot::decode(&changed).unwrap().verify(None),
        Err(BootError::BadSignature)
    );
}
