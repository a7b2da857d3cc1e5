//! Providers of key-encryption keys.

use std::sync::Arc;

use crate::context::Context;
use crate::local::KdfError;
use crate::secret::{Dek, ExportedKek};
use crate::stanza::{KekId, ProviderTag, Stanza};
use ambient::EntropyError;

/// Why a DEK was not wrapped or unwrapped, or a KEK not made or loaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProviderError {
    /// The stanza does not open under this key, for this place.
    #[error("the wrapped key does not open: wrong key, wrong place or changed bytes")]
    Refused,
    /// No random bytes.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
    /// The provider cannot be reached.
    #[error("the key provider cannot be reached: {0}")]
    Unreachable(String),
    /// Deriving the key was refused.
    #[error(transparent)]
    Kdf(#[from] KdfError),
    /// The stored parameters of a KEK lack something that its provider needs.
    #[error("the record of the key {kek_id} has no {parameter}: restore the database's backup")]
    Incomplete {
        /// The id of the key.
        kek_id: KekId,
        /// What is missing.
        parameter: &'static str,
    },
    /// The token or its configuration needs the operator.
    #[cfg(feature = "pkcs11")]
    #[error(transparent)]
    Pkcs11(#[from] crate::pkcs11::Pkcs11Error),
    /// The key service cannot be used, or its configuration needs the operator.
    #[cfg(feature = "remote")]
    #[error(transparent)]
    Remote(#[from] crate::remote::RemoteError),
}

impl ProviderError {
    /// Returns whether the provider cannot work at present: answer 503, log the cause, try again later.
    pub fn is_outage(&self) -> bool {
        match self {
            Self::Unreachable(_) | Self::Entropy(_) => true,
            #[cfg(feature = "pkcs11")]
            Self::Pkcs11(_) => true,
            #[cfg(feature = "remote")]
            Self::Remote(_) => true,
            Self::Refused | Self::Kdf(_) | Self::Incomplete { .. } => false,
        }
    }
}

/// Holds one key-encryption key.
///
/// The methods are synchronous: `local` needs microseconds, and a PKCS#11 module blocks. Those of key
/// services answer from memory and never wait for a network.
pub trait KekProvider: Send + Sync {
    /// The id of the key.
    fn kek_id(&self) -> KekId;

    /// The kind of provider.
    fn tag(&self) -> ProviderTag;

    /// Version of the key within its provider.
    fn key_version(&self) -> u32;

    /// Wraps a DEK for a place.
    fn wrap(&self, dek: &Dek, context: &Context<'_>) -> Result<Stanza, ProviderError>;

    /// Unwraps a DEK for the place it was wrapped for.
    fn unwrap(&self, stanza: &Stanza, context: &Context<'_>) -> Result<Dek, ProviderError>;

    /// Unwraps a DEK by the key itself: never from a cache, and never kept in one.
    fn unwrap_uncached(
        &self,
        stanza: &Stanza,
        context: &Context<'_>,
    ) -> Result<Dek, ProviderError> {
        self.unwrap(stanza, context)
    }

    /// Whether the key can be used now.
    fn health(&self) -> Result<(), ProviderError>;

    /// Returns the key itself, for the time of a rotation; `None` if it cannot leave its provider.
    fn export(&self) -> Option<ExportedKek> {
        None
    }
}

/// Parameters by which a provider finds or derives a KEK again; stored in the clear.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KekParameters {
    /// Salt of the derivation.
    pub salt: Option<Vec<u8>>,
    /// Iterations of the derivation.
    pub iterations: Option<u32>,
    /// Name of the key within its provider.
    pub reference: Option<String>,
    /// The KEK as a key service wrapped it.
    pub wrapped: Option<Vec<u8>>,
}

/// Makes KEKs and loads them again.
///
/// The methods may wait for a token or a network, at most for its time limit: they are not for the async threads
/// of a server that serves.
pub trait KekSource: Send + Sync {
    /// The kind of provider.
    fn tag(&self) -> ProviderTag;

    /// Makes a new KEK, version 1 of the given name.
    fn create(&self, kek_id: KekId)
    -> Result<(Arc<dyn KekProvider>, KekParameters), ProviderError>;

    /// Loads a KEK that was made earlier.
    ///
    /// A `local` key is derived without a check whether it is the right one: the caller opens a known
    /// value with it.
    fn load(
        &self,
        kek_id: KekId,
        version: u32,
        parameters: &KekParameters,
    ) -> Result<Arc<dyn KekProvider>, ProviderError>;

    /// Returns whether keys can be made and loaded at present.
    fn health(&self) -> Result<(), ProviderError> {
        Ok(())
    }
}
