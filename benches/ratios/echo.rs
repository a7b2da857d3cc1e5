//! The yardstick: an echo of the request's bytes on the same actix-web build, in a process of its own.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use actix_web::{App, HttpResponse, HttpServer, web};

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

impl Drop for Echo {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Serves `POST /echo` until it is killed.
pub(crate) fn serve(workers: usize) -> std::io::Result<()> {
    actix_web::rt::System::new().block_on(async {
        let server = HttpServer::new(|| {
            App::new().route(
                "/echo",
                web::post().to(|body: web::Bytes| async { HttpResponse::Ok().body(body) }),
            )
        })
        .workers(workers)
        .bind("127.0.0.1:0")?;
        if let Some(address) = server.addrs().first() {
            println!("{address}");
        }
        server.run().await
    })
}
