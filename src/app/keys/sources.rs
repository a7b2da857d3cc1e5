//! The providers that the configuration names.

use std::sync::Arc;

use store::KekSource;

use crate::config::{Config, SecretError};

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
    #[error("this program was built without pkcs11: build it with that feature")]
    LeftOut,
    /// The provider's driver was refused.
    #[error(transparent)]
    Provider(#[from] keyring::ProviderError),
}

/// Makes the providers other than `local`; loads a token's driver.
pub fn providers(config: &Config) -> Result<Vec<Arc<dyn KekSource>>, SourceError> {
    let (Some(module), Some(token)) = (&config.keys.pkcs11_module, &config.keys.pkcs11_token)
    else {
        return Ok(Vec::new());
    };
    // Loading a pipe would wait for somebody to write into it.
    if module.exists() && !module.is_file() {
        return Err(SourceError::NoFile(module.clone()));
    }
    let pin = crate::config::secret_from_environment("PKCS11_PIN")?.ok_or(SourceError::NoPin)?;
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
    Err(SourceError::LeftOut)
}
