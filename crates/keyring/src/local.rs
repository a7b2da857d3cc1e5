//! The `local` provider: a KEK derived from a key that the operator gives.

use std::fmt;
use std::sync::Arc;

use sha2::Sha256;

use crate::context::Context;
use crate::key_material::KeyMaterial;
use crate::provider::{KekProvider, ProviderError};
use crate::secret::{Dek, ExportedKek, Kek};
use crate::stanza::{KekId, ProviderTag, Stanza};
use crate::suite::Suite;
use crate::wrap::{self, Wrapper};
use ambient::Entropy;
use ambient::LockedKey;

/// PBKDF2 iterations for a new database.
pub const DEFAULT_ITERATIONS: u32 = 600_000;
/// Fewer PBKDF2 iterations are refused, also in an existing database.
pub const MINIMUM_ITERATIONS: u32 = 100_000;
/// Bytes of a new salt.
pub const SALT_LEN: usize = 32;

/// Why a key was not derived.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KdfError {
    /// So few iterations that guessing the key would be cheap.
    #[error(
        "{given} PBKDF2 iterations are too few: use at least {minimum}",
        minimum = MINIMUM_ITERATIONS
    )]
    TooFewIterations {
        /// The number that was asked for.
        given: u32,
    },
    /// A salt of a length that this provider never makes.
    #[error("the salt has {given} bytes instead of {expected}", expected = SALT_LEN)]
    BadSalt {
        /// Its length.
        given: usize,
    },
}

/// A KEK in memory, derived once by PBKDF2-HMAC-SHA256.
///
/// It wraps in the form that belongs to its [`Suite`] and unwraps every form.
pub struct LocalProvider {
    wrapper: Wrapper,
    kek: Kek,
    suite: Suite,
    entropy: Arc<dyn Entropy>,
}

impl LocalProvider {
    /// Derives the KEK; takes a tenth of a second at 600,000 iterations, so do it at start.
    pub fn derive(
        key: &KeyMaterial,
        salt: &[u8],
        iterations: u32,
        kek_id: KekId,
        key_version: u32,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, KdfError> {
        if iterations < MINIMUM_ITERATIONS {
            return Err(KdfError::TooFewIterations { given: iterations });
        }
        if salt.len() != SALT_LEN {
            return Err(KdfError::BadSalt { given: salt.len() });
        }
        let mut kek = LockedKey::zeroed();
        pbkdf2::pbkdf2_hmac::<Sha256>(&key.expose(), salt, iterations, kek.bytes_mut());
        Ok(Self::new(Kek(kek), kek_id, key_version, entropy))
    }

    /// Makes a KEK from the bytes that another provider exported for the time of a rotation.
    pub fn from_handover(
        key: &ExportedKek,
        kek_id: KekId,
        key_version: u32,
        entropy: Arc<dyn Entropy>,
    ) -> Self {
        let kek = Kek(LockedKey::copy_of(key.expose()));
        Self::new(kek, kek_id, key_version, entropy)
    }

    fn new(kek: Kek, kek_id: KekId, key_version: u32, entropy: Arc<dyn Entropy>) -> Self {
        let wrapper = Wrapper {
            kek_id,
            tag: ProviderTag::LOCAL,
            key_version,
        };
        Self {
            wrapper,
            kek,
            suite: Suite::default(),
            entropy,
        }
    }

    /// The same key, wrapping with another cipher.
    #[must_use]
    pub fn with_suite(mut self, suite: Suite) -> Self {
        self.suite = suite;
        self
    }
}

impl KekProvider for LocalProvider {
    fn kek_id(&self) -> KekId {
        self.wrapper.kek_id
    }

    fn tag(&self) -> ProviderTag {
        self.wrapper.tag
    }

    fn key_version(&self) -> u32 {
        self.wrapper.key_version
    }

    fn wrap(&self, dek: &Dek, context: &Context<'_>) -> Result<Stanza, ProviderError> {
        let wrapped = wrap::wrap(
            &self.kek,
            &self.wrapper,
            self.suite,
            dek,
            context,
            &*self.entropy,
        )?;
        Ok(self.wrapper.stanza(wrapped))
    }

    fn unwrap(&self, stanza: &Stanza, context: &Context<'_>) -> Result<Dek, ProviderError> {
        if !self.wrapper.made(stanza) {
            return Err(ProviderError::Refused);
        }
        wrap::unwrap(&self.kek, &self.wrapper, &stanza.wrapped, context)
    }

    fn health(&self) -> Result<(), ProviderError> {
        Ok(())
    }

    fn export(&self) -> Option<ExportedKek> {
        Some(ExportedKek(LockedKey::copy_of(self.kek.expose())))
    }
}

impl fmt::Debug for LocalProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalProvider")
            .field("kek_id", &self.wrapper.kek_id)
            .field("key_version", &self.wrapper.key_version)
            .field("kek", &self.kek)
            .field("suite", &self.suite)
            .finish_non_exhaustive()
    }
}
