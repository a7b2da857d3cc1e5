//! The command line: each subcommand is a file with its `Args` and its `run`.
//!
//! What goes wrong is returned, and `main` writes it to the standard error stream and ends with a
//! status that is not 0; so every error says what to do next.

pub mod healthcheck;
pub mod migrate;
pub mod serve;
pub mod stats;

use clap::{Parser, Subcommand};

/// What a subcommand comes to.
pub type Outcome = Result<(), Box<dyn std::error::Error>>;

/// A self-hosted web messenger that leaves no trace.
#[derive(Debug, Parser)]
#[command(name = "secure-messaging", version, about)]
pub struct Cli {
    /// What to do; `serve` where nothing is said
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What can be done.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Start the server
    Serve(serve::Args),
    /// Bring the database up to date, or make an example database
    Migrate(migrate::Args),
    /// Print figures of the database
    Stats(stats::Args),
    /// Ask a running server whether it is ready
    Healthcheck(healthcheck::Args),
}

impl Cli {
    /// Does what was asked for.
    pub fn run(self) -> Outcome {
        match self.command.unwrap_or_default() {
            Command::Serve(args) => serve::run(args),
            Command::Migrate(args) => migrate::run(args),
            Command::Stats(args) => stats::run(args),
            Command::Healthcheck(args) => healthcheck::run(args),
        }
    }
}

impl Default for Command {
    fn default() -> Self {
        Self::Serve(serve::Args::default())
    }
}
