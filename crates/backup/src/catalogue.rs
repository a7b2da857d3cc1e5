//! Lists the backups in a target.

use std::collections::HashMap;

use crate::id::BackupId;
use crate::key::BackupKey;
use crate::manifest::{MANIFEST, Manifest};
use crate::seal::OpenError;
use crate::stream::{SealedReader, StreamError};
use crate::target::{Target, TargetError};

/// Most bytes of a manifest.
const MANIFEST_BYTES: usize = 1024 * 1024;

/// Why the backups in a target cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    /// The target failed, or a manifest was refused.
    #[error(transparent)]
    Stream(#[from] StreamError),
    /// A manifest opens and is not valid.
    #[error("the manifest of {0} cannot be read: use the newer program that wrote it")]
    Unreadable(BackupId),
}

impl From<TargetError> for CatalogueError {
    fn from(error: TargetError) -> Self {
        Self::Stream(error.into())
    }
}

/// A finished backup as it is listed.
#[derive(Debug)]
pub struct Listed {
    /// Its name.
    pub id: BackupId,
    /// Its manifest, or why that does not open.
    pub manifest: Result<Manifest, CatalogueError>,
}

/// The contents of a target.
#[derive(Debug, Default)]
pub struct Catalogue {
    /// Finished backups, oldest first.
    pub backups: Vec<Listed>,
    /// Unfinished uploads, which are not backups.
    pub unfinished: Vec<BackupId>,
}

impl Catalogue {
    /// Those whose manifests open, oldest first.
    pub fn manifests(&self) -> impl DoubleEndedIterator<Item = &Manifest> {
        self.backups
            .iter()
            .filter_map(|listed| listed.manifest.as_ref().ok())
    }

    /// Those that are dated after now, oldest first.
    pub fn of_the_future(&self, now: u64) -> impl Iterator<Item = &BackupId> {
        let ids = self.backups.iter().map(|listed| &listed.id);
        ids.filter(move |id| id.is_of_the_future(now))
    }

    /// Returns whether all bases of a backup are there.
    pub fn is_whole(&self, manifest: &Manifest) -> bool {
        let known: HashMap<&BackupId, &Manifest> =
            self.manifests().map(|other| (&other.id, other)).collect();
        let mut at = manifest;
        // Each step goes to another backup, so that a circle ends as well.
        for _ in 0..=known.len() {
            let Some(parent) = &at.parent else {
                return true;
            };
            match known.get(&parent.id) {
                Some(found) if found.as_parent() == *parent => at = found,
                _ => return false,
            }
        }
        false
    }
}

/// Reads one manifest.
pub(crate) async fn manifest_of(
    target: &Target,
    key: &BackupKey,
    id: &BackupId,
) -> Result<Manifest, CatalogueError> {
    let reader = SealedReader::begin(target, key, id, MANIFEST).await?;
    let bytes = reader.whole(MANIFEST_BYTES).await?;
    Manifest::decode(id, &bytes).ok_or_else(|| CatalogueError::Unreadable(id.clone()))
}

fn is_missing(error: &CatalogueError) -> bool {
    matches!(
        error,
        CatalogueError::Stream(StreamError::Target(TargetError::Missing(_)))
    )
}

/// Returns whether something else is in the place of the manifest; that says nothing about other backups.
fn is_foreign(error: &CatalogueError) -> bool {
    matches!(
        error,
        CatalogueError::Stream(StreamError::Target(TargetError::NoFile { .. }))
    )
}

/// Lists a target; a damaged backup is in the list with its error, and hides no other.
pub async fn catalogue(target: &Target, key: &BackupKey) -> Result<Catalogue, CatalogueError> {
    let mut found = Catalogue::default();
    for id in target.ids().await? {
        match manifest_of(target, key, &id).await {
            Err(error) if is_missing(&error) => found.unfinished.push(id),
            Err(error @ CatalogueError::Stream(StreamError::Target(_))) if !is_foreign(&error) => {
                return Err(error);
            }
            manifest => found.backups.push(Listed { id, manifest }),
        }
    }
    Ok(found)
}

/// The name that sorts last in a target, whether that backup was finished or not.
pub async fn newest_id(target: &Target) -> Result<Option<BackupId>, TargetError> {
    Ok(target.ids().await?.pop())
}

/// Returns the newest backup that an incremental one can build on; none from the future.
///
/// A wrong key is an error and not "none": a second chain under another key in the same target would make
/// the policy remove the first one.
pub(crate) async fn newest(
    target: &Target,
    key: &BackupKey,
    now: u64,
) -> Result<Option<Manifest>, CatalogueError> {
    let mut found = catalogue(target, key).await?;
    let wrong_key = found.backups.iter().rposition(|listed| {
        matches!(
            listed.manifest,
            Err(CatalogueError::Stream(StreamError::Open {
                error: OpenError::WrongKey,
                ..
            }))
        )
    });
    if let Some(at) = wrong_key
        && found.manifests().next().is_none()
    {
        return found.backups.swap_remove(at).manifest.map(Some);
    }
    let newest = found
        .manifests()
        .rev()
        .find(|manifest| !manifest.id.is_of_the_future(now) && found.is_whole(manifest))
        .cloned();
    Ok(newest)
}

/// Removes unfinished uploads; returns how many.
///
/// The caller must know that nobody writes to the target.
pub async fn clear_unfinished(target: &Target, key: &BackupKey) -> Result<usize, CatalogueError> {
    let found = catalogue(target, key).await?;
    for id in &found.unfinished {
        target.remove(id).await?;
    }
    Ok(found.unfinished.len())
}
