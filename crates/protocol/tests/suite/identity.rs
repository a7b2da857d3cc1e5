use protocol::DecodeError;
use protocol::identity::{AccountKeys, Fingerprint, IdentityError, safety_number};

use crate::support::{ALICE, BOB};

#[test]
fn public_keys_survive_their_encoding_and_keep_their_fingerprint() {
    let encoded = ALICE.keys.encode();
    assert_eq!(encoded.len(), AccountKeys::ENCODED_LEN);
    let decoded = AccountKeys::decode(&encoded).unwrap();
    assert_eq!(decoded, ALICE.keys);
    assert_eq!(*decoded.fingerprint(), ALICE.secrets.fingerprint());
}

#[test]
fn every_part_of_the_public_keys_is_covered_by_both_signatures() {
    let encoded = ALICE.keys.encode();
    for at in [3, 40, 100, 2_658, 2_700, 3_000, encoded.len() - 1] {
        let mut changed = encoded.clone();
        changed[at] ^= 1;
        let error = AccountKeys::decode(&changed).unwrap_err();
        assert!(
            matches!(
                error,
                IdentityError::BadSignature | IdentityError::Decode(DecodeError::InvalidKey)
            ),
            "byte {at}: {error:?}"
        );
    }
}

#[test]
fn a_signature_of_somebody_else_does_not_carry_over() {
    let mut mixed = ALICE.keys.encode();
    let other = BOB.keys.encode();
    mixed[3..35].copy_from_slice(&other[3..35]);
    assert_eq!(
        AccountKeys::decode(&mixed).unwrap_err(),
        IdentityError::BadSignature
    );
}

#[test]
fn keys_other_than_the_pinned_ones_are_swapped_keys() {
    assert_eq!(ALICE.keys.expect(ALICE.keys.fingerprint()), Ok(()));
    assert_eq!(
        BOB.keys.expect(ALICE.keys.fingerprint()),
        Err(IdentityError::SwappedKey)
    );
}

#[test]
fn low_order_and_non_canonical_points_are_refused() {
    use protocol::primitives::agreement::AgreementPublic;
    let mut prime = [0xff; 32];
    (prime[0], prime[31]) = (0xed, 0x7f);
    let mut below = prime;
    below[0] = 0xec;
    let mut above = prime;
    above[0] = 0xf6;
    let mut high_bit = [9; 32];
    high_bit[31] = 0x89;
    let mut one = [0; 32];
    one[0] = 1;
    for (name, point) in [
        ("zero", [0; 32]),
        ("one", one),
        ("minus one", below),
        ("the prime", prime),
        ("nine and the prime", above),
        ("the high bit", high_bit),
        ("all ones", [0xff; 32]),
    ] {
        assert_eq!(
            AgreementPublic::from_bytes(&point),
            Err(DecodeError::InvalidKey),
            "{name}"
        );
    }
    let mut base = [0; 32];
    base[0] = 9;
    assert!(AgreementPublic::from_bytes(&base).is_ok());
}

#[test]
fn the_safety_number_is_sixty_digits_and_the_same_for_both() {
    let (alice, bob) = (ALICE.keys.fingerprint(), BOB.keys.fingerprint());
    let number = safety_number(alice, bob);
    assert_eq!(number, safety_number(bob, alice));
    let groups: Vec<&str> = number.split(' ').collect();
    assert_eq!(groups.len(), 12);
    assert!(
        groups
            .iter()
            .all(|group| group.len() == 5 && group.bytes().all(|byte| byte.is_ascii_digit()))
    );
    let other = Fingerprint::from_bytes([1; 64]);
    assert_ne!(number, safety_number(alice, &other));
}
