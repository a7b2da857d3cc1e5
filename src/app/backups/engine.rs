//! Makes one backup, from the copy of the database to the removal of old backups.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use backup::{
    AuditHead, BackupId, BackupKey, Catalogue, KeyFile, Manifest, Phase, Policy, Progress, Pruned,
    Source, Target, Wish,
};
use store::Store;
use zeroize::Zeroizing;

use super::error::BackupError;
use super::files::{Lock, Temporary};
use super::key::{find_key, find_or_make_key};
use crate::config::Config;
use ambient::Ambient;

/// The target of backups, and their key.
pub struct Engine {
    pub(super) target: Target,
    pub(super) key: BackupKey,
    pub(super) database: PathBuf,
    keep: Policy,
}

impl Engine {
    /// Reads the settings; returns `None` if no target is set. Makes a key if there is none.
    pub fn open(config: &Config, ambient: &Ambient) -> Result<Option<Self>, BackupError> {
        let Some(address) = &config.backups.backup_target else {
            return Ok(None);
        };
        let target = Target::open(address, &config.backups.s3()?)?;
        let key = find_or_make_key(&config.data_dir, ambient)?;
        Self::new(config, target, key).map(Some)
    }

    /// The same for readers: a missing key is an error, because a new key opens nothing.
    pub fn open_existing(config: &Config) -> Result<Self, BackupError> {
        let address = config.backups.backup_target.as_deref();
        let address = address.ok_or(BackupError::NoTarget)?;
        let target = Target::open(address, &config.backups.s3()?)?;
        let key = find_key(&config.data_dir)?.ok_or(BackupError::NoKey)?;
        Self::new(config, target, key)
    }

    fn new(config: &Config, target: Target, key: BackupKey) -> Result<Self, BackupError> {
        Ok(Self {
            target,
            key,
            database: database_of(config),
            keep: config.backups.policy()?,
        })
    }

    /// Returns the target.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// Returns the policy of retention.
    pub fn keep(&self) -> Policy {
        self.keep
    }

    /// Lists the backups in the target.
    pub async fn catalogue(&self) -> Result<Catalogue, BackupError> {
        Ok(backup::catalogue(&self.target, &self.key).await?)
    }

    /// Reads the key file of the database, to include it.
    pub fn key_file(&self) -> Result<KeyFile, BackupError> {
        let path = self.database.with_extension("key");
        match keyring::regular_file::read(&path) {
            Ok(bytes) => Ok(Zeroizing::new(bytes)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                Err(BackupError::NoKeyFile(path))
            }
            Err(source) => Err(BackupError::File { path, source }),
        }
    }

    /// Makes a backup, verifies it, and removes old ones.
    pub async fn back_up(
        &self,
        store: &Store,
        ambient: &Ambient,
        wish: Wish,
        key_file: Option<KeyFile>,
        progress: &Progress,
    ) -> Result<Manifest, BackupError> {
        let _lock = Lock::take(&self.database)?;
        // Nobody else writes there while the lock is held: what is unfinished was cut off.
        backup::clear_unfinished(&self.target, &self.key).await?;
        let copy = Temporary::snapshot(&self.database, ambient.random());
        let created_at = ambient.now();
        progress.begin(Phase::Copying, 0);
        let follow = progress.clone();
        let copied = Box::new(move |done, total| follow.set(done, total));
        let snapshot = store.snapshot(copy.path().to_owned(), copied).await?;
        let source = Source {
            file: copy.path(),
            page_size: snapshot.page_size,
            created_at,
            program: env!("CARGO_PKG_VERSION"),
            schema: snapshot.schema,
            audit: AuditHead {
                id: snapshot.audit.id,
                hash: hex::encode(snapshot.audit.hash),
            },
            tables: snapshot.tables.into_iter().collect::<BTreeMap<_, _>>(),
            key_file: key_file.as_ref(),
        };
        let mut rng = ambient.rng();
        let created =
            backup::create(&self.target, &self.key, &source, wish, &mut rng, progress).await?;
        drop(copy);
        let pruned = self.prune(created_at).await?;
        tracing::info!(
            backup = %created.manifest.id,
            pages = created.manifest.stored_pages,
            of = created.manifest.pages,
            removed = pruned.removed.len(),
            "a backup was made and verified"
        );
        Ok(created.manifest)
    }

    /// Removes the backups that the policy does not keep.
    pub async fn prune(&self, now: u64) -> Result<Pruned, BackupError> {
        Ok(backup::prune(&self.target, &self.key, &self.keep, now).await?)
    }
}

/// Says in the log that backups are dated after now.
pub(super) fn warn_of_the_future(ids: &[BackupId]) {
    if let (Some(newest), count) = (ids.last(), ids.len()) {
        tracing::warn!(%newest, count, "{OF_THE_FUTURE}");
    }
}

/// What is said of backups that are dated after now, and what to do about them.
pub const OF_THE_FUTURE: &str = "the target holds backups that are dated in the future: the clock was ahead \
     when they were made, or is behind now. Put the clock right; pruning keeps them until their dates have \
     passed, so remove their folders once newer ones are there";

/// The file of the database; whatever is wrong with its address was said when the server started.
pub(super) fn database_of(config: &Config) -> PathBuf {
    let ordinary = || Path::new(&config.data_dir).join("secure_messaging.db");
    config.database_path().unwrap_or_else(|_| ordinary())
}
