//! `backup`: one now, the list, a trial restore, pruning; with or without a running server.

use backup::{Progress, Wish, format_time};
use serde_json::json;

use super::output::{OutputError, hint, say};
use super::progress::Bar;
use super::{Outcome, open_existing};
use crate::app::administration::intent::{Actor, BACKUP, BACKUP_DRILL, Intent};
use crate::app::authority::{Authorized, Denied, Principal, permit};
use crate::app::backups::{BackupError, Drilled, Engine, OF_THE_FUTURE, drill};
use crate::config::{Config, Overrides};
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
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        match args.what {
            None => back_up(&config, args.full, args.with_key).await,
            Some(What::List(_)) => list(&config).await,
            Some(What::Drill(_)) => try_restore(&config).await,
            Some(What::Prune(_)) => prune(&config).await,
        }
    })
}

/// Whoever sits at the terminal, once it is clear that they may.
fn operator(subcommand: &'static str) -> Result<Actor, Denied> {
    let terminal = Principal::Terminal(subcommand);
    let operator: Authorized<permit::MakeBackups> = Authorized::check(terminal)?;
    Ok(Actor::of(&operator, None))
}

async fn back_up(config: &Config, full: bool, with_key: bool) -> Outcome {
    let ambient = Ambient::system();
    let now = ambient.now();
    let store = open_existing(config)?;
    let engine = Engine::open(config, &ambient)?.ok_or(BackupError::NoTarget)?;
    let target = engine.target().clone();
    let key_file = with_key.then(|| engine.key_file()).transpose()?;
    let what = json!({ "full": full, "with_key": with_key, "target": engine.target().address() });
    let actor = operator("backup")?;
    let intent = Intent::declare(&store, &ambient, actor, &BACKUP, what).await?;
    let progress = Progress::default();
    let bar = Bar::follow(&progress);
    let working = store.clone();
    let made = intent
        .perform(async move {
            let wish = if full { Wish::Full } else { Wish::Incremental };
            engine
                .back_up(&working, &ambient, wish, key_file, &progress)
                .await
        })
        .await;
    drop(bar);
    store.close()?;
    let made = made?;
    if backup::newest_id(&target)
        .await?
        .is_some_and(|id| id.is_of_the_future(now))
    {
        hint!("Note: {OF_THE_FUTURE}.");
    }
    say!(
        "{}: {} of {} pages, verified; {}",
        made.id,
        made.stored_pages,
        made.pages,
        if made.key_inside {
            "the key file of the database is inside"
        } else {
            "the key of the database is not inside; keep it in another place"
        }
    )?;
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

async fn try_restore(config: &Config) -> Outcome {
    let ambient = Ambient::system();
    let engine = Engine::open_existing(config)?;
    let key = Config::encryption_key()?;
    let progress = Progress::default();
    let store = open_existing(config)?;
    let what = json!({ "target": engine.target().address() });
    let actor = operator("backup drill")?;
    let intent = Intent::declare(&store, &ambient, actor, &BACKUP_DRILL, what).await?;
    let bar = Bar::follow(&progress);
    let config = config.clone();
    let drilled = intent
        .perform(async move { drill(&engine, &config, key, &ambient, &progress).await })
        .await;
    drop(bar);
    store.close()?;
    Ok(tell(&drilled?)?)
}

fn tell(drilled: &Drilled) -> Result<(), OutputError> {
    let opened: u64 = drilled.samples.iter().map(|sample| sample.opened).sum();
    say!("{} was restored, opened and compared:", drilled.manifest.id)?;
    say!("  backups it is put together from  {}", drilled.parts)?;
    say!("  tables with the rows they had    {}", drilled.tables)?;
    say!("  audit records verified           {}", drilled.records)?;
    say!(
        "  sealed values opened             {opened} of {} columns",
        drilled.samples.len()
    )?;
    say!(
        "RPO {} s: what happened since {} would be lost now",
        drilled.rpo.as_secs(),
        format_time(drilled.manifest.created_at)
    )?;
    say!(
        "RTO {:.1} s: fetching, putting together, opening and verifying",
        drilled.rto.as_secs_f64()
    )
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
