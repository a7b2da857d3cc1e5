//! Over TLS: the same clients, through a process of plain sockets that speaks TLS to the server.

use rcgen::{CertifiedKey, generate_simple_self_signed};

use super::stage::{LANES, MESSAGES, Stage};
use crate::support::{Client, carrier, trusting};

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
        let carried = Client::new(carrier(server.address, "localhost", connector.clone()));
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
