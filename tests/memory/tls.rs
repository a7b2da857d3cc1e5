//! Over TLS: the same clients, through a process of plain sockets that speaks TLS to the server.

use std::net::SocketAddr;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::pki_types::ServerName;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsConnector;

use super::stage::{LANES, MESSAGES, Stage};
use crate::support::{Client, trusting};

/// Carries plain connections to a TLS server on the same machine.
fn carrier(server: SocketAddr, connector: TlsConnector) -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    actix_web::rt::spawn(async move {
        let listener = TcpListener::from_std(listener).unwrap();
        while let Ok((mut plain, _)) = listener.accept().await {
            let connector = connector.clone();
            actix_web::rt::spawn(async move {
                let name = ServerName::try_from("localhost").unwrap();
                let socket = TcpStream::connect(server).await.unwrap();
                let mut secured = connector.connect(name, socket).await.unwrap();
                let _closed = tokio::io::copy_bidirectional(&mut plain, &mut secured).await;
            });
        }
    });
    address
}

#[actix_web::test]
async fn of_messages_passed_over_tls_nothing_is_left_once_they_burned() {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let folder = tempfile::TempDir::new().unwrap();
    let (certificate, key) = (
        folder.path().join("cert.pem"),
        folder.path().join("key.pem"),
    );
    std::fs::write(&certificate, cert.pem()).unwrap();
    std::fs::write(&key, signing_key.serialize_pem()).unwrap();
    let connector = trusting(cert.der());

    let variables = [
        ("SECURE_MESSAGING_TLS_CERT", certificate.to_str().unwrap()),
        ("SECURE_MESSAGING_TLS_KEY", key.to_str().unwrap()),
    ];
    let stage = Stage::start(&variables, |server| {
        let carried = Client::new(carrier(server.address, connector.clone()));
        carried.reaching(format!("https://{}", server.address))
    })
    .await;
    stage.post(0..MESSAGES, 3600).await;
    stage.assert_held(MESSAGES);
    stage.read(0..MESSAGES).await;
    stage.emptied().await;
    assert!(
        stage.sockets() > LANES,
        "the connections were meant to be open"
    );
    stage.assert_gone("with the connections open");
    let closed = stage.close((), LANES).await;
    closed.assert_gone();
    closed.assert_not_on_disk();
}
