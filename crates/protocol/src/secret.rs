//! The macro behind every fixed-size secret: boxed, zeroized, redacted, not clonable.

/// Defines a secret newtype of `N` bytes on the heap.
///
/// Moving the value moves a pointer, so that no copy of the bytes remains on a stack. A secret that is private
/// to the crate can be filled and read; a `pub` one can also be drawn and copied.
macro_rules! secret {
    ($(#[$doc:meta])* pub struct $name:ident($len:expr)) => {
        $crate::secret::secret! { @bytes $(#[$doc])* pub struct $name($len) }

        impl $name {
            /// Length in bytes.
            pub const LEN: usize = $len;

            /// Draws a fresh secret.
            pub fn random(rng: &mut (impl rand_core::CryptoRng + ?Sized)) -> Self {
                let mut secret = Self::zeroed();
                rng.fill_bytes(secret.expose_mut());
                secret
            }

            /// Copies the secret from bytes, which the caller should then wipe.
            pub fn from_bytes(bytes: &[u8; $len]) -> Self {
                let mut secret = Self::zeroed();
                secret.expose_mut().copy_from_slice(bytes);
                secret
            }

            /// A second copy, where two owners must live apart.
            #[must_use]
            pub fn duplicate(&self) -> Self {
                Self::from_bytes(self.expose())
            }
        }
    };
    ($(#[$doc:meta])* $vis:vis struct $name:ident($len:expr)) => {
        $crate::secret::secret! { @bytes $(#[$doc])* $vis struct $name($len) }
    };
    (@bytes $(#[$doc:meta])* $vis:vis struct $name:ident($len:expr)) => {
        $(#[$doc])*
        $vis struct $name(Box<[u8; $len]>);

        impl $name {
            /// A secret of zeros, to be filled in place.
            pub(crate) fn zeroed() -> Self {
                Self(Box::new([0; $len]))
            }

            /// The bytes, to be handed to a primitive or sealed, never logged.
            $vis fn expose(&self) -> &[u8; $len] {
                &self.0
            }

            /// The bytes, to be filled in place.
            pub(crate) fn expose_mut(&mut self) -> &mut [u8; $len] {
                &mut self.0
            }
        }

        impl Drop for $name {
            fn drop(&mut self) {
                zeroize::Zeroize::zeroize(self.0.as_mut_slice());
            }
        }

        impl zeroize::ZeroizeOnDrop for $name {}

        impl core::fmt::Debug for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str(concat!(stringify!($name), "(..)"))
            }
        }

        impl subtle::ConstantTimeEq for $name {
            fn ct_eq(&self, other: &Self) -> subtle::Choice {
                self.0.as_slice().ct_eq(other.0.as_slice())
            }
        }

        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                subtle::ConstantTimeEq::ct_eq(self, other).into()
            }
        }

        impl Eq for $name {}
    };
}

pub(crate) use secret;
