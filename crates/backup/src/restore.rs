//! Restores a file from a chain of backups.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

use sha3::{Digest, Sha3_256};
use zeroize::Zeroizing;

use crate::catalogue::{CatalogueError, catalogue};
use crate::create::KeyFile;
use crate::date::format_time;
use crate::id::BackupId;
use crate::key::BackupKey;
use crate::manifest::{HASHES, Hash, KEY, Manifest, PAGES};
use crate::pages::{Pages, page_hash};
use crate::progress::{Phase, Progress};
use crate::stream::{SealedReader, StreamError};
use crate::target::Target;

/// Most bytes of a key file.
const KEY_FILE_BYTES: usize = 64 * 1024;

/// A chain of backups, the full one first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    chain: Vec<Manifest>,
}

impl Plan {
    /// The backup whose state is restored.
    pub fn newest(&self) -> &Manifest {
        // A plan is made with at least one.
        &self.chain[self.chain.len() - 1]
    }

    /// All of them, the full one first.
    pub fn chain(&self) -> &[Manifest] {
        &self.chain
    }
}

/// Why nothing was restored.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// There is no backup of that time.
    #[error("{}", none_at(*.at, .oldest.as_ref()))]
    None {
        /// The time that was asked for.
        at: Option<u64>,
        /// The oldest backup that there is.
        oldest: Option<BackupId>,
    },
    /// A base of the backup is missing.
    #[error("{id} builds on {missing}, which is gone or was exchanged: choose another time")]
    Broken {
        /// The backup.
        id: BackupId,
        /// The base.
        missing: BackupId,
    },
    /// The target cannot be read.
    #[error(transparent)]
    Catalogue(#[from] CatalogueError),
    /// An object cannot be read.
    #[error(transparent)]
    Stream(#[from] StreamError),
    /// The restored file differs from the one that was backed up.
    #[error("what was put together is not the file that was backed up: choose another time")]
    Unlike,
    /// The file cannot be written.
    #[error("the file cannot be written ({0}): check space and rights of the folder")]
    File(#[from] io::Error),
}

fn none_at(at: Option<u64>, oldest: Option<&BackupId>) -> String {
    match (at, oldest) {
        (Some(at), Some(oldest)) => format!(
            "there is no backup of {} or before, the oldest is of {}: choose a later time",
            format_time(at),
            format_time(oldest.time())
        ),
        _ => "there is no backup in the target: check its address".to_owned(),
    }
}

/// Chooses the newest backup at this time or before, and its bases.
pub async fn plan(target: &Target, key: &BackupKey, at: Option<u64>) -> Result<Plan, RestoreError> {
    let found = catalogue(target, key).await?;
    let oldest = found.backups.first().map(|listed| listed.id.clone());
    let fits = |id: &BackupId| at.is_none_or(|at| id.time() <= at);
    let Some(chosen) = found.backups.iter().rev().find(|listed| fits(&listed.id)) else {
        return Err(RestoreError::None { at, oldest });
    };
    let mut manifests: std::collections::HashMap<BackupId, Manifest> = found
        .manifests()
        .map(|manifest| (manifest.id.clone(), manifest.clone()))
        .collect();
    let id = chosen.id.clone();
    let Some(mut manifest) = manifests.remove(&id) else {
        // The one that is wanted does not open: its error says why.
        let error = found
            .backups
            .into_iter()
            .find(|listed| listed.id == id)
            .and_then(|listed| listed.manifest.err());
        return Err(error.map_or(RestoreError::None { at, oldest }, Into::into));
    };
    let mut chain = Vec::new();
    while let Some(parent) = manifest.parent.clone() {
        let found = manifests
            .remove(&parent.id)
            .filter(|found| found.as_parent() == parent);
        chain.push(manifest);
        manifest = found.ok_or(RestoreError::Broken {
            id: id.clone(),
            missing: parent.id,
        })?;
    }
    chain.push(manifest);
    chain.reverse();
    Ok(Plan { chain })
}

/// Restores into a new file, compares it with the manifest and syncs it.
///
/// The file is readable by its owner only. After an error the caller removes it.
pub async fn assemble(
    target: &Target,
    key: &BackupKey,
    plan: &Plan,
    into: &Path,
    progress: &Progress,
) -> Result<(), RestoreError> {
    let file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(into)?;
    let total = plan
        .chain
        .iter()
        .map(|manifest| manifest.stored_pages)
        .sum();
    progress.begin(Phase::Restoring, total);
    for manifest in &plan.chain {
        write_pages(target, key, manifest, &file, progress).await?;
        // A file that became shorter loses its end.
        file.set_len(manifest.file_bytes())?;
    }
    file.sync_all()?;
    drop(file);
    compare(target, key, plan.newest(), into, progress).await
}

async fn write_pages(
    target: &Target,
    key: &BackupKey,
    manifest: &Manifest,
    file: &File,
    progress: &Progress,
) -> Result<(), RestoreError> {
    let mut reader = SealedReader::begin(target, key, &manifest.id, PAGES).await?;
    let mut page = vec![0; 8 + manifest.page_size as usize];
    for _ in 0..manifest.stored_pages {
        if !reader.fill(&mut page).await? {
            return Err(RestoreError::Unlike);
        }
        let Some((number, bytes)) = page.split_first_chunk::<8>() else {
            return Err(RestoreError::Unlike);
        };
        let number = u64::from_be_bytes(*number);
        if number >= manifest.pages {
            return Err(RestoreError::Unlike);
        }
        file.write_all_at(bytes, number * u64::from(manifest.page_size))?;
        progress.add(1);
    }
    let object = manifest.objects.get(PAGES).ok_or(RestoreError::Unlike)?;
    Ok(reader.finish(object).await?)
}

/// Compares every page with its hash, and all hashes with the manifest.
async fn compare(
    target: &Target,
    key: &BackupKey,
    manifest: &Manifest,
    file: &Path,
    progress: &Progress,
) -> Result<(), RestoreError> {
    progress.begin(Phase::Comparing, manifest.pages);
    let mut hashes = SealedReader::begin(target, key, &manifest.id, HASHES).await?;
    let mut pages = Pages::open(file, manifest.page_size)?;
    let mut content = Sha3_256::new();
    let mut said = Hash::default();
    while let Some(page) = pages.next()? {
        let hash = page_hash(page);
        content.update(hash);
        if !hashes.fill(&mut said).await? || said != hash {
            return Err(RestoreError::Unlike);
        }
        progress.add(1);
    }
    let content: Hash = content.finalize().into();
    if content != manifest.content {
        return Err(RestoreError::Unlike);
    }
    let object = manifest.objects.get(HASHES).ok_or(RestoreError::Unlike)?;
    Ok(hashes.finish(object).await?)
}

/// The key file of the database, where the backup has it inside.
pub async fn key_file(
    target: &Target,
    key: &BackupKey,
    plan: &Plan,
) -> Result<Option<KeyFile>, RestoreError> {
    let manifest = plan.newest();
    if !manifest.key_inside {
        return Ok(None);
    }
    let reader = SealedReader::begin(target, key, &manifest.id, KEY).await?;
    let bytes = Zeroizing::new(reader.whole(KEY_FILE_BYTES).await?);
    let object = manifest.objects.get(KEY).ok_or(RestoreError::Unlike)?;
    let digest: Hash = Sha3_256::digest(bytes.as_slice()).into();
    if digest == object.digest {
        Ok(Some(bytes))
    } else {
        Err(RestoreError::Unlike)
    }
}
