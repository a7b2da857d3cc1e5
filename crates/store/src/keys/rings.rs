//! Whether a key is the one of a row.

use std::sync::Arc;

use ambient::Entropy;
use keyring::{ExportedKek, KekProvider, Keyring, LocalProvider, OpenError, ProviderError, Suite};

use crate::config::StoreConfig;
use crate::engine::keys::KekRow;
use crate::keys::opening::CHECK;
use crate::sealing::columns::KEK_HANDOVER;
use crate::sealing::sealer::KEK_CHECK;

/// Makes keyrings.
pub(crate) struct Rings {
    pub entropy: Arc<dyn Entropy>,
    pub suite: Suite,
}

impl Rings {
    /// Those of a store.
    pub(crate) fn of(config: &StoreConfig) -> Self {
        Self {
            entropy: config.ambient.entropy(),
            suite: config.suite,
        }
    }

    /// A keyring of one key.
    pub(crate) fn with(&self, active: Arc<dyn KekProvider>) -> Keyring {
        Keyring::new(active, Arc::clone(&self.entropy)).with_suite(self.suite)
    }

    /// Whether this is the key of the row; an error when its provider cannot say.
    pub(crate) fn opens(
        &self,
        provider: &Arc<dyn KekProvider>,
        row: &KekRow,
    ) -> Result<bool, ProviderError> {
        let ring = self.with(Arc::clone(provider));
        match ring.open(&KEK_CHECK.context(&row.kek_id), row.check.as_bytes()) {
            Ok(check) => Ok(check.expose() == CHECK),
            Err(OpenError::Provider(reason)) if reason.is_outage() => Err(reason),
            Err(_) => Ok(false),
        }
    }

    /// Opens a row's key with what the other key of a rotation holds of it.
    pub(crate) fn handed_over(
        &self,
        holder: &Arc<dyn KekProvider>,
        row: &KekRow,
    ) -> Option<Arc<dyn KekProvider>> {
        let handover = row.handover.as_ref()?.as_bytes();
        let ring = self.with(Arc::clone(holder));
        let key = ring
            .open(&KEK_HANDOVER.context(&row.kek_id), handover)
            .ok()?;
        let key = ExportedKek::from_slice(key.expose())?;
        let entropy = Arc::clone(&self.entropy);
        let provider = LocalProvider::from_handover(&key, row.id(), row.version, entropy);
        let provider: Arc<dyn KekProvider> = Arc::new(provider.with_suite(self.suite));
        self.opens(&provider, row).ok()?.then_some(provider)
    }
}
