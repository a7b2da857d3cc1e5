//! What is asked of a service.

use std::time::Duration;

use async_trait::async_trait;
use sha2::{Digest, Sha256};

use crate::remote::error::RemoteError;
use crate::secret::Kek;
use crate::stanza::{KekId, ProviderTag};

/// A KEK as it stands in its row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct WrappedKek {
    /// The service's key, by its name there.
    pub(super) reference: String,
    /// What the service made of the KEK; never secret.
    pub(super) bytes: Vec<u8>,
}

/// Wraps and unwraps KEKs elsewhere.
#[async_trait]
pub(super) trait Service: Send + Sync {
    /// The kind of provider.
    fn tag(&self) -> ProviderTag;

    /// Wraps a KEK for its id.
    async fn wrap(&self, kek_id: KekId, kek: &Kek) -> Result<WrappedKek, RemoteError>;

    /// Unwraps a KEK that was wrapped for this id.
    async fn unwrap(&self, kek_id: KekId, wrapped: &WrappedKek) -> Result<Kek, RemoteError>;

    /// Keeps what it is signed in with alive; returns when to come again, `None` for never.
    async fn look_after(&self) -> Option<Duration> {
        None
    }
}

/// What a wrapped KEK is bound to, as text.
pub(super) fn binding(kek_id: KekId) -> String {
    format!("secure-messaging/1 kek {kek_id}")
}

/// A hash by which a KEK is known again; a random key cannot be found from it.
pub(super) fn fingerprint(kek: &Kek) -> [u8; 32] {
    Sha256::new()
        .chain_update(b"secure-messaging/1 kek fingerprint")
        .chain_update(kek.expose())
        .finalize()
        .into()
}
