//! Keys that another instance made.

use std::sync::Arc;

use keyring::{KekProvider, KekSource, ProviderError};

use crate::engine::keys::KekRow;
use crate::fault::Fault;
use crate::keys::rings::Rings;
use crate::repository::Repository;
use crate::sealing::sealer::outage_of_keys;

/// What a key is looked for with.
struct Search {
    holders: Vec<Arc<dyn KekProvider>>,
    sources: Vec<Arc<dyn KekSource>>,
    rings: Rings,
}

impl Search {
    /// The key as the one before it holds it while values move, or as its own source has it.
    fn find(&self, row: &KekRow) -> Result<Option<Arc<dyn KekProvider>>, ProviderError> {
        let handed_over = |holder| self.rings.handed_over(holder, row);
        if let Some(found) = self.holders.iter().find_map(handed_over) {
            return Ok(Some(found));
        }
        for source in &self.sources {
            match source.load(row.id(), row.version, &row.parameters()) {
                Ok(loaded) if self.rings.opens(&loaded, row)? => return Ok(Some(loaded)),
                Err(reason) if reason.is_outage() => return Err(reason),
                Ok(_) | Err(_) => {}
            }
        }
        Ok(None)
    }
}

impl Repository {
    /// Loads a key that another instance made active.
    pub(super) async fn load_made_elsewhere(
        &self,
        row: KekRow,
    ) -> Result<Arc<dyn KekProvider>, Fault> {
        let tag = row.tag()?;
        let keyring = &self.sealer.keyring;
        let search = Search {
            holders: keyring.providers(),
            sources: self.keys.sources_of(tag),
            rings: Rings {
                entropy: Arc::clone(&self.sealer.entropy),
                suite: keyring.suite(),
            },
        };
        // Deriving takes a tenth of a second, a service as long as it likes.
        let found = tokio::task::spawn_blocking(move || search.find(&row))
            .await
            .map_err(|_| {
                Fault::Unavailable("loading a key ended by an internal error".to_owned())
            })?;
        found.map_err(|reason| outage_of_keys(&reason))?.ok_or_else(|| {
            Fault::Keys(format!(
                "another instance moved the database to a key of the provider {tag} that this one cannot \
                 load: give it the key that the others have, and restart it"
            ))
        })
    }
}
