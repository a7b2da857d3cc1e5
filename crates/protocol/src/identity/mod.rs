//! An account's long-term keys.
//!
//! Specification: `docs/protocol/accounts.md#identity`.

mod fingerprint;
mod keys;

pub use fingerprint::{Fingerprint, safety_number};
pub use keys::{AccountKeys, IdentityError};

use rand_core::CryptoRng;

use crate::primitives::agreement::AgreementSecret;
use crate::primitives::signature::SigningKey;

/// The private half of an account: identity key and verify key.
///
/// It is stored in the key safe and, while the client is unlocked, held in its memory.
#[derive(Debug, PartialEq, Eq)]
pub struct AccountSecrets {
    /// X25519 identity key.
    pub identity: AgreementSecret,
    /// Ed25519 and ML-DSA-87 seeds.
    pub signing: SigningKey,
}

impl AccountSecrets {
    /// Makes the keys of a new identity.
    pub fn generate(rng: &mut (impl CryptoRng + ?Sized)) -> Self {
        Self {
            identity: AgreementSecret::generate(rng),
            signing: SigningKey::generate(rng),
        }
    }

    /// The public half, signed by itself.
    pub fn account_keys(&self, rng: &mut (impl CryptoRng + ?Sized)) -> AccountKeys {
        AccountKeys::sign(rng, self)
    }

    /// The fingerprint, without signing anything.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(&self.identity.public(), &self.signing.verify_key())
    }

    /// A second copy, where two owners must live apart.
    #[must_use]
    pub fn duplicate(&self) -> Self {
        Self {
            identity: self.identity.duplicate(),
            signing: self.signing.duplicate(),
        }
    }
}
