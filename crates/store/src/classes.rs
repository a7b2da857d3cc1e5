//! Data classes: what the database may hold in the clear, and what only sealed.
//!
//! Every value that the store binds to a statement has a class, and the class is a type. A number,
//! an id or a hash of fixed length is public by its type. Text and bytes of any length say what
//! they are: [`Public`], or [`Sealed`], which only the store's sealer makes. [`Sensitive`] and
//! [`Critical`] values cannot be bound at all, so that a sensitive field in the clear does not
//! compile:
//!
//! ```
//! fn bind(_: impl store::Bindable) {}
//! bind(store::Public("registration"));
//! bind(7_u64);
//! bind([0_u8; 16]);
//! ```
//!
//! ```compile_fail,E0277
//! fn bind(_: impl store::Bindable) {}
//! bind(store::Sensitive::new("alice".to_owned()));
//! ```
//!
//! ```compile_fail,E0277
//! fn bind(_: impl store::Bindable) {}
//! bind(store::Critical::new(vec![0_u8; 32]));
//! ```
//!
//! ```compile_fail,E0277
//! fn bind(_: impl store::Bindable) {}
//! bind("text without a class".to_owned());
//! ```
//!
//! ```compile_fail,E0277
//! fn bind(_: &[&dyn store::Bindable]) {}
//! bind(&[&7_u64, &vec![1_u8, 2, 3]]);
//! ```

use std::fmt;

use crate::sealing::in_flight::Ticket;

/// Data that the database holds in the clear: names of settings, public keys, data sealed by clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Public<T>(pub T);

/// Data that is sealed before it is written.
#[derive(Clone, PartialEq, Eq)]
pub struct Sensitive<T>(T);

/// A sensitive value on which others depend: the server's secrets and service keys.
///
/// The store opens it through the key's provider at each use, without any cache of data keys, and
/// keeps no copy.
pub struct Critical<T>(T);

macro_rules! guarded {
    ($name:ident) => {
        impl<T> $name<T> {
            /// Puts a value into the class.
            pub const fn new(value: T) -> Self {
                Self(value)
            }

            /// Returns the value.
            pub const fn expose(&self) -> &T {
                &self.0
            }

            /// Takes the value out of the class.
            pub fn into_inner(self) -> T {
                self.0
            }
        }

        impl<T> From<T> for $name<T> {
            fn from(value: T) -> Self {
                Self(value)
            }
        }

        impl<T> fmt::Debug for $name<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "([redacted])"))
            }
        }
    };
}

guarded!(Sensitive);
guarded!(Critical);

/// A sealed value, as a sealed column holds it.
///
/// A value that was sealed just now counts as in flight until it is dropped, so that a key is closed only
/// after everything sealed under it was written.
pub struct Sealed {
    bytes: Vec<u8>,
    _under_way: Option<Ticket>,
}

impl Sealed {
    pub(crate) fn under_way(bytes: Vec<u8>, ticket: Ticket) -> Self {
        Self {
            bytes,
            _under_way: Some(ticket),
        }
    }

    /// Takes what the keyring made as sealed.
    pub(crate) fn of_envelope(bytes: Vec<u8>) -> Self {
        Self {
            bytes,
            _under_way: None,
        }
    }

    /// The envelope.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Bytes of the envelope.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Returns whether it is empty, as in the row of a retired key.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sealed({} bytes)", self.bytes.len())
    }
}
