//! `move`: a community from one kind of database into the other.

use std::path::{Path, PathBuf};

use ambient::Ambient;
use backup::{Phase, Progress};
use store::{MoveError, Moved, Store, StoreConfig, move_database};

use super::output::say;
use super::progress::Bar;
use super::{Outcome, runtime};
use crate::config::{Config, Overrides};
use crate::platform::lock::DatabaseLock;
use crate::startup::store_config;

/// Arguments of `move`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The database that is there: sqlite:PATH or postgres://NAME@HOST/DATABASE
    #[arg(long, value_name = "URL")]
    pub from: String,
    /// The database that is to be made, of the other kind
    #[arg(long, value_name = "URL")]
    pub to: String,
    /// Directory of the key file [default: ./data]
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
}

/// Moves, opens what was made, and says what to do next.
pub fn run(args: Args) -> Outcome {
    let of = |url: &str| {
        Config::load(&Overrides {
            database_url: Some(url.to_owned()),
            data_dir: args.data_dir.clone(),
            ..Overrides::default()
        })
    };
    let (from, to) = (of(&args.from)?, of(&args.to)?);
    let ambient = Ambient::system();
    let options = |config: &Config| -> Result<StoreConfig, Box<dyn std::error::Error>> {
        Ok(store_config(config, Config::encryption_key()?, &ambient)?)
    };
    let (source, mut target) = (options(&from)?, options(&to)?);
    // What is sealed stays as it is: one key opens both.
    target.key = options(&from)?.key;
    // No server starts on either while rows go over; where both keep their lock in one place, one is enough.
    let _locks = locks(&from, &to)?;
    let progress = Progress::default();
    progress.begin(Phase::Copying, 0);
    let bar = Bar::follow(&progress);
    let moved = move_database(&source, &target, |done, total| progress.set(done, total));
    drop(bar);
    let moved = moved?;
    verify(&target, &moved)?;
    let rows: u64 = moved.tables.iter().map(|(_, rows)| rows).sum();
    say!(
        "{} holds all {rows} rows. Its audit log verifies up to record {}, and values of every kind open.",
        target.path.display(),
        moved.audit.id
    )?;
    say!(
        "Set DATABASE_URL to it before the server starts again, with the key that the database had: \
         DB_ENCRYPTION_KEY, or the key file {} beside secure_messaging.db in the data directory.",
        source.key.key_file().display()
    )?;
    say!(
        "{} is as it was. Destroy it when the new one serves: it opens with the same key.",
        source.path.display()
    )?;
    Ok(())
}

fn locks(from: &Config, to: &Config) -> Result<Vec<DatabaseLock>, Box<dyn std::error::Error>> {
    let (from, to) = (from.database_path()?, to.database_path()?);
    let mut locks = vec![DatabaseLock::take(&from)?];
    // Taking the first has made its folder.
    if whole(&to) != whole(&from) {
        locks.push(DatabaseLock::take(&to)?);
    }
    Ok(locks)
}

/// A path by which files can be told apart; `None` where its folder is not there.
fn whole(file: &Path) -> Option<PathBuf> {
    let folder = file
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new(".")).canonicalize().ok()?;
    Some(folder.join(file.file_name()?))
}

/// Opens what was made as a server would, and looks at everything that is sealed or linked.
fn verify(target: &StoreConfig, moved: &Moved) -> Outcome {
    let store = Store::open(target)?;
    let found = runtime()?.block_on(async {
        store.open_samples(SAMPLES).await?;
        store.verify_audit_chain().await
    })?;
    store.close()?;
    if found != moved.audit {
        return Err(MoveError::Log.into());
    }
    Ok(())
}

/// How many values of each sealed column are opened.
const SAMPLES: u32 = 1_000;
