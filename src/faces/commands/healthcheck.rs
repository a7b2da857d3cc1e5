//! `healthcheck`: asks a running server whether it is ready.

use std::io::Read;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use reqwest::StatusCode;
use reqwest::blocking::{Client, Response};
use serde_json::Value;

use super::Outcome;
use super::output::say;
use crate::config::{Config, Overrides};

/// Time limit of the answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Longest answer that is read, in bytes.
const MAX_ANSWER: u64 = 64 << 10;

/// Arguments of `healthcheck`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The configuration
    #[command(flatten)]
    pub overrides: Overrides,
}

/// Asks the address that the configuration names, over TLS where the server speaks it.
pub fn run(args: Args) -> Outcome {
    let config = Config::load(&args.overrides)?;
    let address = reachable(config.bind_addr);
    let answer = ask(address, config.tls()).map_err(|error| {
        let error = anyhow::Error::from(error);
        format!("{address} does not answer ({error:#}); start the server, or correct BIND_ADDR")
    })?;
    if answer.status() == StatusCode::OK {
        // The status says the same.
        let _ = say!("ready");
        Ok(())
    } else {
        Err(format!("the server is not ready: {}", reason(answer)).into())
    }
}

/// Returns the detail of a problem document, or where to look.
fn reason(document: impl Read) -> String {
    let document: Value = serde_json::from_reader(document.take(MAX_ANSWER)).unwrap_or_default();
    match document["detail"].as_str() {
        Some(detail) => detail.to_owned(),
        None => "look into its log".to_owned(),
    }
}

/// Replaces an address that means "everywhere" by the loopback address.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

fn ask(address: SocketAddr, tls: bool) -> reqwest::Result<Response> {
    let scheme = if tls { "https" } else { "http" };
    let client = Client::builder()
        .timeout(PATIENCE)
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        // This asks a port of this machine whether it lives and sends no secret, and the certificate is
        // made out to the name that people type.
        .tls_danger_accept_invalid_certs(true)
        .build()?;
    let path = format!("{scheme}://{address}/health/ready");
    client.get(path).send()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reason_is_the_documents_and_nothing_is_made_of_another_answer() {
        let detail = "The keys cannot be used. The server's log has the cause.";
        let answer = format!("{{\"detail\":\"{detail}\"}}");
        assert_eq!(reason(answer.as_bytes()), detail);
        for other in ["", "{}", "<html>"] {
            assert_eq!(reason(other.as_bytes()), "look into its log");
        }
    }

    #[test]
    fn a_server_that_listens_everywhere_is_asked_on_this_machine() {
        for (bound, asked) in [
            ("0.0.0.0:8080", "127.0.0.1:8080"),
            ("[::]:443", "[::1]:443"),
            ("10.1.2.3:80", "10.1.2.3:80"),
        ] {
            assert_eq!(reachable(bound.parse().unwrap()), asked.parse().unwrap());
        }
    }
}
