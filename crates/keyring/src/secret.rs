//! Keys as types: boxed, wiped when dropped, never shown.

/// Bytes of every symmetric key here.
pub(crate) const KEY_LEN: usize = 32;

macro_rules! secret_key {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        pub struct $name(Box<zeroize::Zeroizing<[u8; 32]>>);

        impl $name {
            /// Draws a new key.
            pub fn generate(entropy: &dyn crate::Entropy) -> Result<Self, crate::EntropyError> {
                let mut key = Self(Box::new(zeroize::Zeroizing::new([0; crate::secret::KEY_LEN])));
                entropy.fill(key.0.as_mut_slice())?;
                Ok(key)
            }

            /// Takes the bytes of a key; `None` unless there are exactly 32.
            pub fn from_slice(bytes: &[u8]) -> Option<Self> {
                if bytes.len() != crate::secret::KEY_LEN {
                    return None;
                }
                let mut key = Self(Box::new(zeroize::Zeroizing::new([0; crate::secret::KEY_LEN])));
                key.0.copy_from_slice(bytes);
                Some(key)
            }

            /// The key's bytes, for the cipher.
            pub fn expose(&self) -> &[u8; 32] {
                &self.0
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(concat!(stringify!($name), "([redacted])"))
            }
        }
    };
}

pub(crate) use secret_key;

secret_key!(
    /// A data-encryption key: one per version of a record.
    Dek
);
secret_key!(
    /// A key-encryption key of the `local` provider.
    Kek
);
