//! Settings of the services that wrap key-encryption keys.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{Keys, Provider};

/// Settings of key services.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default)]
pub struct KeyServices {
    /// Seconds for which a key-encryption key of a service stays in memory after the service was asked for it.
    pub kek_cache_secs: u64,
    /// Seconds that a service may take for an answer.
    pub kek_timeout_secs: u64,
    /// Address of HashiCorp Vault or OpenBao.
    pub hashicorp_vault_address: Option<String>,
    /// The name of the Transit key.
    pub hashicorp_vault_key: Option<String>,
    /// Where the Transit engine is mounted.
    pub hashicorp_vault_mount: String,
    /// The namespace, if there is one.
    pub hashicorp_vault_namespace: Option<String>,
    /// PEM file of certificates that are trusted beside the machine's.
    pub hashicorp_vault_ca: Option<PathBuf>,
    /// Id of the AppRole; without it `VAULT_TOKEN` signs in.
    pub hashicorp_vault_role_id: Option<String>,
    /// Where AppRole is mounted.
    pub hashicorp_vault_role_mount: String,
    /// Id, ARN or alias of the key in AWS KMS.
    pub aws_kms_key_id: Option<String>,
    /// Region of the key.
    pub aws_kms_region: String,
    /// Address of AWS KMS; the region's own if it is not set.
    pub aws_kms_endpoint: Option<String>,
    /// Whether the role of this machine signs in if no access key is given.
    pub aws_kms_instance_role: bool,
    /// Address of the vault or of the Managed HSM in Azure.
    pub azure_key_vault_url: Option<String>,
    /// The name of the key there.
    pub azure_key_vault_key: Option<String>,
    /// `RSA-OAEP-256`, or `A256GCM` with an AES key of a Managed HSM.
    pub azure_key_vault_algorithm: AzureWrapping,
    /// Where tokens come from.
    pub azure_authority: String,
    /// Id of the tenant.
    pub azure_tenant_id: Option<String>,
    /// Id of the application, or of one of several identities of this machine.
    pub azure_client_id: Option<String>,
}

/// How Azure wraps, by the name of the algorithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum AzureWrapping {
    /// An RSA key.
    #[serde(rename = "RSA-OAEP-256")]
    RsaOaep256,
    /// An AES key of a Managed HSM.
    #[serde(rename = "A256GCM")]
    A256Gcm,
}

impl Default for KeyServices {
    fn default() -> Self {
        Self {
            kek_cache_secs: 300,
            kek_timeout_secs: 5,
            hashicorp_vault_address: None,
            hashicorp_vault_key: None,
            hashicorp_vault_mount: "transit".to_owned(),
            hashicorp_vault_namespace: None,
            hashicorp_vault_ca: None,
            hashicorp_vault_role_id: None,
            hashicorp_vault_role_mount: "approle".to_owned(),
            aws_kms_key_id: None,
            aws_kms_region: "us-east-1".to_owned(),
            aws_kms_endpoint: None,
            aws_kms_instance_role: false,
            azure_key_vault_url: None,
            azure_key_vault_key: None,
            azure_key_vault_algorithm: AzureWrapping::RsaOaep256,
            azure_authority: "https://login.microsoftonline.com".to_owned(),
            azure_tenant_id: None,
            azure_client_id: None,
        }
    }
}

/// A service of which only a part is configured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{provider} needs {needs}; set what is missing")]
pub struct HalfService {
    provider: &'static str,
    needs: &'static str,
}

impl KeyServices {
    /// Whether a service is configured.
    pub fn any(&self) -> bool {
        self.hashicorp_vault_address.is_some()
            || self.aws_kms_key_id.is_some()
            || self.azure_key_vault_url.is_some()
    }

    /// Finds services that are configured in part, or wanted and not configured.
    pub(super) fn half_set(&self, keys: &Keys) -> Vec<HalfService> {
        let half = |set: &[bool], provider: Provider| {
            let wanted = keys.kek_provider == provider || set.contains(&true);
            wanted && set.contains(&false)
        };
        let vault = [
            self.hashicorp_vault_address.is_some(),
            self.hashicorp_vault_key.is_some(),
        ];
        let azure = [
            self.azure_key_vault_url.is_some(),
            self.azure_key_vault_key.is_some(),
        ];
        let all = [
            (
                half(&vault, Provider::HashicorpVault),
                "hashicorp_vault",
                "hashicorp_vault_address and hashicorp_vault_key",
            ),
            (
                half(&[self.aws_kms_key_id.is_some()], Provider::AwsKms),
                "aws_kms",
                "aws_kms_key_id",
            ),
            (
                half(&azure, Provider::AzureKeyVault),
                "azure_key_vault",
                "azure_key_vault_url and azure_key_vault_key",
            ),
        ];
        let found = all.into_iter().filter(|(half, ..)| *half);
        found
            .map(|(_, provider, needs)| HalfService { provider, needs })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_is_configured_whole_or_not_at_all() {
        let keys = |kek_provider| Keys {
            kek_provider,
            ..Keys::default()
        };
        let none = KeyServices::default();
        assert!(!none.any());
        assert_eq!(none.half_set(&keys(Provider::Local)), []);
        for (provider, word) in [
            (Provider::HashicorpVault, "hashicorp_vault_address"),
            (Provider::AwsKms, "aws_kms_key_id"),
            (Provider::AzureKeyVault, "azure_key_vault_url"),
        ] {
            let half = none.half_set(&keys(provider));
            assert_eq!(half.len(), 1);
            assert!(half[0].to_string().contains(word), "{}", half[0]);
        }
        let half = KeyServices {
            hashicorp_vault_address: Some("https://vault".to_owned()),
            ..KeyServices::default()
        };
        assert!(half.any());
        assert_eq!(half.half_set(&keys(Provider::Local)).len(), 1);
        let whole = KeyServices {
            hashicorp_vault_key: Some("messages".to_owned()),
            ..half
        };
        assert_eq!(whole.half_set(&keys(Provider::HashicorpVault)), []);
    }
}
