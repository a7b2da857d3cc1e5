//! The yardstick: an echo of the request's bytes on the same actix-web build, in a process of its own.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use actix_http::ws;
use actix_web::body::BodyStream;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use bytes::BytesMut;
use futures_util::StreamExt as _;

use crate::memory::resident;

/// The argument with which this binary starts as the echo instead of as the benchmark.
pub(crate) const ARGUMENT: &str = "--serve-echo";

/// An echo process that ends with this value.
pub(crate) struct Echo {
    child: Child,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Echo {
    /// Starts the echo and reads the address that it prints.
    pub(crate) fn start() -> std::io::Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .arg(ARGUMENT)
            .stdout(Stdio::piped())
            .spawn()?;
        let output = child.stdout.take().ok_or(std::io::ErrorKind::BrokenPipe)?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        let address = line.trim().parse().map_err(std::io::Error::other)?;
        Ok(Self { child, address })
    }
}

impl Echo {
    /// Resident memory in bytes.
    pub(crate) fn resident(&self) -> std::io::Result<u64> {
        resident(&[self.child.id()])
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends every frame of a WebSocket back.
async fn frames(request: HttpRequest, payload: web::Payload) -> actix_web::Result<HttpResponse> {
    let mut response = ws::handshake(request.head())?;
    let echoed = payload.scan(BytesMut::new(), |received, piece| {
        let mut out = BytesMut::new();
        if let Ok(piece) = piece {
            received.extend_from_slice(&piece);
            while let Ok(Some((_, kind, bytes))) = ws::Parser::parse(received, true, 1 << 20) {
                let bytes = bytes.unwrap_or_default();
                ws::Parser::write_message(&mut out, bytes, kind, true, false);
            }
        }
        std::future::ready(Some(Ok::<_, actix_web::Error>(out.freeze())))
    });
    let response = response
        .message_body(BodyStream::new(echoed))?
        .map_into_boxed_body();
    Ok(response.into())
}

/// Serves `POST /echo` and the WebSocket `/ws` until it is killed.
pub(crate) fn serve(workers: usize) -> std::io::Result<()> {
    actix_web::rt::System::new().block_on(async {
        let server = HttpServer::new(|| {
            App::new()
                .route(
                    "/echo",
                    web::post().to(|body: web::Bytes| async { HttpResponse::Ok().body(body) }),
                )
                .route("/ws", web::get().to(frames))
        })
        .workers(workers)
        .bind("127.0.0.1:0")?;
        if let Some(address) = server.addrs().first() {
            println!("{address}");
        }
        server.run().await
    })
}
