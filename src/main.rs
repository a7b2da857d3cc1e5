//! The `secure-messaging` binary.
#![deny(clippy::print_stdout, clippy::print_stderr)]

use std::process::ExitCode;

use ambient::alloc::WipingAllocator;
use clap::Parser;
use secure_messaging::faces::commands::{Cli, output};
use secure_messaging::platform::{memory, signals};

/// Overwrites every allocation before it is given back.
#[global_allocator]
static ALLOCATOR: WipingAllocator = WipingAllocator::new();

fn main() -> ExitCode {
    memory::protect();
    // Whatever is made, objects of backups and the control socket among it, is its owner's only.
    rustix::process::umask(rustix::fs::Mode::RWXG | rustix::fs::Mode::RWXO);
    let outcome = signals::outlive_file_limits().map_err(Into::into);
    match outcome.and_then(|()| Cli::parse().run()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output::aside(format_args!("secure-messaging: {error}"));
            ExitCode::FAILURE
        }
    }
}
