//! Ratios measured side by side in one run: the server path, the durable path and the protocol.
//!
//! `cargo xtask bench ratios --help` says how it is called.
#![allow(clippy::expect_used)]
#![allow(clippy::disallowed_methods, reason = "it measures real time")]

mod accounts;
mod crypto;
mod door;
mod durable;
mod echo;
mod instances;
mod lanes;
mod linked;
mod links;
mod live;
mod load;
mod loaded;
mod memory;
mod messages;
mod peer;
mod people;
mod quick;
mod report;
mod scale;
mod server;
mod sockets;
mod store_load;
mod subject;
mod tickets;
mod websocket;

use std::path::PathBuf;

use peer::Peer;
use report::Report;

const PARTS: [&str; 10] = [
    "crypto",
    "durable",
    "scale",
    "server",
    "accounts",
    "links",
    "live",
    "sockets",
    "instances",
    "loaded",
];

const HELP: &str = "\
cargo xtask bench ratios [PART…] [--peer URL [--peer-pid PID,…]]

  PART                     crypto, durable, scale, server, accounts, links, live, sockets, instances or
                           loaded; all when none is named; scale and loaded fill databases with 100,000
                           accounts and take minutes; sockets holds 50,000, or as many as `ulimit -Hn`
                           allows; instances and loaded start PostgreSQL and Redis or Valkey
  --peer URL               sets the server's sends and burns against a running cryptgeon
                           that listens on a loopback address
  --peer-pid PID,…         sets its memory for each held message too: the growth of these
                           processes together, so name cryptgeon's and that of its Redis";

fn main() -> std::io::Result<()> {
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| argument != "--bench")
        .collect();
    if arguments
        .first()
        .is_some_and(|argument| argument == echo::ARGUMENT)
    {
        return echo::serve(2);
    }
    if arguments.iter().any(|argument| argument == "--help") {
        println!("{HELP}");
        return Ok(());
    }
    let peer = match (
        value(&arguments, "--peer")?,
        value(&arguments, "--peer-pid")?,
    ) {
        (Some(url), pids) => Some(Peer::new(url, pids)?),
        (None, Some(_)) => return Err(std::io::Error::other("--peer-pid needs --peer URL")),
        (None, None) => None,
    };
    let named: Vec<_> = PARTS
        .into_iter()
        .filter(|part| arguments.iter().any(|argument| argument == part))
        .collect();
    let wanted = if named.is_empty() {
        PARTS.to_vec()
    } else {
        named
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let mut report = Report::default();
    for part in wanted {
        println!("{part}");
        match part {
            "crypto" => crypto::run(&mut report),
            "durable" => {
                let folder = tempfile::tempdir()?;
                runtime.block_on(durable::run(&mut report, folder.path()))?;
            }
            "scale" => {
                let folder = tempfile::tempdir()?;
                runtime.block_on(scale::run(&mut report, folder.path()))?;
            }
            "accounts" => runtime.block_on(accounts::run(&mut report))?,
            "links" => runtime.block_on(links::run(&mut report))?,
            "live" => runtime.block_on(live::run(&mut report))?,
            "sockets" => runtime.block_on(sockets::run(&mut report))?,
            "instances" => runtime.block_on(instances::run(&mut report))?,
            "loaded" => runtime.block_on(loaded::run(&mut report))?,
            _ => runtime.block_on(server::run(&mut report, peer.as_ref()))?,
        }
    }
    let folder = std::env::var_os("SECURE_MESSAGING_BENCH_DIR")
        .map_or_else(|| PathBuf::from("target"), PathBuf::from);
    report.write(&folder)
}

/// What follows an option.
fn value<'a>(arguments: &'a [String], option: &str) -> std::io::Result<Option<&'a str>> {
    let Some(at) = arguments.iter().position(|argument| argument == option) else {
        return Ok(None);
    };
    match arguments.get(at + 1) {
        Some(value) => Ok(Some(value)),
        None => Err(std::io::Error::other(format!("{option} wants a value"))),
    }
}
