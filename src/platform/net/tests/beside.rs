//! The server and a plain actix-web of the same application, side by side: the same bytes to both.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use actix_web::web::{self, Bytes};
use actix_web::{App, HttpResponse, HttpServer};

use crate::platform::net::{Limits, serve};

/// How long a test waits for what must come.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// A request whose answer shows that the connection is still open and at the right place.
pub(super) const PROBE: &str = "GET /probe HTTP/1.1\r\nHost: x\r\n\r\n";

/// What the answer to it holds.
const PROBED: &[u8] = b"the probe was answered";

/// Both servers, on ports of their own.
pub(super) struct Beside {
    pub(super) ours: SocketAddr,
    pub(super) plain: SocketAddr,
    handles: [actix_server::ServerHandle; 2],
}

pub(super) fn configure(config: &mut web::ServiceConfig) {
    config
        .app_data(web::PayloadConfig::new(1 << 20))
        .route("/probe", web::get().to(async || PROBED))
        .route("/early", web::route().to(async || "early"))
        .route("/endless", web::get().to(endless))
        .route("/nothing", web::route().to(HttpResponse::NoContent))
        .route(
            "/parcel",
            web::route().to(async |body: Bytes| {
                HttpResponse::Ok()
                    .content_type("application/octet-stream")
                    .body(if body.is_empty() {
                        Bytes::from_static(&[b'p'; 40])
                    } else {
                        body
                    })
            }),
        )
        .route("/echo", web::route().to(async |body: Bytes| body));
}

/// More than any buffer on the way takes.
async fn endless() -> HttpResponse {
    let piece = || Ok::<_, actix_web::Error>(Bytes::from_static(&[0; 32 << 10]));
    HttpResponse::Ok().streaming(futures_util::stream::repeat_with(piece))
}

/// Limits of tests in which nothing is waited for.
pub(super) fn limits() -> Limits {
    Limits {
        workers: 1,
        ..Limits::default()
    }
}

impl Beside {
    /// Starts both.
    pub(super) fn start(limits: Limits) -> Self {
        let bind = || TcpListener::bind("127.0.0.1:0").unwrap();
        let (ours, plain) = (bind(), bind());
        let addresses = [&ours, &plain].map(|it| it.local_addr().unwrap());
        let application = || App::new().configure(configure);
        let own = serve(
            vec![ours],
            None,
            &limits,
            &std::sync::Arc::default(),
            |_| None,
            application,
        )
        .unwrap();
        let other = HttpServer::new(application)
            .workers(1)
            .keep_alive(limits.keep_alive)
            .client_request_timeout(limits.waits.head)
            .client_disconnect_timeout(limits.disconnect)
            .disable_signals()
            .listen(plain)
            .unwrap()
            .run();
        let handles = [own.handle(), other.handle()];
        actix_web::rt::spawn(own);
        actix_web::rt::spawn(other);
        Self {
            ours: addresses[0],
            plain: addresses[1],
            handles,
        }
    }

    pub(super) async fn stop(self) {
        for handle in self.handles {
            handle.stop(false).await;
        }
    }
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Outcome {
    /// The status of each response, in order.
    pub(super) statuses: Vec<u16>,
    /// Whether the connection stays open, framed right: a request behind is answered.
    pub(super) stays: bool,
}

/// Opens a connection that is not waited for without end.
pub(super) fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// Sends bytes; and where the connection is to stay, the same with a probe behind on another.
///
/// What comes behind a request that ends its connection is not compared: plain actix-web answers it
/// where it came early enough.
pub(super) fn exchange(address: SocketAddr, bytes: &[u8]) -> Outcome {
    let alone = send(address, bytes);
    let (statuses, ends) = read_heads(&alone);
    let probed = || {
        let answers = send(address, &[bytes, PROBE.as_bytes()].concat());
        answers.windows(PROBED.len()).any(|part| part == PROBED)
    };
    let stays = !ends && probed();
    Outcome { statuses, stays }
}

/// Sends bytes and nothing more; reads to the end.
fn send(address: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    let mut stream = connect(address);
    // The server may close before everything was sent; what it said then is read all the same.
    let _sent = stream.write_all(bytes);
    let _closed = stream.shutdown(Shutdown::Write);
    read_all(&mut stream)
}

/// Reads until the server has closed.
pub(super) fn read_all(stream: &mut TcpStream) -> Vec<u8> {
    let mut all = Vec::new();
    let mut room = [0; 4096];
    loop {
        match stream.read(&mut room) {
            Ok(0) => return all,
            Ok(count) => all.extend_from_slice(&room[..count]),
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => return all,
            Err(error) => panic!("the server neither answers nor closes: {error}"),
        }
    }
}

/// Returns the status of each response up to one that ends its connection, and whether one does.
fn read_heads(mut answers: &[u8]) -> (Vec<u16>, bool) {
    let (mut statuses, mut ends) = (Vec::new(), true);
    let end = |bytes: &[u8]| bytes.windows(4).position(|part| part == b"\r\n\r\n");
    while let Some(end) = end(answers) {
        let head = String::from_utf8_lossy(&answers[..end]).to_lowercase();
        let status = head.get(9..12).and_then(|text| text.parse::<u16>().ok());
        statuses.extend(status);
        let stays = head.contains("connection: keep-alive");
        ends = head.contains("connection: close")
            || head.contains("connection: upgrade")
            || (head.starts_with("http/1.0") && !stays);
        if ends {
            break;
        }
        // The next one begins behind the body, however that is framed.
        answers = &answers[end + 4..];
        let next = answers.windows(7).position(|part| part == b"HTTP/1.");
        answers = &answers[next.unwrap_or(answers.len())..];
    }
    (statuses, ends)
}
