//! Envelope encryption of what is kept at rest, and the providers of its keys.
//!
//! A value is sealed under a data key (DEK) of its own, fresh for each version of the record. The
//! DEK is wrapped by a key-encryption key (KEK) that a [`KekProvider`] holds. What comes out is
//! one string of bytes:
//!
//! ```text
//! version ‖ suite ‖ stanza(kek_id ‖ provider ‖ key version ‖ wrapped DEK) ‖ nonce ‖ ciphertext
//! ```
//!
//! The associated data binds table, column, row id and schema version ([`Context`]), so that a
//! value that is moved to another place does not open. It leaves the stanza out: a new KEK re-wraps
//! the DEK and touches no data. See page 04 of the design.
#![forbid(unsafe_code)]

mod context;
mod entropy;
mod envelope;
mod index;
mod key_source;
mod local;
mod provider;
mod ring;
mod secret;
mod stanza;
mod subject;
mod suite;

pub use context::Context;
pub use entropy::{Entropy, EntropyError, OsEntropy};
pub use envelope::EnvelopeError;
pub use index::IndexKey;
pub use key_source::{KeyMaterial, KeyOrigin, KeySource, KeySourceError};
pub use local::{DEFAULT_ITERATIONS, KdfError, LocalProvider, MINIMUM_ITERATIONS, SALT_LEN};
pub use provider::{KekProvider, ProviderError};
pub use ring::{Keyring, OpenError, Opened, SealError};
pub use secret::{Dek, Kek};
pub use stanza::{KekId, ProviderTag, Stanza};
pub use subject::SubjectKey;
pub use suite::Suite;
