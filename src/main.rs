//! The `secure-messaging` binary.

use std::process::ExitCode;

use clap::Parser;
use secure_messaging::commands::Cli;
use secure_messaging::{memory, signals};
use vault::alloc::WipingAllocator;

/// Overwrites every allocation before it is given back.
#[global_allocator]
static ALLOCATOR: WipingAllocator = WipingAllocator::new();

fn main() -> ExitCode {
    memory::protect();
    let outcome = signals::outlive_file_limits().map_err(Into::into);
    match outcome.and_then(|()| Cli::parse().run()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("secure-messaging: {error}");
            ExitCode::FAILURE
        }
    }
}
