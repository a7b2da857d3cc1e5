//! `stats`: figures of the database, also while a server has it open.

use super::Outcome;
use crate::clock::Ambient;
use crate::config::{Config, Overrides};
use crate::startup::open_store;

/// What `stats` is told.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The configuration
    #[command(flatten)]
    pub overrides: Overrides,
}

/// Prints the figures as JSON.
pub fn run(args: Args) -> Outcome {
    let config = Config::load(&args.overrides)?;
    let path = config.database_path()?;
    if !path.exists() {
        return Err(format!("{} does not exist; start the server once", path.display()).into());
    }
    let store = open_store(&config, Config::encryption_key()?)?;
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let figures = runtime.block_on(store.statistics(Ambient::system().now()))?;
    println!("{}", serde_json::to_string_pretty(&figures)?);
    store.close()?;
    Ok(())
}
