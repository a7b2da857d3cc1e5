//! The claim token.

use core::fmt;

use subtle::{Choice, ConstantTimeEq};
use zeroize::ZeroizeOnDrop;

/// Proves that its holder won the claim, sixteen random bytes; compared in constant time.
#[derive(Clone, ZeroizeOnDrop)]
pub struct ClaimToken([u8; 16]);

impl ClaimToken {
    /// Takes the sixteen bytes as a client sent them.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Returns the sixteen bytes, to be sent to the one who claimed.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl ConstantTimeEq for ClaimToken {
    fn ct_eq(&self, other: &Self) -> Choice {
        self.0.ct_eq(&other.0)
    }
}

impl fmt::Debug for ClaimToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClaimToken([redacted])")
    }
}
