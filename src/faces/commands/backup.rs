//! `backup`: one now, the list, a trial restore, pruning; with or without a running server.

use std::sync::Arc;

use backup::{Progress, Wish};

use super::output::{hint, say};
use super::progress::Bar;
use super::{Outcome, existing_database, in_database, runtime};
use crate::app::administration::intent::Actor;
use crate::app::authority::{Authorized, Principal, permit};
use crate::app::backups::{self, BackupError, Engine, OF_THE_FUTURE, Work};
use crate::config::{Config, Overrides};
use crate::faces::control::client::Server;
use ambient::Ambient;

/// Arguments of `backup`.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Args {
    /// What to do instead of a backup
    #[command(subcommand)]
    pub what: Option<What>,
    /// Back up every page, not only those that changed
    #[arg(long)]
    pub full: bool,
    /// Include the key file of the database
    ///
    /// Whoever has this backup and the backup key then has everything that the server had. Without
    /// it, a restore needs the DB_ENCRYPTION_KEY or the key file as well.
    #[arg(long)]
    pub with_key: bool,
    /// The configuration
    #[command(flatten)]
    pub overrides: Overrides,
}

/// What else can be done with backups.
#[derive(Debug, clap::Subcommand)]
pub enum What {
    /// List the backups in the target
    List(Only),
    /// Restore the newest one into a folder of its own, compare it, and say how long that took
    Drill(Only),
    /// Remove backups that backup_keep does not keep
    Prune(Only),
}

/// Arguments of an action that needs only the configuration.
#[derive(Debug, clap::Args)]
pub struct Only {
    /// The configuration
    #[command(flatten)]
    pub overrides: Overrides,
}

/// Runs the action.
pub fn run(args: Args) -> Outcome {
    let overrides = match &args.what {
        None => &args.overrides,
        Some(What::List(only) | What::Drill(only) | What::Prune(only)) => &only.overrides,
    };
    let config = Config::load(overrides)?;
    match args.what {
        None => carry_out(
            &config,
            Work::Make {
                wish: if args.full {
                    Wish::Full
                } else {
                    Wish::Incremental
                },
                with_key: args.with_key,
            },
        ),
        Some(What::Drill(_)) => {
            let key = Config::encryption_key()?;
            carry_out(&config, Work::Drill { key })
        }
        Some(What::List(_)) => runtime()?.block_on(list(&config)),
        Some(What::Prune(_)) => runtime()?.block_on(prune(&config)),
    }
}

/// Has work done by the server, or does it where none runs.
fn carry_out(config: &Config, work: Work) -> Outcome {
    existing_database(config)?;
    let progress = Progress::default();
    let bar = Bar::follow(&progress);
    let done = match Server::find(config) {
        Some(server) => {
            let target = config.backups.backup_target.clone();
            let asked = server.ask_for_backup(work, target, &progress);
            asked.map_err(Into::into)
        }
        None => in_database(config, async |store, ambient| {
            let engine = match work {
                Work::Make { .. } => Engine::open(config, ambient)?.ok_or(BackupError::NoTarget)?,
                Work::Drill { .. } => Engine::open_existing(config)?,
            };
            let terminal = Principal::Terminal(work.subcommand());
            let operator: Authorized<permit::MakeBackups> = Authorized::check(terminal)?;
            let actor = Actor::of(&operator, None);
            let engine = Arc::new(engine);
            let done = backups::carry_out(work, &engine, config, store, ambient, actor, &progress);
            Ok(done.await?)
        }),
    };
    drop(bar);
    let report = done?;
    for note in report.notes {
        hint!("{note}");
    }
    for line in report.lines {
        say!("{line}")?;
    }
    Ok(())
}

async fn list(config: &Config) -> Outcome {
    let engine = Engine::open_existing(config)?;
    let found = engine.catalogue().await?;
    let now = Ambient::system().now();
    if found.backups.is_empty() {
        say!("{} holds no backup", engine.target().address())?;
    }
    for listed in &found.backups {
        match &listed.manifest {
            Ok(manifest) => say!(
                "{}  {:>12} bytes{}{}",
                listed.id,
                manifest.stored_bytes(),
                if manifest.key_inside {
                    "  with key"
                } else {
                    ""
                },
                if !found.is_whole(manifest) {
                    "  CANNOT BE RESTORED: what it builds on is gone"
                } else if listed.id.is_of_the_future(now) {
                    "  DATED IN THE FUTURE"
                } else {
                    ""
                },
            )?,
            Err(error) => say!("{}  {error}", listed.id)?,
        }
    }
    if found.of_the_future(now).next().is_some() {
        hint!("Note: {OF_THE_FUTURE}.");
    }
    if !found.unfinished.is_empty() {
        say!(
            "{} were begun and not finished; the next backup removes them",
            found.unfinished.len()
        )?;
    }
    Ok(())
}

async fn prune(config: &Config) -> Outcome {
    let engine = Engine::open_existing(config)?;
    let pruned = engine.prune(Ambient::system().now()).await?;
    for id in &pruned.removed {
        say!("{id} removed")?;
    }
    say!("{} kept by {}", pruned.kept, engine.keep())?;
    if !pruned.of_the_future.is_empty() {
        hint!("Note: {OF_THE_FUTURE}.");
    }
    Ok(())
}
