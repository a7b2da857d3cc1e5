//! `restore`: a backup into a new data folder.

use std::path::PathBuf;

use backup::{Progress, Target, format_time, parse_time};

use super::output::say;
use super::progress::Bar;
use super::{Outcome, runtime};
use crate::app::backups::{BackupError, find_key, restore};
use crate::config::{Config, Overrides};
use ambient::Ambient;

/// Arguments of `restore`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Where the backups are: file:/path or s3://bucket/prefix
    #[arg(long, value_name = "TARGET")]
    pub from: String,
    /// The state of this time (UTC), such as 2026-11-22T02:30 [default: the newest]
    #[arg(long, value_name = "TIME")]
    pub at: Option<String>,
    /// A data folder without a database; nothing is overwritten
    #[arg(long, value_name = "DIR")]
    pub data_dir: PathBuf,
}

/// Restores and says what to do next.
pub fn run(args: Args) -> Outcome {
    let at = match &args.at {
        None => None,
        Some(text) => Some(parse_time(text).ok_or_else(|| {
            format!("{text:?} is not a time; write it in UTC, such as 2026-11-22T02:30")
        })?),
    };
    let config = Config::load(&Overrides::default())?;
    let target = Target::open(&args.from, &config.backups.s3()?)?;
    let key = find_key(&args.data_dir)?.ok_or(BackupError::NoKey)?;
    let progress = Progress::default();
    let runtime = runtime()?;
    if at.is_none() {
        runtime.block_on(refuse_two_newest(&target, &key))?;
    }
    let bar = Bar::follow(&progress);
    let ambient = Ambient::system();
    let done = runtime.block_on(restore(
        &target,
        &key,
        at,
        &args.data_dir,
        &ambient,
        &progress,
    ));
    drop(bar);
    let done = done?;
    say!(
        "{} holds the state of {}, put together from {} backup(s) and verified.",
        args.data_dir.display(),
        format_time(done.manifest.created_at),
        done.parts
    )?;
    if done.key_file {
        say!("The key file of the database is included.")?;
    } else {
        say!(
            "The key of the database is not in this backup: set DB_ENCRYPTION_KEY, or put the key \
             file back as secure_messaging.key, before the server starts."
        )?;
    }
    say!(
        "Everybody signs in again. Passphrases, contacts and settings are those of that time; \
         browsers that remember newer ones ask their owners. Tell them."
    )?;
    Ok(())
}

/// Refuses to choose the newest backup if one is dated in the future.
async fn refuse_two_newest(target: &Target, key: &backup::BackupKey) -> Outcome {
    let now = Ambient::system().now();
    let found = backup::catalogue(target, key)
        .await
        .map_err(BackupError::from)?;
    let present = found.backups.iter().rev().map(|listed| &listed.id);
    let present = present
        .filter(|id| !id.is_of_the_future(now))
        .map(backup::BackupId::time)
        .next();
    match (found.of_the_future(now).last(), present) {
        (Some(future), Some(present)) => Err(format!(
            "{future} is dated in the future, so that nobody can tell which backup is the newest: the clock \
             was ahead when it was made, or this machine's is behind; say which with --at, such as \
             --at {} or --at {}",
            format_time(present),
            format_time(future.time())
        )
        .into()),
        _ => Ok(()),
    }
}
