//! Fingerprints of accounts and the safety number of two of them.
//!
//! Specification: `docs/protocol/accounts.md#safety-numbers`.

use crate::codec::Writer;
use crate::labels;
use crate::primitives::agreement::AgreementPublic;
use crate::primitives::kdf::sha3_512;
use crate::primitives::signature::{VERIFY_KEY_LEN, VerifyKey};
use crate::suite::SUITE;

/// SHA3-512 over suite, identity key and both verify keys; what contacts pin.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint([u8; 64]);

impl Fingerprint {
    /// Length in bytes.
    pub const LEN: usize = 64;

    /// Wraps bytes that already are a fingerprint.
    pub const fn from_bytes(bytes: [u8; 64]) -> Self {
        Self(bytes)
    }

    /// The 64 bytes.
    pub const fn as_bytes(&self) -> &[u8; 64] {
        &self.0
    }

    /// The fingerprint of these public keys.
    pub fn of(identity: &AgreementPublic, verify: &VerifyKey) -> Self {
        let mut keys = Writer::with_capacity(VERIFY_KEY_LEN);
        verify.write(&mut keys);
        Self(sha3_512(&[
            labels::FINGERPRINT,
            &[SUITE],
            identity.as_bytes(),
            &keys.into_bytes(),
        ]))
    }
}

impl core::fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let [a, b, c, d, ..] = self.0;
        write!(f, "Fingerprint({a:02x}{b:02x}{c:02x}{d:02x}..)")
    }
}

/// Sixty digits in twelve groups of five; both sides compute the same.
pub fn safety_number(one: &Fingerprint, other: &Fingerprint) -> String {
    let (low, high) = if one <= other {
        (one, other)
    } else {
        (other, one)
    };
    let digest = sha3_512(&[labels::SAFETY_NUMBER, &low.0, &high.0]);
    let groups: Vec<String> = digest
        .chunks_exact(5)
        .take(12)
        .map(|chunk| {
            let number = chunk
                .iter()
                .fold(0_u64, |sum, byte| sum * 256 + u64::from(*byte));
            format!("{:05}", number % 100_000)
        })
        .collect();
    groups.join(" ")
}
