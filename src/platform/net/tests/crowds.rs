//! Many connections at once.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::time::{Duration, Instant};

use actix_web::App;

use super::beside::{PATIENCE, PROBE, configure, connect, limits};
use crate::platform::net::{Limits, Waits, serve};

async fn against<R: Send + 'static>(
    limits: Limits,
    clients: impl FnOnce(SocketAddr) -> R + Send + 'static,
) -> R {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let application = || App::new().configure(configure);
    let server = serve(
        vec![listener],
        None,
        &limits,
        &std::sync::Arc::default(),
        |_| None,
        application,
    )
    .unwrap();
    let handle = server.handle();
    actix_web::rt::spawn(server);
    let result = actix_web::web::block(move || clients(address))
        .await
        .unwrap();
    handle.stop(false).await;
    result
}

/// Asks over a connection of its own; returns it with the status.
fn ask(address: SocketAddr) -> (std::net::TcpStream, String) {
    let mut stream = connect(address);
    let _sent = stream.write_all(PROBE.as_bytes());
    let mut answer = [0; 12];
    let status = match stream.read_exact(&mut answer) {
        Ok(()) => String::from_utf8_lossy(&answer[9..]).into_owned(),
        Err(_) => "closed".to_owned(),
    };
    (stream, status)
}

#[actix_web::test]
async fn one_network_is_refused_beyond_its_part_and_served_again_when_it_gave_some_back() {
    let limits = Limits {
        connections_per_network: 3,
        loopback_is_shared: false,
        ..limits()
    };
    against(limits, |address| {
        let mut open: Vec<_> = (0..3).map(|_| ask(address)).collect();
        assert!(open.iter().all(|(_, status)| status == "200"));
        assert_eq!(ask(address).1, "503");
        open.pop();
        let begun = Instant::now();
        while ask(address).1 != "200" {
            assert!(begun.elapsed() < PATIENCE, "the place is not free again");
        }
    })
    .await;
}

#[actix_web::test]
async fn a_proxy_may_hold_as_many_connections_as_there_are() {
    let limits = Limits {
        connections_per_network: 1,
        loopback_is_shared: false,
        shared_peers: vec!["127.0.0.1".parse().unwrap()],
        ..limits()
    };
    against(limits, |address| {
        let open: Vec<_> = (0..20).map(|_| ask(address)).collect();
        assert!(open.iter().all(|(_, status)| status == "200"));
    })
    .await;
}

#[actix_web::test]
async fn who_does_not_read_a_response_loses_the_connection() {
    let limits = Limits {
        connections: 1,
        waits: Waits {
            write: Duration::from_millis(500),
            ..Waits::default()
        },
        ..limits()
    };
    against(limits, |address| {
        let mut stalled = connect(address);
        stalled
            .write_all(b"GET /endless HTTP/1.1\r\nHost: x\r\n\r\n")
            .unwrap();
        stalled.read_exact(&mut [0; 12]).unwrap();
        let begun = Instant::now();
        while ask(address).1 != "200" {
            assert!(begun.elapsed() < PATIENCE, "the connection holds its place");
        }
    })
    .await;
}
