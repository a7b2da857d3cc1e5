//! `healthcheck`: asks a running server whether it is ready.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use super::Outcome;
use crate::config::{Config, Overrides};

/// What `healthcheck` is told.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The configuration
    #[command(flatten)]
    pub overrides: Overrides,
}

/// Asks the address that the configuration names.
pub fn run(args: Args) -> Outcome {
    let config = Config::load(&args.overrides)?;
    if config.tls() {
        return Err("this server ends TLS itself; ask https://…/health/ready instead".into());
    }
    let wait = Duration::from_secs(5);
    let mut stream = TcpStream::connect_timeout(&config.bind_addr, wait)?;
    stream.set_read_timeout(Some(wait))?;
    stream
        .write_all(b"GET /health/ready HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    if answer.starts_with("HTTP/1.1 200") {
        println!("ready");
        Ok(())
    } else {
        Err("the server is not ready; its log has the reason".into())
    }
}
