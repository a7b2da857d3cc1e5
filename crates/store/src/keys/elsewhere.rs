//! Keys that another instance made.

use std::sync::Arc;

use ambient::Entropy;
use keyring::{ExportedKek, KekProvider, KekSource, Keyring, LocalProvider, ProviderTag};

use crate::engine::keys::KekRow;
use crate::fault::Fault;
use crate::keys::opening::CHECK;
use crate::repository::Repository;
use crate::sealing::columns::KEK_HANDOVER;
use crate::sealing::sealer::{KEK_CHECK, open};

/// What a key is looked for with.
struct Search {
    sources: Vec<Arc<dyn KekSource>>,
    keyring: Keyring,
    entropy: Arc<dyn Entropy>,
}

impl Search {
    /// Whether this is the key of the row.
    fn fits(&self, provider: &Arc<dyn KekProvider>, row: &KekRow) -> bool {
        let ring = Keyring::new(Arc::clone(provider), Arc::clone(&self.entropy))
            .with_suite(self.keyring.suite());
        let check = open(&ring, KEK_CHECK, &row.kek_id, row.check.as_bytes());
        check.is_ok_and(|check| check.expose() == CHECK)
    }

    /// The key as its own source has it.
    fn loaded(&self, row: &KekRow) -> Option<Arc<dyn KekProvider>> {
        self.sources.iter().find_map(|source| {
            let loaded = source.load(row.id(), row.version, &row.parameters()).ok()?;
            self.fits(&loaded, row).then_some(loaded)
        })
    }

    /// The key as the one before it holds it while values move.
    fn handed_over(&self, row: &KekRow) -> Option<Arc<dyn KekProvider>> {
        let handover = row.handover.as_ref()?.as_bytes();
        let key = open(&self.keyring, KEK_HANDOVER, &row.kek_id, handover).ok()?;
        let key = ExportedKek::from_slice(key.expose())?;
        let entropy = Arc::clone(&self.entropy);
        let provider = LocalProvider::from_handover(&key, row.id(), row.version, entropy);
        let provider: Arc<dyn KekProvider> = Arc::new(provider.with_suite(self.keyring.suite()));
        self.fits(&provider, row).then_some(provider)
    }
}

impl Repository {
    /// Loads a key that another instance made active.
    pub(super) async fn load_made_elsewhere(
        &self,
        row: KekRow,
    ) -> Result<Arc<dyn KekProvider>, Fault> {
        let tag: ProviderTag = row.tag()?;
        let search = Search {
            sources: self.keys.sources_of(tag),
            keyring: self.sealer.keyring.clone(),
            entropy: Arc::clone(&self.sealer.entropy),
        };
        // Deriving takes a tenth of a second, a service as long as it likes.
        let found = tokio::task::spawn_blocking(move || {
            search.handed_over(&row).or_else(|| search.loaded(&row))
        });
        let found = found.await.map_err(|_| {
            Fault::Unavailable("loading a key ended by an internal error".to_owned())
        })?;
        found.ok_or_else(|| {
            Fault::Keys(format!(
                "another instance moved the database to a key of the provider {tag} that this one cannot \
                 load: give it the key that the others have, and restart it"
            ))
        })
    }
}
