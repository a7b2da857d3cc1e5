//! The key services that the configuration names.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ambient::{OsEntropy, SystemClock};
use keyring::{
    AwsConfig, AwsLogin, AzureAlgorithm, AzureConfig, AzureLogin, MACHINE_IDENTITY, ProviderError,
    RemoteSettings, RemoteSource, SecretText, VaultConfig, VaultLogin, regular_file,
};
use store::KekSource;

use super::sources::{FindSecret, SourceError};
use crate::config::{AzureWrapping, Config};

/// Longest file of certificates that is read, in bytes.
const LONGEST: u64 = 1 << 20;

/// Makes every service that is configured; asks none of them.
pub(super) fn services(
    config: &Config,
    secret: FindSecret,
) -> Result<Vec<Arc<dyn KekSource>>, SourceError> {
    let settings = RemoteSettings {
        cache_life: Duration::from_secs(config.key_services.kek_cache_secs),
        time_limit: Duration::from_secs(config.key_services.kek_timeout_secs),
        suite: config.keys.suite.suite(),
    };
    let (entropy, clock) = (Arc::new(OsEntropy), Arc::new(SystemClock::start()));
    let mut all: Vec<Arc<dyn KekSource>> = Vec::new();
    let mut add = |made: Result<RemoteSource, ProviderError>| {
        all.push(Arc::new(made?));
        Ok::<(), SourceError>(())
    };
    let find = |name: &str| -> Result<Option<SecretText>, SourceError> {
        Ok(secret(name)?.map(|found| SecretText::new(&found)))
    };
    if let Some(vault) = vault(config, &find)? {
        let (entropy, clock) = (entropy.clone(), clock.clone());
        add(RemoteSource::hashicorp_vault(
            vault, settings, entropy, clock,
        ))?;
    }
    if let Some(aws) = aws(config, secret, &find)? {
        let (entropy, clock) = (entropy.clone(), clock.clone());
        add(RemoteSource::aws_kms(aws, settings, entropy, clock))?;
    }
    if let Some(azure) = azure(config, &find)? {
        add(RemoteSource::azure_key_vault(
            azure, settings, entropy, clock,
        ))?;
    }
    Ok(all)
}

type FindText<'a> = &'a dyn Fn(&str) -> Result<Option<SecretText>, SourceError>;

fn vault(config: &Config, find: FindText<'_>) -> Result<Option<VaultConfig>, SourceError> {
    let own = &config.key_services;
    let (Some(address), Some(key)) = (&own.hashicorp_vault_address, &own.hashicorp_vault_key)
    else {
        return Ok(None);
    };
    let login = match &own.hashicorp_vault_role_id {
        Some(role_id) => VaultLogin::AppRole {
            mount: own.hashicorp_vault_role_mount.clone(),
            role_id: role_id.clone(),
            secret_id: find("VAULT_SECRET_ID")?.ok_or(SourceError::NoVaultSecret)?,
        },
        None => VaultLogin::Token(find("VAULT_TOKEN")?.ok_or(SourceError::NoVaultToken)?),
    };
    let ca = own.hashicorp_vault_ca.as_deref();
    Ok(Some(VaultConfig {
        address: address.clone(),
        namespace: own.hashicorp_vault_namespace.clone(),
        mount: own.hashicorp_vault_mount.clone(),
        key: key.clone(),
        ca: ca.map(certificates).transpose()?,
        login,
    }))
}

fn certificates(path: &Path) -> Result<Vec<u8>, SourceError> {
    use std::io::Read as _;
    let read = || -> std::io::Result<Vec<u8>> {
        let mut pem = Vec::new();
        regular_file::open(path)?
            .take(LONGEST)
            .read_to_end(&mut pem)?;
        Ok(pem)
    };
    read().map_err(|error| SourceError::Certificates(path.to_owned(), error))
}

fn aws(
    config: &Config,
    secret: FindSecret,
    find: FindText<'_>,
) -> Result<Option<AwsConfig>, SourceError> {
    let own = &config.key_services;
    let Some(key_id) = &own.aws_kms_key_id else {
        return Ok(None);
    };
    let id = secret("AWS_ACCESS_KEY_ID")?;
    let login = match (id, find("AWS_SECRET_ACCESS_KEY")?) {
        (Some(id), Some(secret)) => AwsLogin::Key {
            id: id.trim().to_owned(),
            secret,
            session_token: find("AWS_SESSION_TOKEN")?,
        },
        (None, None) if own.aws_kms_instance_role => AwsLogin::Machine,
        _ => return Err(SourceError::NoAwsKey),
    };
    Ok(Some(AwsConfig {
        key_id: key_id.clone(),
        region: own.aws_kms_region.clone(),
        endpoint: own.aws_kms_endpoint.clone(),
        login,
    }))
}

fn azure(config: &Config, find: FindText<'_>) -> Result<Option<AzureConfig>, SourceError> {
    let own = &config.key_services;
    let (Some(vault_url), Some(key)) = (&own.azure_key_vault_url, &own.azure_key_vault_key) else {
        return Ok(None);
    };
    let ids = (&own.azure_tenant_id, &own.azure_client_id);
    let login = match (find("AZURE_CLIENT_SECRET")?, ids) {
        (Some(secret), (Some(tenant), Some(client_id))) => AzureLogin::Secret {
            authority: own.azure_authority.clone(),
            tenant: tenant.clone(),
            client_id: client_id.clone(),
            secret,
        },
        (None, (None, client_id)) => AzureLogin::Machine {
            address: MACHINE_IDENTITY.to_owned(),
            client_id: client_id.clone(),
        },
        _ => return Err(SourceError::HalfAzureIdentity),
    };
    Ok(Some(AzureConfig {
        vault_url: vault_url.clone(),
        key: key.clone(),
        algorithm: match own.azure_key_vault_algorithm {
            AzureWrapping::RsaOaep256 => AzureAlgorithm::RsaOaep256,
            AzureWrapping::A256Gcm => AzureAlgorithm::A256Gcm,
        },
        login,
    }))
}
