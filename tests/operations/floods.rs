//! Strangers who send more than is asked for: what the server holds for them stays small.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::json;
use tempfile::TempDir;

use crate::support::Spawned;

/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(60);

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// MiB of a server that are resident.
fn resident(server: &Spawned) -> u64 {
    let path = format!("/proc/{}/statm", server.pid());
    let text = std::fs::read_to_string(path).unwrap();
    let pages: u64 = text.split_whitespace().nth(1).unwrap().parse().unwrap();
    pages * 4 / 1024
}

fn proof(promise: &str, measured: &str, holds: bool) {
    println!(
        "proof: {}",
        json!({"promise": promise, "measured": measured, "holds": holds})
    );
    assert!(holds, "{promise}: {measured}");
}

fn head(path: &str, more: &str, length: u64) -> Vec<u8> {
    format!(
        "POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n{more}\
         content-length: {length}\r\n\r\n"
    )
    .into_bytes()
}

/// Reads the status of an answer; nothing where the connection ended without.
fn status(stream: &mut TcpStream) -> Option<String> {
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).ok()?;
    Some(String::from_utf8_lossy(&answer[9..]).into_owned())
}

/// Asks over a connection of its own: whoever comes now is served.
fn is_served(server: &Spawned) -> bool {
    let mut stream = connect(server.address);
    let request = b"GET /health/ready HTTP/1.1\r\nhost: localhost\r\n\r\n";
    stream.write_all(request).unwrap();
    status(&mut stream).as_deref() == Some("200")
}

#[test]
fn what_follows_a_refused_request_is_not_kept() {
    const CONNECTIONS: usize = 4;
    const MIB: usize = 64;
    let data = TempDir::new().unwrap();
    let server = Spawned::start(data.path());
    assert!(is_served(&server));
    let before = resident(&server);
    let (mut sent, mut most) = (0, before);
    for _ in 0..CONNECTIONS {
        let mut stream = connect(server.address);
        let foreign = "origin: https://elsewhere.example\r\n";
        stream
            .write_all(&head("/api/v1/registration/start", foreign, 50))
            .unwrap();
        stream.write_all(&[b'a'; 20]).unwrap();
        assert_eq!(status(&mut stream).as_deref(), Some("403"));
        let _gone = stream.write_all(&[b'a'; 30]);
        let _gone = stream.write_all(&head("/api/v1/registration/start", "", 1 << 40));
        let piece = vec![b'b'; 1 << 20];
        for _ in 0..MIB {
            match stream.write(&piece) {
                Ok(count) => sent += count,
                Err(_) => break,
            }
            most = most.max(resident(&server));
        }
        let _gone = stream.shutdown(Shutdown::Both);
    }
    assert!(is_served(&server));
    let grown = most - before;
    proof(
        "what follows a refused request is not kept",
        &format!("{} MiB sent, at most {grown} MiB more resident", sent >> 20),
        grown < 24,
    );
}

#[test]
fn bodies_that_stop_coming_hold_little_and_end_by_themselves() {
    const CONNECTIONS: usize = 300;
    const LENGTH: usize = 2 << 20;
    let data = TempDir::new().unwrap();
    let server = Spawned::start(data.path());
    assert!(is_served(&server));
    let before = resident(&server);
    let native = "x-secure-messaging: 1\r\n";
    let body = vec![b' '; LENGTH - 1];
    let mut most = before;
    let mut open: Vec<_> = (0..CONNECTIONS)
        .map(|_| {
            let mut stream = connect(server.address);
            stream
                .write_all(&head("/api/v1/registration/finish", native, LENGTH as u64))
                .unwrap();
            // The server may have refused it already.
            let _gone = stream.write_all(&body);
            most = most.max(resident(&server));
            stream
        })
        .collect();
    assert!(is_served(&server));
    most = most.max(resident(&server));
    // All of them end without another byte: at once, or when they were waited for long enough.
    let statuses: Vec<_> = open.iter_mut().map(status).collect();
    let refused = statuses
        .iter()
        .filter(|it| it.as_deref() == Some("503"))
        .count();
    let broken = statuses
        .iter()
        .filter(|it| it.as_deref() == Some("400"))
        .count();
    most = most.max(resident(&server));
    assert!(broken > 0, "the control: some were let in: {statuses:?}");
    drop(open);
    assert!(is_served(&server));
    let grown = most - before;
    proof(
        "bodies that stop coming hold little and end by themselves",
        &format!(
            "{CONNECTIONS} bodies of 2 MiB but for a byte: at most {grown} MiB more resident, \
             {refused} refused, {broken} broken off after ten seconds"
        ),
        grown < 160,
    );
}

#[test]
fn bodies_that_are_announced_and_come_in_drops_hold_nobody_up() {
    const LENGTH: usize = 2 << 20;
    let data = TempDir::new().unwrap();
    let server = Spawned::start(data.path());
    let native = "x-secure-messaging: 1\r\n";
    let path = "/api/v1/registration/finish";
    let slow: Vec<_> = (0..40)
        .map(|_| {
            let mut stream = connect(server.address);
            stream
                .write_all(&head(path, native, LENGTH as u64))
                .unwrap();
            stream.write_all(b" ").unwrap();
            stream
        })
        .collect();
    assert!(is_served(&server));
    let mut large = connect(server.address);
    large.write_all(&head(path, native, LENGTH as u64)).unwrap();
    large.write_all(&vec![b' '; LENGTH]).unwrap();
    // It is no registration; but it was read to its end.
    assert_eq!(status(&mut large).as_deref(), Some("400"));
    drop(slow);
}
