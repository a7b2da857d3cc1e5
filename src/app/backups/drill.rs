//! A drill: restores into a separate folder, opens, compares and times it, and removes it.

use std::collections::BTreeMap;
use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::time::Duration;

use backup::{BackupId, Manifest, Plan, Progress};
use store::{Samples, Store};
use zeroize::Zeroizing;

use super::engine::Engine;
use super::error::BackupError;
use super::files::{Lock, Temporary};
use super::key::write;
use crate::config::Config;
use crate::startup::open_store;
use ambient::Ambient;

/// The most values of each sealed column that are opened.
const SAMPLES: u32 = 25;

/// Result of a drill; a difference is an error instead.
#[derive(Debug, Clone)]
pub(super) struct Drilled {
    /// The tested backup.
    pub manifest: Manifest,
    /// Number of backups from which it was assembled.
    pub parts: usize,
    /// Age of the backup: a loss of the database now would lose the changes of this time.
    pub rpo: Duration,
    /// Time until the database was open and verified.
    pub rto: Duration,
    /// Tables whose rows were counted.
    pub tables: usize,
    /// Audit records that were verified.
    pub records: u64,
    /// Sealed values that were opened.
    pub samples: Vec<Samples>,
}

/// Restores the newest backup into a folder beside the database, and compares it.
pub(super) async fn drill(
    engine: &Engine,
    config: &Config,
    encryption_key: Option<Zeroizing<String>>,
    ambient: &Ambient,
    progress: &Progress,
) -> Result<Drilled, BackupError> {
    let begun = ambient.stopwatch();
    let _lock = Lock::take(&engine.database)?;
    let folder = Temporary::drill(&engine.database, ambient.random());
    DirBuilder::new()
        .mode(0o700)
        .create(folder.path())
        .map_err(|source| BackupError::File {
            path: folder.path().to_owned(),
            source,
        })?;
    let at = newest_time(engine, ambient).await?;
    let plan = backup::plan(&engine.target, &engine.key, at).await?;
    let database = folder.path().join("secure_messaging.db");
    backup::assemble(&engine.target, &engine.key, &plan, &database, progress).await?;
    bring_key(engine, &plan, &database).await?;
    let store = open(config, encryption_key, folder.path(), ambient)?;
    let compared = compare(&store, plan.newest()).await;
    store.close()?;
    let (records, samples) = compared?;
    let manifest = plan.newest().clone();
    Ok(Drilled {
        rpo: Duration::from_secs(ambient.now().saturating_sub(manifest.created_at)),
        rto: begun.elapsed(),
        parts: plan.chain().len(),
        tables: manifest.tables.len(),
        manifest,
        records,
        samples,
    })
}

/// Returns the time of the newest backup that is not dated in the future, if there is one.
async fn newest_time(engine: &Engine, ambient: &Ambient) -> Result<Option<u64>, BackupError> {
    let found = engine.catalogue().await?;
    let now = ambient.now();
    let mut ids = found.backups.iter().rev().map(|listed| &listed.id);
    Ok(ids.find(|id| !id.is_of_the_future(now)).map(BackupId::time))
}

/// Puts the key file beside the copy: that of the backup, or else the live one.
async fn bring_key(engine: &Engine, plan: &Plan, database: &Path) -> Result<(), BackupError> {
    let inside = backup::key_file(&engine.target, &engine.key, plan).await?;
    let bytes = match inside {
        Some(bytes) => bytes,
        None => match engine.key_file() {
            Ok(bytes) => bytes,
            Err(BackupError::NoKeyFile(_)) => return Ok(()),
            Err(error) => return Err(error),
        },
    };
    write(&database.with_extension("key"), &bytes)
}

fn open(
    config: &Config,
    encryption_key: Option<Zeroizing<String>>,
    folder: &Path,
    ambient: &Ambient,
) -> Result<Store, BackupError> {
    let mut config = config.clone();
    config.data_dir = folder.to_owned();
    config.database_url = None;
    open_store(&config, encryption_key, ambient).map_err(|error| BackupError::Open(Box::new(error)))
}

async fn compare(store: &Store, manifest: &Manifest) -> Result<(u64, Vec<Samples>), BackupError> {
    let counts: BTreeMap<String, u64> = store.table_counts().await?.into_iter().collect();
    for (table, said) in &manifest.tables {
        let found = counts.get(table).copied().unwrap_or_default();
        // A newer program adds rows to the history of migrations when it opens a copy.
        if found != *said && table != "refinery_schema_history" {
            let text = format!("table {table} has {found} rows and should have {said}");
            return Err(BackupError::Differs(text));
        }
    }
    let head = store
        .verify_audit_chain()
        .await
        .map_err(|error| BackupError::Differs(error.to_string()))?;
    if head.id != manifest.audit.id || hex::encode(head.hash) != manifest.audit.hash {
        let text = format!(
            "the audit log ends with record {} and should end with {}",
            head.id, manifest.audit.id
        );
        return Err(BackupError::Differs(text));
    }
    let samples = store.open_samples(SAMPLES).await?;
    Ok((head.id, samples))
}
