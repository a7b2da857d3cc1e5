//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::config::Overrides;

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
    Serve(Overrides),
    /// Bring the database up to date, or make an example database
    Migrate {
        /// Make an empty example database in this file, with a key that everybody knows
        #[arg(long, value_name = "FILE")]
        example: Option<PathBuf>,
        /// The configuration
        #[command(flatten)]
        overrides: Overrides,
    },
    /// Print figures of the database
    Stats(Overrides),
    /// Ask a running server whether it is ready
    Healthcheck(Overrides),
}
