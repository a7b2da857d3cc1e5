//! `rotate-keys`: a new key-encryption key, or new data keys, with or without a running server.

use std::io::{IsTerminal, Write};

use api::KeyJobKind;
use api::bodies::KeyJob;
use store::Store;

use super::output::hint;
use super::progress::Part;
use super::{Outcome, existing_database, runtime};
use crate::app::administration::intent::Actor;
use crate::app::authority::{Authorized, Principal, permit};
use crate::app::keys::{drive, renew, rotate};
use crate::config::{Config, Overrides, secret_from_environment};
use crate::faces::control::client::Server;
use crate::faces::control::{KeyWork, Wanted, new_key};
use crate::platform::lock::DatabaseLock;
use crate::startup::open_store;
use ambient::Ambient;

/// Arguments of `rotate-keys`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Also replace the operator's key itself
    ///
    /// The new one is DB_ENCRYPTION_KEY_NEW, or the file that DB_ENCRYPTION_KEY_NEW_FILE names;
    /// if neither is set and a key file is used, a new key file replaces it.
    #[arg(long)]
    pub new_key: bool,
    /// Seal every value under a new data key; used alone, it keeps the key-encryption key
    #[arg(long)]
    pub data_keys: bool,
    /// The configuration
    #[command(flatten)]
    pub overrides: Overrides,
}

/// Rotates and draws a progress bar.
pub fn run(args: Args) -> Outcome {
    let config = Config::load(&args.overrides)?;
    let path = existing_database(&config)?;
    let given = match args.new_key {
        true => secret_from_environment("DB_ENCRYPTION_KEY_NEW")?,
        false => None,
    };
    let mut works = Vec::new();
    if args.new_key || !args.data_keys {
        works.push(KeyWork::Rotate {
            key: match (args.new_key, &given) {
                (false, _) => Wanted::Configured,
                (true, Some(key)) => Wanted::Given(key.clone()),
                (true, None) => Wanted::KeyFile,
            },
        });
    }
    if args.data_keys {
        works.push(KeyWork::Renew);
    }
    let mut bar = Bar::default();
    if Server::find(&config).is_some() {
        for work in works {
            // One question for each connection.
            let server = Server::find(&config).ok_or("the server has stopped; try again")?;
            server.ask_for_key_work(work, |progress| bar.draw(progress))?;
        }
    } else {
        let _lock = DatabaseLock::take(&path)?;
        let store = open_store(&config, Config::encryption_key()?, &Ambient::system())?;
        let done = runtime()?.block_on(without_server(&config, &store, works, &mut bar));
        store.close()?;
        done?;
    }
    if given.is_some() {
        hint!(
            "The old DB_ENCRYPTION_KEY opens nothing any more. Put the new one in its place before \
             the server starts again."
        );
    }
    Ok(())
}

async fn without_server(
    config: &Config,
    store: &Store,
    works: Vec<KeyWork>,
    bar: &mut Bar,
) -> Outcome {
    let ambient = Ambient::system();
    if store.key_job().await?.is_some_and(|job| !job.finished) {
        hint!("First, the job that was cut off is finished.");
        drive(store, &ambient, |progress| bar.draw(progress)).await?;
    }
    for work in works {
        let terminal = Principal::Terminal("rotate-keys");
        let operator: Authorized<permit::ChangeKeys> = Authorized::check(terminal)?;
        let actor = Actor::of(&operator, None);
        let reason = "somebody at the server's terminal asked for it";
        match work {
            KeyWork::Renew => renew(store, &ambient, actor, reason).await?,
            KeyWork::Rotate { key } => {
                rotate(store, &ambient, actor, new_key(config, key), reason).await?
            }
        };
        drive(store, &ambient, |progress| bar.draw(progress)).await?;
    }
    Ok(())
}

/// A bar on a terminal; elsewhere a line for every tenth part.
#[derive(Default)]
struct Bar {
    job: u64,
    tenth: u64,
}

impl Bar {
    fn draw(&mut self, progress: &KeyJob) {
        let Part {
            total,
            percent,
            bar,
        } = Part::of(progress.done, progress.total);
        let what = match progress.kind {
            KeyJobKind::Renew => "new data keys",
            KeyJobKind::Rewrap => "moving to the new key",
        };
        let mut out = std::io::stderr().lock();
        if self.job != progress.id {
            (self.job, self.tenth) = (progress.id, u64::MAX);
        }
        // A terminal that is gone stops no job.
        let _ = if out.is_terminal() {
            let end = if progress.finished { "\n" } else { "" };
            write!(
                out,
                "\r{what} {bar} {percent:3} % {} of {total} values {end}",
                progress.done
            )
        } else if self.tenth != percent / 10 {
            self.tenth = percent / 10;
            writeln!(
                out,
                "{what}: {percent} %, {} of {total} values",
                progress.done
            )
        } else {
            Ok(())
        };
        let _ = out.flush();
    }
}
