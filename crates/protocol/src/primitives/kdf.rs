//! HKDF-SHA-512 ([RFC 5869, 2]) and SHA3 over length-unambiguous parts.
//!
//! [RFC 5869, 2]: https://www.rfc-editor.org/rfc/rfc5869#section-2

use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha512;
use sha3::{Digest, Sha3_256, Sha3_512};

/// HKDF-SHA-512 with a salt of 64 zero bytes, filling `out` (at most 16,320 bytes).
///
/// `ikm` and `info` are given in parts that are read one after the other; every caller's
/// parts have fixed lengths, except for at most the last one.
pub fn derive(ikm: &[&[u8]], info: &[&[u8]], out: &mut [u8]) {
    let mut extract = hkdf::HkdfExtract::<Sha512>::new(None);
    for part in ikm {
        extract.input_ikm(part);
    }
    let (mut prk, expand) = extract.finalize();
    fill(&expand, info, out);
    zeroize::Zeroize::zeroize(prk.as_mut_slice());
}

fn fill(expand: &Hkdf<Sha512>, info: &[&[u8]], out: &mut [u8]) {
    if expand.expand_multi_info(info, out).is_err() {
        // Only an output above 255 blocks can fail; every caller's length is a small constant.
        unreachable!("HKDF-SHA-512 gives up to 16,320 bytes");
    }
}

/// HMAC-SHA-512 over parts, into `out`.
pub fn mac(key: &[u8; 32], parts: &[&[u8]], out: &mut [u8; 64]) {
    let Ok(mut mac) = Hmac::<Sha512>::new_from_slice(key) else {
        unreachable!("HMAC takes keys of every length");
    };
    parts.iter().for_each(|part| mac.update(part));
    let mut tag = mac.finalize().into_bytes();
    out.copy_from_slice(&tag);
    zeroize::Zeroize::zeroize(tag.as_mut_slice());
}

/// SHA3-512 over parts.
pub fn sha3_512(parts: &[&[u8]]) -> [u8; 64] {
    let mut hash = Sha3_512::new();
    parts.iter().for_each(|part| hash.update(part));
    hash.finalize().into()
}

/// SHA3-256 over parts.
pub fn sha3_256(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha3_256::new();
    parts.iter().for_each(|part| hash.update(part));
    hash.finalize().into()
}
