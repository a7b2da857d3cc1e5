//! `stats`: figures of the database, whether a server runs or not.

use super::output::say;
use super::{Outcome, existing_database, in_database};
use crate::config::{Config, Overrides};
use crate::faces::control::client::Server;

/// Arguments of `stats`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The configuration
    #[command(flatten)]
    pub overrides: Overrides,
}

/// Prints the figures as JSON.
pub fn run(args: Args) -> Outcome {
    let config = Config::load(&args.overrides)?;
    existing_database(&config)?;
    let figures = match Server::find(&config) {
        Some(server) => server.ask_for_figures()?,
        None => in_database(&config, async |store, ambient| {
            Ok(store.statistics(ambient.now()).await?)
        })?,
    };
    say!("{}", serde_json::to_string_pretty(&figures)?)?;
    Ok(())
}
