//! Makes and loads keys of the `local` provider.

use std::fmt;
use std::sync::Arc;

use crate::key_material::KeyMaterial;
use crate::local::{LocalProvider, SALT_LEN};
use crate::provider::{KekParameters, KekProvider, KekSource, ProviderError};
use crate::stanza::{KekId, ProviderTag};
use crate::suite::Suite;
use ambient::Entropy;

/// Derives KEKs from one key that the operator gave, each with a salt of its own.
pub struct LocalSource {
    key: KeyMaterial,
    iterations: u32,
    suite: Suite,
    entropy: Arc<dyn Entropy>,
}

impl LocalSource {
    /// `iterations` are for new keys, at least 100,000; `suite` is the cipher that wraps DEKs.
    pub fn new(key: KeyMaterial, iterations: u32, suite: Suite, entropy: Arc<dyn Entropy>) -> Self {
        Self {
            key,
            iterations,
            suite,
            entropy,
        }
    }

    fn derive(
        &self,
        kek_id: KekId,
        version: u32,
        salt: &[u8],
        iterations: u32,
    ) -> Result<Arc<dyn KekProvider>, ProviderError> {
        let entropy = Arc::clone(&self.entropy);
        let provider =
            LocalProvider::derive(&self.key, salt, iterations, kek_id, version, entropy)?;
        Ok(Arc::new(provider.with_suite(self.suite)))
    }
}

impl KekSource for LocalSource {
    fn tag(&self) -> ProviderTag {
        ProviderTag::LOCAL
    }

    fn create(
        &self,
        kek_id: KekId,
    ) -> Result<(Arc<dyn KekProvider>, KekParameters), ProviderError> {
        let mut salt = vec![0; SALT_LEN];
        self.entropy.fill(&mut salt)?;
        let provider = self.derive(kek_id, 1, &salt, self.iterations)?;
        let parameters = KekParameters {
            salt: Some(salt),
            iterations: Some(self.iterations),
            ..KekParameters::default()
        };
        Ok((provider, parameters))
    }

    fn load(
        &self,
        kek_id: KekId,
        version: u32,
        parameters: &KekParameters,
    ) -> Result<Arc<dyn KekProvider>, ProviderError> {
        let missing = |parameter| ProviderError::Incomplete { kek_id, parameter };
        let salt = parameters.salt.as_deref().ok_or(missing("salt"))?;
        let iterations = parameters.iterations.ok_or(missing("iterations"))?;
        self.derive(kek_id, version, salt, iterations)
    }
}

impl fmt::Debug for LocalSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalSource")
            .field("key", &self.key)
            .field("iterations", &self.iterations)
            .field("suite", &self.suite)
            .finish_non_exhaustive()
    }
}
