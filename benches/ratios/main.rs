//! Ratios measured side by side in one run: the server path, the durable path and the protocol.
//!
//! `cargo xtask bench [server|durable|crypto …] [--peer URL]`
#![allow(clippy::expect_used)]

mod crypto;
mod durable;
mod echo;
mod load;
mod report;
mod server;
mod subject;

use std::path::PathBuf;

use report::Report;

const PARTS: [&str; 3] = ["crypto", "durable", "server"];

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
    let peer = arguments
        .iter()
        .position(|argument| argument == "--peer")
        .and_then(|at| arguments.get(at + 1));
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
            _ => runtime.block_on(server::run(&mut report, peer.map(String::as_str)))?,
        }
    }
    let folder = std::env::var_os("SECURE_MESSAGING_BENCH_DIR")
        .map_or_else(|| PathBuf::from("target"), PathBuf::from);
    report.write(&folder)
}
