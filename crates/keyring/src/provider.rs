//! What a provider of key-encryption keys does.

use crate::context::Context;
use crate::entropy::EntropyError;
use crate::secret::Dek;
use crate::stanza::{KekId, ProviderTag, Stanza};

/// Why a DEK was not wrapped or unwrapped.
#[derive(Debug, thiserror::Error)]
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

    /// Wraps a DEK for a place.
    fn wrap(&self, dek: &Dek, context: &Context<'_>) -> Result<Stanza, ProviderError>;

    /// Unwraps a DEK for the place it was wrapped for.
    fn unwrap(&self, stanza: &Stanza, context: &Context<'_>) -> Result<Dek, ProviderError>;

    /// Whether the key can be used now.
    fn health(&self) -> Result<(), ProviderError>;
}
