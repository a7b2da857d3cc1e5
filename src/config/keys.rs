//! Settings of the keys under which everything durable is sealed.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use store::{ProviderTag, Suite};

/// Settings of the keys.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default)]
pub struct Keys {
    /// The provider of new keys: `local`, `pkcs11`, `hashicorp_vault`, `aws_kms` or `azure_key_vault`.
    pub kek_provider: Provider,
    /// `chacha20-poly1305` or `aes-256-gcm`: the cipher of what is sealed from now on.
    pub suite: Cipher,
    /// Days after which a key rotates by itself; 0 for never.
    pub kek_days: u64,
    /// The token's driver, a shared library.
    pub pkcs11_module: Option<PathBuf>,
    /// The token's label, or `slot:NUMBER`.
    pub pkcs11_token: Option<String>,
    /// Seconds for which an unwrapped data key of a token is kept in memory; 0 for not at all.
    pub pkcs11_cache_secs: u64,
}

/// The provider of new keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Provider {
    /// Derived from `DB_ENCRYPTION_KEY` or the key file.
    Local,
    /// In a token or HSM.
    Pkcs11,
    /// Wrapped by HashiCorp Vault or OpenBao.
    HashicorpVault,
    /// Wrapped by AWS KMS.
    AwsKms,
    /// Wrapped by Azure Key Vault.
    AzureKeyVault,
}

/// A cipher by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Cipher {
    /// ChaCha20-Poly1305 ([RFC 8439](https://www.rfc-editor.org/rfc/rfc8439#section-2.8)).
    #[serde(rename = "chacha20-poly1305")]
    ChaCha20Poly1305,
    /// AES-256-GCM ([NIST SP 800-38D](https://doi.org/10.6028/NIST.SP.800-38D)).
    #[serde(rename = "aes-256-gcm")]
    Aes256Gcm,
}

impl Default for Keys {
    fn default() -> Self {
        Self {
            kek_provider: Provider::Local,
            suite: Cipher::ChaCha20Poly1305,
            kek_days: 90,
            pkcs11_module: None,
            pkcs11_token: None,
            pkcs11_cache_secs: 300,
        }
    }
}

impl Provider {
    /// Returns the provider's tag in an envelope.
    pub fn tag(self) -> ProviderTag {
        match self {
            Self::Local => ProviderTag::LOCAL,
            Self::Pkcs11 => ProviderTag::PKCS11,
            Self::HashicorpVault => ProviderTag::HASHICORP_VAULT,
            Self::AwsKms => ProviderTag::AWS_KMS,
            Self::AzureKeyVault => ProviderTag::AZURE_KEY_VAULT,
        }
    }
}

impl Cipher {
    /// Returns the cipher.
    pub fn suite(self) -> Suite {
        match self {
            Self::ChaCha20Poly1305 => Suite::ChaCha20Poly1305,
            Self::Aes256Gcm => Suite::Aes256Gcm,
        }
    }
}

impl Keys {
    /// Returns whether something is missing that a token needs.
    pub(super) fn token_is_half_set(&self) -> bool {
        let set = (self.pkcs11_module.is_some(), self.pkcs11_token.is_some());
        set.0 != set.1 || (self.kek_provider == Provider::Pkcs11 && !set.0)
    }
}
