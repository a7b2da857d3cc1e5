//! What a stranger can make the server write to its log.

use std::io::{Read, Write};
use std::net::TcpStream;

use crate::support::{Spawned, TestApp};

/// Sends bytes that are no request and reads until the server has closed.
fn send_garbage(address: std::net::SocketAddr) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream
        .write_all(b"\x16\x03\x01 no request\r\n\r\n")
        .unwrap();
    let mut answer = Vec::new();
    // A reset is an end as well.
    let _ = stream.read_to_end(&mut answer);
}

#[test]
fn requests_that_cannot_be_read_leave_no_line_each() {
    let data = tempfile::TempDir::new().unwrap();
    let server = Spawned::start(data.path());
    for _ in 0..30 {
        send_garbage(server.address);
    }
    let log = server.stop();
    let errors: Vec<_> = log.lines().filter(|line| line.contains("ERROR")).collect();
    assert!(errors.is_empty(), "{errors:?}");
    assert!(!log.contains("stream error"), "{log}");
}

#[actix_web::test]
async fn requests_that_cannot_be_read_are_counted() {
    let app = TestApp::start().await;
    let address = app.address;
    let sent = tokio::task::spawn_blocking(move || {
        for _ in 0..5 {
            send_garbage(address);
        }
    });
    sent.await.unwrap();
    app.client().get("/api/v1/server").await.expect(200);
    assert_eq!(app.app.metrics().take_unreadable_requests(), 5);
    assert_eq!(app.app.metrics().take_unreadable_requests(), 0, "told once");
}
