//! Removes backups that the policy does not keep.

use std::collections::BTreeSet;

use crate::catalogue::{CatalogueError, catalogue};
use crate::id::BackupId;
use crate::key::BackupKey;
use crate::policy::{Known, Policy};
use crate::target::Target;

/// The result of pruning.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Backups that were removed, newest first.
    pub removed: Vec<BackupId>,
    /// How many are left.
    pub kept: usize,
    /// Those that are dated after now: they are kept as if they were of now.
    pub of_the_future: Vec<BackupId>,
}

/// Removes backups that the policy does not keep, newest first, so that an interruption leaves no backup
/// without its base.
///
/// A backup whose manifest does not open is kept: its base is not known, and somebody may want to inspect
/// it.
pub async fn prune(
    target: &Target,
    key: &BackupKey,
    policy: &Policy,
    now: u64,
) -> Result<Pruned, CatalogueError> {
    let found = catalogue(target, key).await?;
    let known: Vec<Known> = found
        .manifests()
        .map(|manifest| Known {
            id: manifest.id.clone(),
            parent: manifest.parent.as_ref().map(|parent| parent.id.clone()),
        })
        .collect();
    let kept: BTreeSet<BackupId> = policy.keep(&known, now);
    let mut pruned = Pruned {
        removed: Vec::new(),
        kept: kept.len(),
        of_the_future: found.of_the_future(now).cloned().collect(),
    };
    for one in known.iter().rev().filter(|one| !kept.contains(&one.id)) {
        target.remove(&one.id).await?;
        pruned.removed.push(one.id.clone());
    }
    Ok(pruned)
}
