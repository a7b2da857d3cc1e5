//! TLS configuration: version 1.3 only; X25519MLKEM768 is preferred.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use keyring::regular_file;
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// Why TLS cannot be configured.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A PEM file cannot be read.
    #[error("{0} cannot be read as PEM ({1}); check tls_cert and tls_key")]
    Pem(PathBuf, pem::Error),
    /// The file contains no certificate.
    #[error("{0} holds no certificate; put the chain there, the server's own first")]
    NoCertificate(PathBuf),
    /// Certificate and key do not fit.
    #[error("certificate and key cannot be used together ({0}); check tls_cert and tls_key")]
    Unfit(#[from] rustls::Error),
}

fn open(path: &Path) -> Result<File, TlsError> {
    regular_file::open(path).map_err(|error| TlsError::Pem(path.to_owned(), pem::Error::Io(error)))
}

/// Reads certificate and key.
pub fn load(certificate: &Path, key: &Path) -> Result<Arc<ServerConfig>, TlsError> {
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_reader_iter(open(certificate)?)
        .collect::<Result<_, _>>()
        .map_err(|error| TlsError::Pem(certificate.to_owned(), error))?;
    if chain.is_empty() {
        return Err(TlsError::NoCertificate(certificate.to_owned()));
    }
    let key = PrivateKeyDer::from_pem_reader(open(key)?)
        .map_err(|error| TlsError::Pem(key.to_owned(), error))?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    // A ticket would let a recorded session be resumed, and its keys outlive the connection.
    config.send_tls13_tickets = 0;
    Ok(Arc::new(config))
}
