//! Which public keys are taken, and what they print.

use protocol::DecodeError;
use protocol::codec::Reader;
use protocol::primitives::agreement::AgreementPublic;
use protocol::primitives::kem::KemSecret;
use protocol::primitives::signature::{SIGNATURE_LEN, Signature, VERIFY_KEY_LEN, VerifyKey};

use crate::support::ALICE;

/// A little-endian number below 2^256: the lowest byte, 30 times the middle one, the highest byte.
fn number(lowest: u8, middle: u8, highest: u8) -> [u8; 32] {
    let mut bytes = [middle; 32];
    bytes[0] = lowest;
    bytes[31] = highest;
    bytes
}

#[test]
fn a_point_is_written_with_the_least_of_its_numbers() {
    // The prime is 2^255 - 19.
    for good in [
        number(0xeb, 0xff, 0x7f),
        number(0xff, 0xfe, 0x7f),
        number(0xff, 0xff, 0x7e),
        number(9, 0, 0),
        number(2, 0, 0),
    ] {
        let key = AgreementPublic::from_bytes(&good).unwrap();
        assert_eq!(key.as_bytes(), &good);
    }
    for bad in [
        number(0xed, 0xff, 0x7f),
        number(0xee, 0xff, 0x7f),
        number(0xff, 0xff, 0x7f),
        number(9, 0, 0x80),
        number(0xff, 0xff, 0xff),
    ] {
        let refused = AgreementPublic::from_bytes(&bad);
        assert_eq!(refused, Err(DecodeError::InvalidKey), "{bad:02x?}");
    }
}

#[test]
fn a_point_of_low_order_is_no_key() {
    for text in [
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    ] {
        let bytes = hex::decode(text).unwrap().try_into().unwrap();
        let refused = AgreementPublic::from_bytes(&bytes);
        assert_eq!(refused, Err(DecodeError::InvalidKey), "{text}");
    }
}

#[test]
fn a_verify_key_of_small_order_is_no_key() {
    let read = |ed25519: &[u8]| {
        let mut bytes = ed25519.to_vec();
        bytes.extend_from_slice(ALICE.keys.verify().ml_dsa().as_slice());
        assert_eq!(bytes.len(), VERIFY_KEY_LEN);
        VerifyKey::read(&mut Reader::new(&bytes))
    };
    assert_eq!(
        read(ALICE.keys.verify().ed25519()).as_ref(),
        Ok(ALICE.keys.verify())
    );
    // All eight points of an order that divides eight, and one that is on no curve.
    for text in [
        "0100000000000000000000000000000000000000000000000000000000000000",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0000000000000000000000000000000000000000000000000000000000000080",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
        "0200000000000000000000000000000000000000000000000000000000000000",
    ] {
        let refused = read(&hex::decode(text).unwrap());
        assert_eq!(refused, Err(DecodeError::InvalidKey), "{text}");
    }
}

#[test]
fn public_keys_and_signatures_print_the_two_bytes_they_begin_with() {
    let mut bytes = [0; SIGNATURE_LEN];
    bytes[..2].copy_from_slice(&[0x0a, 0xbc]);
    let point = bytes.first_chunk().unwrap();
    assert_eq!(
        format!("{:?}", AgreementPublic::from_bytes(point).unwrap()),
        "AgreementPublic(0abc..)"
    );
    assert_eq!(
        format!("{:?}", Signature::read(&mut Reader::new(&bytes)).unwrap()),
        "Signature(0abc..)"
    );
    let kem = KemSecret::from_bytes(&[7; 64]).public();
    let first = hex::encode(&kem.as_bytes()[..2]);
    assert_eq!(format!("{kem:?}"), format!("KemPublic({first}..)"));
    let verify = ALICE.keys.verify();
    let first = hex::encode(&verify.ed25519()[..2]);
    assert_eq!(format!("{verify:?}"), format!("VerifyKey({first}..)"));
}
