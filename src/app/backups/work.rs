//! What is done with backups, between its intent and its outcome.

use std::sync::Arc;

use ambient::Ambient;
use backup::{Manifest, Progress, Wish, format_time};
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::Store;
use zeroize::Zeroizing;

use super::drill::{Drilled, drill};
use super::engine::{Engine, OF_THE_FUTURE};
use super::error::BackupError;
use super::view::kind_of;
use crate::app::administration::intent::{Actor, BACKUP, BACKUP_DRILL, Intent};
use crate::config::Config;

/// What is to be done.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Work {
    /// A backup.
    Make {
        /// Of which kind.
        wish: Wish,
        /// With the key file of the database inside.
        with_key: bool,
    },
    /// A trial restore of the newest one.
    Drill {
        /// What the database's key is made from; `None` where there is a key file.
        key: Option<Zeroizing<String>>,
    },
}

/// What came of it, in words.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Report {
    /// The result.
    pub lines: Vec<String>,
    /// What else deserves attention.
    pub notes: Vec<String>,
}

impl Work {
    /// The subcommand that asks for it.
    pub fn subcommand(&self) -> &'static str {
        match self {
            Self::Make { .. } => "backup",
            Self::Drill { .. } => "backup drill",
        }
    }

    /// What kind of backup is to be made; `None` if none is.
    pub(super) fn wish(&self) -> Option<Wish> {
        match self {
            Self::Make { wish, .. } => Some(*wish),
            Self::Drill { .. } => None,
        }
    }
}

/// Does the work; the audit log has the intent before and the outcome after.
pub async fn carry_out(
    work: Work,
    engine: &Arc<Engine>,
    config: &Config,
    store: &Store,
    ambient: &Ambient,
    actor: Actor,
    progress: &Progress,
) -> Result<Report, BackupError> {
    let (engine, config, store) = (Arc::clone(engine), config.clone(), store.clone());
    let (clock, progress) = (ambient.clone(), progress.clone());
    let target = engine.target().address().to_owned();
    match work {
        Work::Make { wish, with_key } => {
            let key_file = with_key.then(|| engine.key_file()).transpose()?;
            let what = json!({ "kind": kind_of(wish), "with_key": with_key, "target": target });
            let intent = Intent::declare(&store, ambient, actor, &BACKUP, what).await?;
            let begun = ambient.now();
            let making = async move {
                let made = engine
                    .back_up(&store, &clock, wish, key_file, &progress)
                    .await?;
                let newest = backup::newest_id(&engine.target).await?;
                let future = newest.is_some_and(|id| id.is_of_the_future(begun));
                Ok(Report::of_backup(&made, future))
            };
            intent.perform(making).await
        }
        Work::Drill { key } => {
            let what = json!({ "target": target });
            let intent = Intent::declare(&store, ambient, actor, &BACKUP_DRILL, what).await?;
            let trying = async move {
                let drilled = drill(&engine, &config, key, &clock, &progress).await?;
                Ok(Report::of_drill(&drilled))
            };
            intent.perform(trying).await
        }
    }
}

impl Report {
    fn of_backup(made: &Manifest, future: bool) -> Self {
        let key = if made.key_inside {
            "the key file of the database is inside"
        } else {
            "the key of the database is not inside; keep it in another place"
        };
        let (id, stored, pages) = (&made.id, made.stored_pages, made.pages);
        Self {
            lines: vec![format!("{id}: {stored} of {pages} pages, verified; {key}")],
            notes: future
                .then(|| format!("Note: {OF_THE_FUTURE}."))
                .into_iter()
                .collect(),
        }
    }

    fn of_drill(drilled: &Drilled) -> Self {
        let opened: u64 = drilled.samples.iter().map(|sample| sample.opened).sum();
        let lines = vec![
            format!("{} was restored, opened and compared:", drilled.manifest.id),
            format!("  backups it is put together from  {}", drilled.parts),
            format!("  tables with the rows they had    {}", drilled.tables),
            format!("  audit records verified           {}", drilled.records),
            format!(
                "  sealed values opened             {opened} of {} columns",
                drilled.samples.len()
            ),
            format!(
                "RPO {} s: what happened since {} would be lost now",
                drilled.rpo.as_secs(),
                format_time(drilled.manifest.created_at)
            ),
            format!(
                "RTO {:.1} s: fetching, putting together, opening and verifying",
                drilled.rto.as_secs_f64()
            ),
        ];
        Self {
            lines,
            notes: Vec::new(),
        }
    }
}
