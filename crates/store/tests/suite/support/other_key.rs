//! The key that a rotation leads to.

use std::sync::Arc;

use ambient::OsEntropy;
use keyring::{KeyMaterial, MINIMUM_ITERATIONS};
use store::{LocalSource, NewKey, Suite};

pub(crate) const OTHER_KEY: &str = "another key of the operator";

/// What makes [`OTHER_KEY`] the active key.
pub(crate) fn other_key() -> NewKey {
    NewKey::Source(Arc::new(LocalSource::new(
        KeyMaterial::new(OTHER_KEY.as_bytes().to_vec()),
        MINIMUM_ITERATIONS,
        Suite::default(),
        Arc::new(OsEntropy),
    )))
}
