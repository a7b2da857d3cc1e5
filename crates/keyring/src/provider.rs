//! What a provider of key-encryption keys does.

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
    /// The provider cannot be reached; nothing is guessed in its stead.
    #[error("the key provider cannot be reached: {0}")]
    Unreachable(String),
    /// Deriving the key was refused.
    #[error(transparent)]
    Kdf(#[from] KdfError),
    /// What is kept beside a KEK lacks something that its provider needs.
    #[error("the record of the key {kek_id} has no {parameter}: restore the database's backup")]
    Incomplete {
        /// Which key.
        kek_id: KekId,
        /// What is missing.
        parameter: &'static str,
    },
    /// The token or its configuration needs the operator.
    #[cfg(feature = "pkcs11")]
    #[error(transparent)]
    Pkcs11(#[from] crate::pkcs11::Pkcs11Error),
}

impl ProviderError {
    /// Whether the provider cannot do its work now, whatever it is asked: answer 503, log why, and
    /// try again later.
    pub fn is_outage(&self) -> bool {
        match self {
            Self::Unreachable(_) | Self::Entropy(_) => true,
            #[cfg(feature = "pkcs11")]
            Self::Pkcs11(_) => true,
            Self::Refused | Self::Kdf(_) | Self::Incomplete { .. } => false,
        }
    }
}

/// Holder of one key-encryption key.
///
/// The methods are synchronous: `local` needs microseconds, a PKCS#11 module blocks by its nature.
/// A provider that talks over a network must be called off the async threads.
pub trait KekProvider: Send + Sync {
    /// Which key.
    fn kek_id(&self) -> KekId;

    /// Which kind of provider.
    fn tag(&self) -> ProviderTag;

    /// Version of the key within its provider.
    fn key_version(&self) -> u32;

    /// Wraps a DEK for a place.
    fn wrap(&self, dek: &Dek, context: &Context<'_>) -> Result<Stanza, ProviderError>;

    /// Unwraps a DEK for the place it was wrapped for.
    fn unwrap(&self, stanza: &Stanza, context: &Context<'_>) -> Result<Dek, ProviderError>;

    /// The same, by the key itself each time: never out of a cache, and never kept in one.
    fn unwrap_uncached(
        &self,
        stanza: &Stanza,
        context: &Context<'_>,
    ) -> Result<Dek, ProviderError> {
        self.unwrap(stanza, context)
    }

    /// Whether the key can be used now.
    fn health(&self) -> Result<(), ProviderError>;

    /// The key itself, for the time of a rotation; `None` where it cannot leave its provider.
    fn export(&self) -> Option<ExportedKek> {
        None
    }
}

/// What a KEK's provider needs to find the key again, kept beside it in the clear.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KekParameters {
    /// Salt of the derivation.
    pub salt: Option<Vec<u8>>,
    /// Iterations of the derivation.
    pub iterations: Option<u32>,
    /// Name of the key within its provider.
    pub reference: Option<String>,
}

/// Makes KEKs, and finds those again that it made.
pub trait KekSource: Send + Sync {
    /// Which kind of provider.
    fn tag(&self) -> ProviderTag;

    /// Makes a new KEK, version 1 of the given name.
    fn create(&self, kek_id: KekId)
    -> Result<(Arc<dyn KekProvider>, KekParameters), ProviderError>;

    /// Loads a KEK that was made earlier.
    ///
    /// A `local` key is derived without a way to tell whether it is the right one: the caller
    /// opens a known value with it.
    fn load(
        &self,
        kek_id: KekId,
        version: u32,
        parameters: &KekParameters,
    ) -> Result<Arc<dyn KekProvider>, ProviderError>;

    /// Whether keys could be made and loaded now.
    fn health(&self) -> Result<(), ProviderError> {
        Ok(())
    }
}
