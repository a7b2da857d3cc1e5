//! A small application over real sockets.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;

use actix_web::web::{self, Bytes};
use actix_web::{App, HttpRequest, HttpResponse};
use futures_util::StreamExt;
use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConfig, StreamOwned};

use crate::platform::net::{Limits, serve};

async fn echo(body: Bytes) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("application/octet-stream")
        .body(body)
}

async fn ignore() -> &'static str {
    "ignored"
}

async fn peer(request: HttpRequest) -> String {
    request.peer_addr().unwrap().to_string()
}

async fn upgrade(payload: web::Payload) -> HttpResponse {
    HttpResponse::SwitchingProtocols()
        .upgrade("websocket")
        .streaming(payload.map(|piece| piece.map_err(actix_web::Error::from)))
}

/// Starts the application.
async fn start(tls: Option<Arc<ServerConfig>>) -> (SocketAddr, actix_server::ServerHandle) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let limits = Limits {
        workers: 1,
        ..Limits::default()
    };
    let application = || {
        App::new()
            .app_data(web::PayloadConfig::new(1 << 20))
            .route("/echo", web::post().to(echo))
            .route("/ignore", web::post().to(ignore))
            .route("/peer", web::get().to(peer))
            .route("/ws", web::get().to(upgrade))
    };
    let server = serve(
        vec![listener],
        tls,
        &limits,
        &Arc::default(),
        |_| None,
        application,
    )
    .unwrap();
    let handle = server.handle();
    actix_web::rt::spawn(server);
    (address, handle)
}

/// Runs a blocking client beside the server.
async fn against<R: Send + 'static>(client: impl FnOnce(TcpStream) -> R + Send + 'static) -> R {
    let (address, handle) = start(None).await;
    let run = move || client(TcpStream::connect(address).unwrap());
    let result = web::block(run).await.unwrap();
    handle.stop(false).await;
    result
}

fn post(path: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

/// Reads one response; returns its head in lower case, and its body.
fn answer(stream: &mut impl Read) -> (String, Vec<u8>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap().to_lowercase();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body).unwrap();
    (head, body)
}

fn echo_every_size(stream: &mut (impl Read + Write)) {
    for size in [0, 1, 15, 16, 17, 1024, 8192, 8193, 40_000, 300_000] {
        let body: Vec<u8> = (0..size).map(|n| (n * 7 % 251) as u8).collect();
        stream.write_all(&post("/echo", &body)).unwrap();
        let (head, echoed) = answer(stream);
        assert!(head.starts_with("http/1.1 200"), "{head}");
        assert!(echoed == body, "{size} bytes came back changed");
    }
}

#[actix_web::test]
async fn bodies_of_every_size_pass_unchanged_in_both_directions() {
    against(|mut stream| echo_every_size(&mut stream)).await;
}

/// A server's and a client's configuration that trust each other.
fn tls() -> (Arc<ServerConfig>, Arc<ClientConfig>) {
    let certified = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let key = certified.signing_key.serialize_der().try_into().unwrap();
    let server = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certified.cert.der().clone()], key)
        .unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(certified.cert.der().clone()).unwrap();
    let client = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    (Arc::new(server), Arc::new(client))
}

#[actix_web::test]
async fn bodies_of_every_size_pass_unchanged_over_tls() {
    let (server, client) = tls();
    let (address, handle) = start(Some(server)).await;
    let run = move || {
        let name = "localhost".try_into().unwrap();
        let connection = ClientConnection::new(client, name).unwrap();
        let mut stream = StreamOwned::new(connection, TcpStream::connect(address).unwrap());
        echo_every_size(&mut stream);
        // New keys in the middle of a connection, asked for by the client.
        stream.conn.refresh_traffic_keys().unwrap();
        echo_every_size(&mut stream);
        stream.conn.send_close_notify();
        stream.flush().unwrap();
        assert_eq!(
            stream.read(&mut [0]).unwrap(),
            0,
            "the server says goodbye too"
        );
    };
    web::block(run).await.unwrap();
    handle.stop(false).await;
}

#[actix_web::test]
async fn what_is_no_tls_is_refused_and_the_next_client_served() {
    let (server, client) = tls();
    let (address, handle) = start(Some(server)).await;
    let run = move || {
        let mut plain = TcpStream::connect(address).unwrap();
        plain.write_all(&post("/echo", b"in the clear")).unwrap();
        let mut told = Vec::new();
        plain.read_to_end(&mut told).unwrap();
        assert_eq!(told.first(), Some(&21), "an alert, and no answer: {told:?}");
        let mut silent = TcpStream::connect(address).unwrap();
        silent.write_all(&[22, 3, 1]).unwrap();
        drop(silent);
        let name = "localhost".try_into().unwrap();
        let connection = ClientConnection::new(client, name).unwrap();
        let mut stream = StreamOwned::new(connection, TcpStream::connect(address).unwrap());
        echo_every_size(&mut stream);
    };
    web::block(run).await.unwrap();
    handle.stop(false).await;
}

#[actix_web::test]
async fn requests_in_a_row_and_in_pieces_each_get_their_own_body() {
    against(|mut stream| {
        let first = post("/echo", &[b'1'; 100]);
        let row = [
            first,
            post("/echo", &[b'2'; 70]),
            post("/ignore", &[b'3'; 50]),
        ]
        .concat();
        for piece in row.chunks(37) {
            stream.write_all(piece).unwrap();
        }
        assert_eq!(answer(&mut stream).1, [b'1'; 100]);
        assert_eq!(answer(&mut stream).1, [b'2'; 70]);
        assert_eq!(answer(&mut stream).1, b"ignored");
    })
    .await;
}

#[actix_web::test]
async fn a_chunked_request_is_served_and_its_connection_closed() {
    against(|mut stream| {
        let request = b"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n\
            18\r\nabcdefghijklmnopqrstuvwx\r\n0\r\n\r\n";
        stream.write_all(request).unwrap();
        let (head, body) = answer(&mut stream);
        assert_eq!(body, b"abcdefghijklmnopqrstuvwx");
        assert!(head.contains("connection: close"), "{head}");
        assert_eq!(stream.read(&mut [0]).unwrap(), 0);
    })
    .await;
}

#[actix_web::test]
async fn a_request_with_a_body_becomes_no_socket() {
    against(|mut stream| {
        let request =
            b"GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
            Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n";
        stream.write_all(request).unwrap();
        let (head, body) = answer(&mut stream);
        assert!(head.starts_with("http/1.1 400"), "{head}");
        assert!(
            String::from_utf8(body)
                .unwrap()
                .contains("Transfer-Encoding")
        );
        assert_eq!(stream.read(&mut [0]).unwrap(), 0);
    })
    .await;
}

#[actix_web::test]
async fn the_peer_is_known_to_handlers() {
    against(|mut stream| {
        stream
            .write_all(b"GET /peer HTTP/1.1\r\nHost: x\r\n\r\n")
            .unwrap();
        let peer = String::from_utf8(answer(&mut stream).1).unwrap();
        assert_eq!(peer, stream.local_addr().unwrap().to_string());
    })
    .await;
}

#[actix_web::test]
async fn an_upgraded_connection_carries_bytes_both_ways() {
    against(|mut stream| {
        let request =
            b"GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
        stream.write_all(request).unwrap();
        assert!(answer(&mut stream).0.starts_with("http/1.1 101"));
        for round in 0..100_u8 {
            let sent = vec![round; 1 + 163 * round as usize];
            stream.write_all(&sent).unwrap();
            let mut echoed = vec![0; sent.len()];
            stream.read_exact(&mut echoed).unwrap();
            assert!(echoed == sent, "round {round}");
        }
    })
    .await;
}
