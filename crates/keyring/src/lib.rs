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
//! the DEK and touches no data.
#![forbid(unsafe_code)]

mod context;
mod envelope;
mod index;
mod key_file;
mod key_material;
mod key_source;
mod local;
mod local_source;
mod opened;
#[cfg(feature = "pkcs11")]
mod pkcs11;
pub mod private_file;
mod provider;
pub mod regular_file;
#[cfg(feature = "remote")]
mod remote;
mod ring;
mod secret;
mod stanza;
mod subject;
mod suite;
mod tag;
mod wrap;

#[cfg(feature = "testing")]
pub mod testing;

pub use context::Context;
pub use envelope::{EnvelopeError, envelope_kek};
pub use index::IndexKey;
pub use key_material::KeyMaterial;
pub use key_source::{KeyOrigin, KeySource, KeySourceError};
pub use local::{DEFAULT_ITERATIONS, KdfError, LocalProvider, MINIMUM_ITERATIONS, SALT_LEN};
pub use local_source::LocalSource;
pub use opened::{OpenError, Opened, RenewError, RewrapError, SealError};
#[cfg(feature = "pkcs11")]
pub use pkcs11::{DEFAULT_CACHE_LIFE, Pin, Pkcs11Config, Pkcs11Error, Pkcs11Source, TokenSelector};
pub use provider::{KekParameters, KekProvider, KekSource, ProviderError};
#[cfg(feature = "remote")]
pub use remote::{
    AwsConfig, AwsLogin, AzureAlgorithm, AzureConfig, AzureLogin, MACHINE_IDENTITY,
    PUBLIC_AUTHORITY, RemoteError, RemoteSettings, RemoteSource, SecretText, Trouble, VaultConfig,
    VaultLogin,
};
pub use ring::Keyring;
pub use secret::{Dek, ExportedKek, Kek};
pub use stanza::{KekId, ProviderTag, Stanza};
pub use subject::SubjectKey;
pub use suite::{Suite, UnknownSuite};
pub use tag::{TAG_LEN, TagKey};
