//! What an address of a database says.

use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};

use crate::config::OpenError;
use crate::postgres::PostgresConfig;

/// Reads an address. Beyond this machine the way is encrypted unless the address says `sslmode=disable`.
pub(crate) fn parse(postgres: &PostgresConfig) -> Result<Config, OpenError> {
    let refused = |reason: String| OpenError::Address(reason);
    let mut config: Config = postgres
        .address()
        .parse()
        .map_err(|error: tokio_postgres::Error| refused(error.to_string()))?;
    if let Some(password) = &postgres.password {
        config.password(password.as_bytes());
    }
    if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
        return Err(refused("it names no host".to_owned()));
    }
    if config.get_ssl_mode() == SslMode::Prefer {
        let here = config.get_hosts().iter().all(is_here)
            && config
                .get_hostaddrs()
                .iter()
                .all(|address| address.is_loopback());
        config.ssl_mode(if here {
            SslMode::Disable
        } else {
            SslMode::Require
        });
    }
    Ok(config)
}

fn is_here(host: &Host) -> bool {
    match host {
        Host::Unix(_) => true,
        // A name that only begins like an address is a name.
        Host::Tcp(name) => {
            let digits = |c: char| c.is_ascii_digit() || c == '.';
            name == "localhost"
                || name == "::1"
                || (name.starts_with("127.") && name.chars().all(digits))
        }
    }
}

/// What a database is known by: the operator's own authority where one is named, this machine's otherwise.
///
/// The name in the certificate is always compared with the host.
pub(crate) fn tls(
    config: &Config,
    postgres: &PostgresConfig,
) -> Result<Option<Arc<ClientConfig>>, OpenError> {
    if config.get_ssl_mode() == SslMode::Disable {
        return Ok(None);
    }
    let refused = |reason: String| OpenError::Authority(reason);
    let mut roots = RootCertStore::empty();
    match &postgres.authority {
        Some(file) => {
            let unreadable = |why: String| refused(format!("the file {} {why}", file.display()));
            let found = CertificateDer::pem_file_iter(file)
                .and_then(Iterator::collect::<Result<Vec<_>, _>>)
                .map_err(|error| unreadable(format!("cannot be read: {error}")))?;
            if found.is_empty() {
                return Err(unreadable("holds no certificate (PEM)".to_owned()));
            }
            for certificate in found {
                roots
                    .add(certificate)
                    .map_err(|error| unreadable(format!("holds no certificate: {error}")))?;
            }
        }
        None => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    if roots.is_empty() {
        return Err(refused(
            "there is no authority to know the database by: name a file with its certificate in \
             it, or install this machine's certificates"
                .to_owned(),
        ));
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| refused(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Some(Arc::new(config)))
}
