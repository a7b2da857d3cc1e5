//! A client of TLS that trusts one certificate.

use std::net::SocketAddr;
use std::sync::Arc;

use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsConnector;

/// What connects to whoever has this certificate.
pub(crate) fn trusting(certificate: &CertificateDer<'static>) -> TlsConnector {
    let mut roots = RootCertStore::empty();
    roots.add(certificate.clone()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    TlsConnector::from(Arc::new(config))
}

/// Carries plain connections to a TLS server on the same machine, which is known by a name.
pub(crate) fn carrier(
    server: SocketAddr,
    name: &'static str,
    connector: TlsConnector,
) -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    actix_web::rt::spawn(async move {
        let listener = TcpListener::from_std(listener).unwrap();
        while let Ok((mut plain, _)) = listener.accept().await {
            let connector = connector.clone();
            actix_web::rt::spawn(async move {
                let name = ServerName::try_from(name).unwrap();
                let socket = TcpStream::connect(server).await.unwrap();
                let mut secured = connector.connect(name, socket).await.unwrap();
                let _closed = tokio::io::copy_bidirectional(&mut plain, &mut secured).await;
            });
        }
    });
    address
}
