//! `migrate`: brings the database up to date, or makes an example.

use ambient::Ambient;
use std::path::{Path, PathBuf};

use store::KeyOrigin;

use super::Outcome;
use super::output::say;
use crate::config::{Config, Overrides};
use crate::startup::open_store;

/// Arguments of `migrate`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Make an empty example database in this file, with a key that everybody knows
    #[arg(long, value_name = "FILE")]
    pub example: Option<PathBuf>,
    /// The configuration
    #[command(flatten)]
    pub overrides: Overrides,
}

/// Migrates the database that the configuration names, or makes an example.
pub fn run(args: Args) -> Outcome {
    match &args.example {
        Some(file) => make_example(file),
        None => migrate(&args.overrides),
    }
}

fn migrate(overrides: &Overrides) -> Outcome {
    let config = Config::load(overrides)?;
    let store = open_store(&config, Config::encryption_key()?, &Ambient::system())?;
    let made = store.report().key_origin.clone();
    store.close()?;
    if let Some(KeyOrigin::CreatedFile(file)) = made {
        say!(
            "{} was made, since no DB_ENCRYPTION_KEY is set: back it up apart from the database, \
             without it nothing in there can be read",
            file.display()
        )?;
    }
    say!("{} is up to date", config.database_path()?.display())?;
    Ok(())
}

fn make_example(file: &Path) -> Outcome {
    if file.exists() {
        return Err(format!("{} exists; remove it first", file.display()).into());
    }
    store::example::write(file)?;
    say!(
        "{} opens with the key {}",
        file.display(),
        store::example::KEY
    )?;
    Ok(())
}
