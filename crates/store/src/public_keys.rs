//! Public keys, in the clear because they are public.

use async_trait::async_trait;

use crate::fault::Fault;
use api::ids::UserId;

/// The public keys of an account.
///
/// The seed's columns stand on their own; `account_keys` is the complete signed encoding that is
/// handed to others, so that the store never needs to know how it is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKeys {
    /// X25519, 32 bytes.
    pub identity_key: Vec<u8>,
    /// Ed25519 ‖ ML-DSA-87, 32 + 2,592 bytes.
    pub verify_key: Vec<u8>,
    /// The complete encoding with its signatures.
    pub account_keys: Vec<u8>,
    /// Unix seconds.
    pub created_at: u64,
}

/// Public keys as stored, with the last-resort pair of the newest batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredPublicKeys {
    /// The account's own keys.
    pub keys: PublicKeys,
    /// X25519 half of the last-resort pair.
    pub signed_prekey: Vec<u8>,
    /// ML-KEM-1024 half of the last-resort pair.
    pub quantum_public_key: Vec<u8>,
}

/// Repository of public keys.
#[async_trait]
pub trait PublicKeyDirectory: Send + Sync {
    /// The public keys of an account.
    async fn public_keys(&self, user: UserId) -> Result<Option<StoredPublicKeys>, Fault>;
}
