//! Sealing and opening.

use std::fmt;
use std::sync::Arc;

use zeroize::{Zeroize, Zeroizing};

use crate::context::Context;
use crate::entropy::{Entropy, EntropyError};
use crate::envelope::{self, Envelope, EnvelopeError};
use crate::provider::{KekProvider, ProviderError};
use crate::secret::Dek;
use crate::stanza::{KekId, ProviderTag};
use crate::suite::{NONCE_LEN, Suite};

const PURPOSE: &str = "secure-messaging/1 record";

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
    #[error("the sealed value needs the key {kek_id} of provider {}, which is not loaded", provider.0)]
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

/// Seals under one KEK, opens under all that are loaded.
#[derive(Clone)]
pub struct Keyring {
    active: Arc<dyn KekProvider>,
    others: Vec<Arc<dyn KekProvider>>,
    suite: Suite,
    entropy: Arc<dyn Entropy>,
}

impl Keyring {
    /// A keyring that seals under `active`.
    pub fn new(active: Arc<dyn KekProvider>, entropy: Arc<dyn Entropy>) -> Self {
        Self {
            active,
            others: Vec::new(),
            suite: Suite::ChaCha20Poly1305,
            entropy,
        }
    }

    /// Adds a KEK that is only opened with.
    #[must_use]
    pub fn with_retiring(mut self, provider: Arc<dyn KekProvider>) -> Self {
        self.others.push(provider);
        self
    }

    /// Which KEK new values are sealed under.
    pub fn active_kek(&self) -> KekId {
        self.active.kek_id()
    }

    /// Seals a value for a place under a fresh DEK.
    pub fn seal(&self, context: &Context<'_>, plaintext: &[u8]) -> Result<Vec<u8>, SealError> {
        let dek = Dek::generate(&*self.entropy)?;
        let mut nonce = [0; NONCE_LEN];
        self.entropy.fill(&mut nonce)?;
        let stanza = self.active.wrap(&dek, context)?;

        let mut out = Vec::with_capacity(envelope::overhead(&stanza) + plaintext.len());
        out.extend_from_slice(&[envelope::VERSION, self.suite as u8]);
        stanza.encode(&mut out).ok_or(SealError::TooLong)?;
        out.extend_from_slice(&nonce);
        let start = out.len();
        out.extend_from_slice(plaintext);
        let associated_data = associated_data(self.suite, context);
        match self
            .suite
            .encrypt(&dek, &nonce, &associated_data, &mut out[start..])
        {
            Some(tag) => out.extend_from_slice(&tag),
            None => {
                out.zeroize();
                return Err(SealError::TooLong);
            }
        }
        Ok(out)
    }

    /// Opens a value in the place it was sealed for.
    pub fn open(&self, context: &Context<'_>, sealed: &[u8]) -> Result<Opened, OpenError> {
        let envelope = Envelope::decode(sealed)?;
        let provider = self
            .providers()
            .find(|provider| {
                provider.kek_id() == envelope.stanza.kek_id
                    && provider.tag() == envelope.stanza.provider
            })
            .ok_or(OpenError::UnknownKek {
                kek_id: envelope.stanza.kek_id,
                provider: envelope.stanza.provider,
            })?;
        let dek = provider.unwrap(&envelope.stanza, context)?;
        let mut plaintext = Zeroizing::new(envelope.ciphertext.to_vec());
        let associated_data = associated_data(envelope.suite, context);
        envelope
            .suite
            .decrypt(
                &dek,
                envelope.nonce,
                &associated_data,
                &mut plaintext,
                envelope.tag,
            )
            .ok_or(OpenError::Refused)?;
        Ok(Opened(plaintext))
    }

    fn providers(&self) -> impl Iterator<Item = &Arc<dyn KekProvider>> {
        std::iter::once(&self.active).chain(&self.others)
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyring")
            .field("active", &self.active.kek_id())
            .field(
                "others",
                &self
                    .others
                    .iter()
                    .map(|other| other.kek_id())
                    .collect::<Vec<_>>(),
            )
            .field("suite", &self.suite)
            .finish_non_exhaustive()
    }
}

/// Version and suite are bound, the stanza is not: see the head of this crate.
fn associated_data(suite: Suite, context: &Context<'_>) -> Vec<u8> {
    context.associated_data(PURPOSE, &[envelope::VERSION, suite as u8])
}
