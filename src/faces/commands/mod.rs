//! The command line: each subcommand is a file with its `Args` and its `run`.
//!
//! What goes wrong is returned, and `main` writes it to the standard error stream and ends with a
//! status that is not 0; so every error says what to do next.

pub mod admin;
pub mod audit;
pub mod backup;
pub mod check_config;
pub mod healthcheck;
pub mod migrate;
pub mod move_database;
pub mod output;
pub mod progress;
pub mod restore;
pub mod rotate_keys;
pub mod serve;
pub mod service_keys;
pub mod stats;

use std::path::PathBuf;

use clap::{Parser, Subcommand};
use store::Store;

use crate::config::Config;
use crate::faces::control::client::Server;
use crate::platform::lock::DatabaseLock;
use crate::startup::open_existing_store;
use ambient::{Ambient, SystemClock};

/// The result of a subcommand.
pub type Outcome = Result<(), Box<dyn std::error::Error>>;

/// The result of printing.
type Printed = Result<(), output::OutputError>;

/// Where the database is; an error where there is no file yet.
fn existing_database(config: &Config) -> Result<PathBuf, Box<dyn std::error::Error>> {
    // A running server answers for what it alone has.
    if config.in_memory() && Server::find(config).is_some() {
        return Ok(PathBuf::new());
    }
    let path = config.database_path()?;
    // Whether a server has one shows when it is opened.
    if config.postgres()?.is_none() && !path.exists() {
        return Err(format!("{} does not exist; start the server once", path.display()).into());
    }
    Ok(path)
}

/// Works on the database of no running server. It holds the database's lock, so that none starts meanwhile.
fn in_database<T>(
    config: &Config,
    work: impl AsyncFnOnce(&Store, &Ambient) -> Result<T, Box<dyn std::error::Error>>,
) -> Result<T, Box<dyn std::error::Error>> {
    let _lock = DatabaseLock::take(&config.database_path()?)?;
    let (store, ambient) = (open_existing(config)?, Ambient::system());
    let done = runtime()?.block_on(work(&store, &ambient));
    store.close()?;
    done
}

/// What runs the asynchronous part of a subcommand.
fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
}

/// Opens the database; makes none.
fn open_existing(config: &Config) -> Result<Store, Box<dyn std::error::Error>> {
    existing_database(config)?;
    Ok(open_existing_store(
        config,
        Config::encryption_key()?,
        &Ambient::system(),
    )?)
}

/// A self-hosted web messenger that leaves no trace.
#[derive(Debug, Parser)]
#[command(name = "secure-messaging", version, about)]
pub struct Cli {
    /// What to do; `serve` if nothing is given
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// The subcommands.
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
    /// Print every setting and where it comes from, and what would go wrong
    CheckConfig(check_config::Args),
    /// Move everything to a new key, or to new data keys, while the server serves
    RotateKeys(rotate_keys::Args),
    /// Back up now; list, try and prune backups
    Backup(backup::Args),
    /// Restore a backup into a new data folder
    Restore(restore::Args),
    /// Move everything into a database of the other kind
    Move(move_database::Args),
    /// Create, promote, demote, disable, enable, erase and list accounts
    Admin(admin::Args),
    /// Make, rotate, read and delete keys of services
    ServiceKeys(service_keys::Args),
    /// Verify the audit log, or write it out
    Audit(audit::Args),
}

impl Cli {
    /// Runs the subcommand.
    pub fn run(self) -> Outcome {
        SystemClock::check()?;
        match self.command.unwrap_or_default() {
            Command::Serve(args) => serve::run(args),
            Command::Migrate(args) => migrate::run(args),
            Command::Stats(args) => stats::run(args),
            Command::Healthcheck(args) => healthcheck::run(args),
            Command::CheckConfig(args) => check_config::run(args),
            Command::RotateKeys(args) => rotate_keys::run(args),
            Command::Backup(args) => backup::run(args),
            Command::Restore(args) => restore::run(args),
            Command::Move(args) => move_database::run(args),
            Command::Admin(args) => admin::run(args),
            Command::ServiceKeys(args) => service_keys::run(args),
            Command::Audit(args) => audit::run(args),
        }
    }
}

impl Default for Command {
    fn default() -> Self {
        Self::Serve(serve::Args::default())
    }
}
