//! Every provider keeps the same promises.

use std::sync::Arc;

use ambient::OsEntropy;
use keyring::testing::conformance;
use keyring::{KeyMaterial, LocalSource, MINIMUM_ITERATIONS, Suite};

fn local(suite: Suite) -> LocalSource {
    let key = KeyMaterial::new(b"an operator's key".to_vec());
    LocalSource::new(key, MINIMUM_ITERATIONS, suite, Arc::new(OsEntropy))
}

#[test]
fn local_keys_with_chacha20_poly1305_conform() {
    conformance::check(&local(Suite::ChaCha20Poly1305));
}

#[test]
fn local_keys_with_aes_256_gcm_conform() {
    conformance::check(&local(Suite::Aes256Gcm));
}
