//! Results of sealing and opening.

use std::fmt;

use zeroize::Zeroizing;

use crate::envelope::EnvelopeError;
use crate::provider::ProviderError;
use crate::stanza::{KekId, ProviderTag};
use ambient::EntropyError;

/// A value that was opened; wiped when dropped.
pub struct Opened(Zeroizing<Vec<u8>>);

impl Opened {
    pub(crate) fn new(bytes: Zeroizing<Vec<u8>>) -> Self {
        Self(bytes)
    }

    /// The plaintext.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// The plaintext, still wiped when dropped.
    pub fn into_inner(self) -> Zeroizing<Vec<u8>> {
        self.0
    }
}

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Opened([redacted])")
    }
}

/// Why a value was not sealed.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// No random bytes.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
    /// The provider did not wrap the DEK.
    #[error(transparent)]
    Provider(#[from] ProviderError),
    /// The value is longer than the cipher takes, or the stanza than the envelope.
    #[error("the value is too long to be sealed")]
    TooLong,
}

/// Why a value was not opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The bytes are not an envelope.
    #[error(transparent)]
    Envelope(#[from] EnvelopeError),
    /// No provider holds the key that it was sealed under.
    #[error("the sealed value needs the key {kek_id} of provider {provider}, which is not loaded")]
    UnknownKek {
        /// Which key.
        kek_id: KekId,
        /// Which kind of provider.
        provider: ProviderTag,
    },
    /// The provider did not unwrap the DEK.
    #[error(transparent)]
    Provider(#[from] ProviderError),
    /// The tag does not fit: changed bytes, or a value from another place.
    #[error("the sealed value does not open here: it was changed or moved")]
    Refused,
}

/// Why a value's DEK was not wrapped anew. The value is as it was.
#[derive(Debug, thiserror::Error)]
pub enum RewrapError {
    /// The DEK cannot be unwrapped: not an envelope, an unknown key, another place, or changed bytes.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The active provider did not wrap it.
    #[error(transparent)]
    Wrap(#[from] SealError),
}

/// Why a value was not sealed under a new DEK. The value is as it was.
#[derive(Debug, thiserror::Error)]
pub enum RenewError {
    /// The value does not open.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The value was not sealed again.
    #[error(transparent)]
    Seal(#[from] SealError),
}

impl SealError {
    /// Whether a provider cannot do its work now: answer 503 and try again later.
    pub fn is_outage(&self) -> bool {
        matches!(self, Self::Provider(error) if error.is_outage())
    }
}

impl OpenError {
    /// Whether a provider cannot do its work now: answer 503 and try again later.
    pub fn is_outage(&self) -> bool {
        matches!(self, Self::Provider(error) if error.is_outage())
    }
}
