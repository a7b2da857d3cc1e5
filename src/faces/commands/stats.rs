//! `stats`: figures of the database, also while a server has it open.

use super::output::say;
use super::{Outcome, open_existing};
use crate::config::{Config, Overrides};
use ambient::Ambient;

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
    let store = open_existing(&config)?;
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let figures = runtime.block_on(store.statistics(Ambient::system().now()))?;
    store.close()?;
    say!("{}", serde_json::to_string_pretty(&figures)?)?;
    Ok(())
}
