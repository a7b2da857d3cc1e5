//! Keys as types: in locked memory, wiped when dropped, never shown.

/// Bytes of every symmetric key here.
pub(crate) const KEY_LEN: usize = 32;

macro_rules! secret_key {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        pub struct $name(pub(crate) ambient::LockedKey);

        impl $name {
            /// Draws a new key.
            pub fn generate(entropy: &dyn ambient::Entropy) -> Result<Self, ambient::EntropyError> {
                let mut key = ambient::LockedKey::zeroed();
                entropy.fill(key.bytes_mut())?;
                Ok(Self(key))
            }

            /// Takes the bytes of a key; `None` unless there are exactly 32.
            pub fn from_slice(bytes: &[u8]) -> Option<Self> {
                let bytes = bytes.try_into().ok()?;
                Some(Self(ambient::LockedKey::copy_of(bytes)))
            }

            /// The key's bytes, for the cipher.
            pub fn expose(&self) -> &[u8; 32] {
                self.0.bytes()
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
secret_key!(
    /// A KEK that left its provider for the time of a rotation.
    ///
    /// While DEKs move from one KEK to another, the database keeps each of the two sealed under
    /// the other, so that it opens with either. Only keys that are in memory anyway can be exported; those
    /// of a token never leave it.
    ExportedKek
);
