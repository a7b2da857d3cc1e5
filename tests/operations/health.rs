//! `healthcheck`, and what the service manager hears.

use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use tempfile::TempDir;

use super::{refused, run, stderr, stdout};
use crate::support::Spawned;

#[test]
fn a_running_server_is_ready_and_a_stopped_one_is_not() {
    let data = TempDir::new().unwrap();
    let server = Spawned::start(data.path());
    let address = server.address.to_string();
    let ready = run(data.path(), &["healthcheck", "--bind-addr", &address], &[]);
    assert!(ready.status.success(), "{}", stderr(&ready));
    assert_eq!(stdout(&ready), "ready\n");
    server.stop();
    let reason = refused(data.path(), &["healthcheck", "--bind-addr", &address]);
    assert!(reason.contains("start the server"), "{reason}");
}

#[test]
fn a_server_that_speaks_tls_is_asked_over_tls() {
    let data = TempDir::new().unwrap();
    let name = vec!["chat.example.org".to_owned()];
    let made = rcgen::generate_simple_self_signed(name).unwrap();
    let (certificate, key) = (data.path().join("cert.pem"), data.path().join("key.pem"));
    std::fs::write(&certificate, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let variables = [
        ("SECURE_MESSAGING_TLS_CERT", certificate.to_str().unwrap()),
        ("SECURE_MESSAGING_TLS_KEY", key.to_str().unwrap()),
        ("PUBLIC_URL", "https://chat.example.org"),
    ];
    let server = Spawned::start_with(data.path(), &variables);
    let address = server.address.to_string();
    let arguments = ["healthcheck", "--bind-addr", &address];
    let ready = run(data.path(), &arguments, &variables);
    assert!(ready.status.success(), "{}", stderr(&ready));
    // The control: without TLS the same port gives no answer that counts.
    let plain = run(data.path(), &arguments, &[]);
    assert!(!plain.status.success());
}

#[test]
fn the_service_manager_hears_that_the_server_serves_lives_and_stops() {
    let data = TempDir::new().unwrap();
    let path = data.path().join("notify");
    let manager = UnixDatagram::bind(&path).unwrap();
    manager
        .set_read_timeout(Some(Duration::from_secs(30)))
        .unwrap();
    let variables = [
        ("NOTIFY_SOCKET", path.to_str().unwrap()),
        ("WATCHDOG_USEC", "100000"),
    ];
    let server = Spawned::start_with(data.path(), &variables);
    let heard = || {
        let mut buffer = [0; 256];
        let length = manager.recv(&mut buffer).unwrap();
        String::from_utf8(buffer[..length].to_vec()).unwrap()
    };
    assert!(heard().starts_with("READY=1"));
    assert_eq!(heard(), "WATCHDOG=1");
    assert_eq!(heard(), "WATCHDOG=1");
    server.stop();
    manager.set_nonblocking(true).unwrap();
    while !heard().starts_with("STOPPING=1") {}
}
