//! Few file descriptors: clear answers, no crash, and everything as before when there is room.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use tempfile::TempDir;

use crate::support::{Account, BINARY, Spawned};

/// Connections that are opened at once: more than the descriptors allow.
const CROWD: usize = 100;

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    let wait = Some(Duration::from_secs(20));
    stream.set_read_timeout(wait).unwrap();
    stream
}

/// Sends a request and reads the head of the answer; nothing where the connection ended without.
fn ask(stream: &mut TcpStream) -> String {
    let request = b"GET /health/ready HTTP/1.1\r\nhost: localhost\r\n\r\n";
    if stream.write_all(request).is_err() {
        return String::new();
    }
    let mut answer = vec![0; 4096];
    match stream.read(&mut answer) {
        Ok(length) => String::from_utf8_lossy(&answer[..length]).into_owned(),
        Err(_) => String::new(),
    }
}

/// Asks over a crowd of connections that all stay open; counts answers, refusals and the rest.
fn crowd(server: &Spawned) -> (usize, usize, usize) {
    let mut open = Vec::new();
    let (mut served, mut refused, mut other) = (0, 0, 0);
    for _ in 0..CROWD {
        let mut stream = connect(server.address);
        let answer = ask(&mut stream);
        if answer.starts_with("HTTP/1.1 200") {
            served += 1;
        } else if answer.starts_with("HTTP/1.1 503") {
            assert!(answer.contains("retry-after: 5"), "{answer}");
            refused += 1;
        } else {
            other += 1;
        }
        open.push(stream);
    }
    (served, refused, other)
}

#[test]
fn with_few_descriptors_the_rest_is_refused_and_served_again_when_there_is_room() {
    let data = TempDir::new().unwrap();
    let mut server = Spawned::start_after("ulimit -n 64", data.path(), &[]);
    assert!(server.log().contains("few file descriptors"));
    for round in 0..3 {
        let (served, refused, other) = crowd(&server);
        assert!(served >= 4, "round {round}: {served} served");
        assert!(refused >= CROWD / 2, "round {round}: {refused} refused");
        assert_eq!(other, 0, "round {round}: an answer that says nothing");
        assert!(server.lives());
    }
    // The database had its descriptors all the time: an account can be made.
    actix_web::rt::System::new().block_on(async {
        let secret = server.setup_secret();
        let right = Some(("setup", secret.as_str()));
        let mut last = None;
        // The connections of the last round may still be closing.
        for _ in 0..50 {
            match Account::register(server.client(), "admin", right).await {
                Ok(account) => {
                    account.client.get("/api/v1/session").await.expect(200);
                    return;
                }
                Err(refusal) => last = Some(refusal),
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("{last:?}");
    });
    let log = server.stop();
    assert!(!log.contains("Too many open files"), "{log}");
}

#[test]
fn with_enough_descriptors_the_same_crowd_is_served() {
    let data = TempDir::new().unwrap();
    let server = Spawned::start_after("ulimit -n 512", data.path(), &[]);
    assert_eq!(crowd(&server), (CROWD, 0, 0));
}

#[test]
fn with_fewer_descriptors_than_it_needs_it_says_so_before_anything_is_made() {
    for limit in ["12", "24", "32", "48"] {
        let data = TempDir::new().unwrap();
        let output = std::process::Command::new("sh")
            .args(["-c", "ulimit -n \"$1\" && exec \"$0\" serve", BINARY, limit])
            .current_dir(data.path())
            .env("BIND_ADDR", "127.0.0.1:0")
            .env("DB_ENCRYPTION_KEY", "a key of the tests")
            .env("SECURE_MESSAGING_DATA_DIR", data.path())
            .env("SECURE_MESSAGING_WORKERS", "1")
            .output()
            .unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{limit}: {said}");
        let words = format!("this process may have {limit} files open at once");
        assert!(said.contains(&words), "{limit}: {said}");
        assert!(said.contains("52 at least"), "{limit}: {said}");
        assert_eq!(std::fs::read_dir(data.path()).unwrap().count(), 0);
    }
}
