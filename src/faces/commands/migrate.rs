//! `migrate`: brings the database up to date, or makes an example.

use ambient::Ambient;
use std::path::{Path, PathBuf};

use store::{KeyOrigin, Store};

use super::Outcome;
use super::output::say;
use crate::config::{Config, Overrides};
use crate::startup::store_config;

/// Arguments of `migrate`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Make an empty example database in this file, with a key that everybody knows
    #[arg(long, value_name = "FILE")]
    pub example: Option<PathBuf>,
    /// Let this role of PostgreSQL serve: it owns nothing, and a role of jobs is made beside it
    #[arg(long, value_name = "ROLE", conflicts_with = "example")]
    pub grant: Option<String>,
    /// The configuration
    #[command(flatten)]
    pub overrides: Overrides,
}

/// Migrates the database that the configuration names, or makes an example.
pub fn run(args: Args) -> Outcome {
    match &args.example {
        Some(file) => make_example(file),
        None => migrate(&args.overrides, args.grant.as_deref()),
    }
}

fn migrate(overrides: &Overrides, grant: Option<&str>) -> Outcome {
    let config = Config::load(overrides)?;
    // What is in memory is new, and gone at the end.
    config.database_path()?;
    let options = store_config(&config, Config::encryption_key()?, &Ambient::system())?;
    let store = Store::open(&options)?;
    let made = store.report().key_origin.clone();
    store.close()?;
    if let Some(KeyOrigin::CreatedFile(file)) = made {
        say!(
            "{} was made, since no DB_ENCRYPTION_KEY is set: back it up apart from the database, \
             without it nothing in there can be read",
            file.display()
        )?;
    }
    let place = match config.postgres()? {
        Some(postgres) => postgres.shown(),
        None => config.database_path()?,
    };
    say!("{} is up to date", place.display())?;
    if let Some(role) = grant {
        Store::grant(&options, role)?;
        say!("{role} may serve: name it in the server's DATABASE_URL")?;
    }
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
