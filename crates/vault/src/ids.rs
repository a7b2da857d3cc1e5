//! Identifiers and the claim token.

use core::fmt;

use subtle::{Choice, ConstantTimeEq};
use zeroize::ZeroizeOnDrop;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; 16]);

        impl $name {
            /// Takes the sixteen bytes as they are.
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(bytes)
            }

            /// Returns the sixteen bytes.
            pub const fn as_bytes(&self) -> &[u8; 16] {
                &self.0
            }
        }

        impl From<[u8; 16]> for $name {
            fn from(bytes: [u8; 16]) -> Self {
                Self(bytes)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}(", stringify!($name))?;
                for byte in &self.0[..4] {
                    write!(f, "{byte:02x}")?;
                }
                f.write_str("…)")
            }
        }
    };
}

id! {
    /// Names an account, sixteen random bytes.
    AccountId
}
id! {
    /// Names a message, sixteen random bytes chosen by its sender.
    MessageId
}
id! {
    /// Names a live session of an account, sixteen random bytes chosen by the client core.
    LiveId
}

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
