//! The providers that the configuration names.

use std::sync::Arc;

use store::KekSource;
use zeroize::Zeroizing;

#[cfg(feature = "remote-keys")]
use super::services::services;
use crate::config::{Config, SecretError, find_secret, secret_from_environment};

/// Finds a secret by its name.
pub(super) type FindSecret = fn(&str) -> Result<Option<Zeroizing<String>>, SecretError>;

/// Why a provider cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The PIN cannot be read.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// There is no PIN.
    #[error("the token needs its PIN: set PKCS11_PIN or PKCS11_PIN_FILE")]
    NoPin,
    /// The token's driver is a pipe, a folder or a device.
    #[error("{} is no regular file; correct pkcs11_module", .0.display())]
    NoFile(std::path::PathBuf),
    /// The build does not contain the provider.
    #[error("this program was built without {0}: build it with that feature")]
    LeftOut(&'static str),
    /// There is no token of Vault.
    #[error(
        "Vault needs a token: set VAULT_TOKEN or VAULT_TOKEN_FILE, or hashicorp_vault_role_id and \
         VAULT_SECRET_ID"
    )]
    NoVaultToken,
    /// There is no secret of the AppRole.
    #[error("the role of Vault needs its secret: set VAULT_SECRET_ID or VAULT_SECRET_ID_FILE")]
    NoVaultSecret,
    /// The certificates of Vault cannot be read.
    #[error("{} cannot be read ({}): correct hashicorp_vault_ca or its permissions", .0.display(), .1)]
    Certificates(std::path::PathBuf, std::io::Error),
    /// There is no access key, or half of one.
    #[error(
        "AWS KMS needs an access key: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or neither and \
         aws_kms_instance_role = true if this machine has a role of its own"
    )]
    NoAwsKey,
    /// The identity for Azure is half there.
    #[error(
        "Azure Key Vault needs an identity: set azure_tenant_id, azure_client_id and \
         AZURE_CLIENT_SECRET, or neither tenant nor secret if this machine has an identity of its own"
    )]
    HalfAzureIdentity,
    /// The provider's driver was refused.
    #[error(transparent)]
    Provider(#[from] keyring::ProviderError),
}

/// Makes the providers other than `local`; loads a token's driver, and asks no key service.
pub fn providers(config: &Config) -> Result<Vec<Arc<dyn KekSource>>, SourceError> {
    let mut all = token(config)?;
    all.extend(services(config, secret_from_environment)?);
    Ok(all)
}

/// Checks what key services need, without asking them and without a word in the log.
pub fn check_services(config: &Config) -> Result<(), SourceError> {
    services(config, |name| {
        Ok(find_secret(name)?.map(|found| found.value))
    })
    .map(drop)
}

#[cfg(not(feature = "remote-keys"))]
fn services(config: &Config, _: FindSecret) -> Result<Vec<Arc<dyn KekSource>>, SourceError> {
    match config.key_services.any() {
        true => Err(SourceError::LeftOut("remote-keys")),
        false => Ok(Vec::new()),
    }
}

fn token(config: &Config) -> Result<Vec<Arc<dyn KekSource>>, SourceError> {
    let (Some(module), Some(token)) = (&config.keys.pkcs11_module, &config.keys.pkcs11_token)
    else {
        return Ok(Vec::new());
    };
    // Loading a pipe would wait for somebody to write into it.
    if module.exists() && !module.is_file() {
        return Err(SourceError::NoFile(module.clone()));
    }
    let pin = secret_from_environment("PKCS11_PIN")?.ok_or(SourceError::NoPin)?;
    token_source(config, module, token, &pin).map(|source| vec![source])
}

#[cfg(feature = "pkcs11")]
fn token_source(
    config: &Config,
    module: &std::path::Path,
    token: &str,
    pin: &str,
) -> Result<Arc<dyn KekSource>, SourceError> {
    use ambient::{OsEntropy, SystemClock};
    use keyring::{Pin, Pkcs11Config, Pkcs11Source, TokenSelector};

    let selector = match token.parse::<TokenSelector>() {
        Ok(selector) => selector,
        Err(never) => match never {},
    };
    let source = Pkcs11Source::new(
        Pkcs11Config {
            module: module.to_owned(),
            token: selector,
            pin: Pin::new(pin.to_owned()),
            cache_life: std::time::Duration::from_secs(config.keys.pkcs11_cache_secs),
        },
        Arc::new(OsEntropy),
        Arc::new(SystemClock::start()),
    )?;
    Ok(Arc::new(source))
}

#[cfg(not(feature = "pkcs11"))]
fn token_source(
    _: &Config,
    _: &std::path::Path,
    _: &str,
    _: &str,
) -> Result<Arc<dyn KekSource>, SourceError> {
    Err(SourceError::LeftOut("pkcs11"))
}
