//! Making a backup: pages out, read back, and only then the manifest.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use rand_core::CryptoRng;
use sha3::{Digest, Sha3_256};
use zeroize::Zeroizing;

use crate::catalogue::{CatalogueError, manifest_of, newest};
use crate::id::{BackupId, Kind};
use crate::key::BackupKey;
use crate::manifest::{AuditHead, FORMAT, HASHES, Hash, KEY, MANIFEST, Manifest, PAGES, Parent};
use crate::pages::{Pages, page_hash};
use crate::progress::{Phase, Progress};
use crate::seal::{SALT_LEN, Sealer};
use crate::stream::{SealedReader, SealedWriter, StreamError};
use crate::target::{Target, TargetError};

/// The bytes of a key file.
pub type KeyFile = Zeroizing<Vec<u8>>;

/// What is backed up.
pub struct Source<'a> {
    /// A file that nobody changes meanwhile.
    pub file: &'a Path,
    /// Bytes of its pages.
    pub page_size: u32,
    /// Unix seconds at which it was taken; a second after the newest backup, where it is not later and
    /// that one is not of the future.
    pub created_at: u64,
    /// Version of the program.
    pub program: &'a str,
    /// Version of the database's schema.
    pub schema: u32,
    /// Where the audit log stood.
    pub audit: AuditHead,
    /// Rows of each table.
    pub tables: BTreeMap<String, u64>,
    /// The key file of the database, where it is to go along.
    pub key_file: Option<&'a KeyFile>,
}

/// Which kind is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Wish {
    /// Every page.
    Full,
    /// What changed since the newest backup; every page where there is none.
    Incremental,
}

/// A backup that was made and verified.
#[derive(Debug, Clone)]
pub struct Created {
    /// What it is.
    pub manifest: Manifest,
}

/// Why no backup was made. What was written of it does not count and goes at the next one.
#[derive(Debug, thiserror::Error)]
pub enum CreateError {
    /// The snapshot cannot be read.
    #[error("the snapshot cannot be read ({0}): check the space and health of the data folder")]
    Snapshot(io::Error),
    /// What is there already cannot be read.
    #[error(transparent)]
    Catalogue(#[from] CatalogueError),
    /// Writing, or reading back, failed.
    #[error(transparent)]
    Stream(#[from] StreamError),
}

impl From<TargetError> for CreateError {
    fn from(error: TargetError) -> Self {
        Self::Stream(error.into())
    }
}

/// The hashes of the backup before, one after the other.
struct Before<'k> {
    hashes: Option<SealedReader<'k>>,
}

impl Before<'_> {
    async fn next(&mut self) -> Result<Option<Hash>, StreamError> {
        let Some(reader) = self.hashes.as_mut() else {
            return Ok(None);
        };
        let mut hash = Hash::default();
        if reader.fill(&mut hash).await? {
            return Ok(Some(hash));
        }
        self.hashes = None;
        Ok(None)
    }
}

/// Makes a backup and verifies it; it counts when this returns it.
pub async fn create(
    target: &Target,
    key: &BackupKey,
    source: &Source<'_>,
    wish: Wish,
    rng: &mut (dyn CryptoRng + Send),
    progress: &Progress,
) -> Result<Created, CreateError> {
    let base = match wish {
        Wish::Full => None,
        Wish::Incremental => newest(target, key, source.created_at).await?,
    };
    // Pages of another size have nothing to do with those of before.
    let base = base.filter(|base| base.page_size == source.page_size);
    let kind = base.as_ref().map_or(Kind::Full, |_| Kind::Incremental);
    // Names are in the order in which backups were made, unless the clock was far ahead.
    let ids = target.ids().await?;
    let mut present = ids
        .iter()
        .filter(|id| !id.is_of_the_future(source.created_at));
    let newest = present.next_back().map(BackupId::time);
    let created_at = newest.map_or(source.created_at, |time| source.created_at.max(time + 1));
    let id = BackupId::new(created_at, kind, rng);
    let made = write(target, key, source, (&id, created_at), base, rng, progress).await;
    if made.is_err() {
        target.discard(&id);
    }
    made
}

/// Writes the objects of a backup, verifies them, and makes it count.
async fn write(
    target: &Target,
    key: &BackupKey,
    source: &Source<'_>,
    (id, created_at): (&BackupId, u64),
    base: Option<Manifest>,
    rng: &mut (dyn CryptoRng + Send),
    progress: &Progress,
) -> Result<Created, CreateError> {
    let parent: Option<Parent> = base.as_ref().map(Manifest::as_parent);
    let mut before = Before { hashes: None };
    if let Some(parent) = &parent {
        let reader = SealedReader::begin(target, key, &parent.id, HASHES).await?;
        before.hashes = Some(reader);
    }

    let mut pages = Pages::open(source.file, source.page_size).map_err(CreateError::Snapshot)?;
    progress.begin(Phase::Writing, pages.left());
    let mut stored = SealedWriter::begin(target, key, id, PAGES, rng).await?;
    let mut hashes = SealedWriter::begin(target, key, id, HASHES, rng).await?;
    let mut content = Sha3_256::new();
    let (mut number, mut stored_pages) = (0_u64, 0_u64);
    while let Some(page) = pages.next().map_err(CreateError::Snapshot)? {
        let hash = page_hash(page);
        content.update(hash);
        hashes.push(&hash).await?;
        if before.next().await? != Some(hash) {
            stored.push(&number.to_be_bytes()).await?;
            stored.push(page).await?;
            stored_pages += 1;
        }
        number += 1;
        progress.add(1);
    }
    let mut objects = BTreeMap::new();
    objects.insert(PAGES.to_owned(), stored.finish().await?);
    objects.insert(HASHES.to_owned(), hashes.finish().await?);
    if let Some(bytes) = source.key_file {
        let mut writer = SealedWriter::begin(target, key, id, KEY, rng).await?;
        writer.push(bytes).await?;
        objects.insert(KEY.to_owned(), writer.finish().await?);
    }
    let manifest = Manifest {
        format: FORMAT,
        id: id.clone(),
        parent,
        program: source.program.to_owned(),
        schema: source.schema,
        created_at,
        page_size: source.page_size,
        pages: number,
        stored_pages,
        content: content.finalize().into(),
        key_inside: source.key_file.is_some(),
        audit: source.audit.clone(),
        tables: source.tables.clone(),
        objects,
    };
    verify(target, key, &manifest, progress).await?;
    commit(target, key, &manifest, rng).await?;
    Ok(Created { manifest })
}

/// Reads every object of a backup back, opens it and compares it with the manifest.
pub(crate) async fn verify(
    target: &Target,
    key: &BackupKey,
    manifest: &Manifest,
    progress: &Progress,
) -> Result<(), StreamError> {
    progress.begin(Phase::Verifying, manifest.objects.len() as u64);
    for (part, object) in &manifest.objects {
        let reader = SealedReader::begin(target, key, &manifest.id, part).await?;
        reader.finish(object).await?;
        progress.add(1);
    }
    Ok(())
}

/// Writes the manifest and reads it back: from now on the backup counts.
async fn commit(
    target: &Target,
    key: &BackupKey,
    manifest: &Manifest,
    rng: &mut (dyn CryptoRng + Send),
) -> Result<(), CreateError> {
    let name = manifest.id.object(MANIFEST);
    let mut salt = [0; SALT_LEN];
    rng.fill_bytes(&mut salt);
    let mut sealer = Sealer::new(key, &name, salt);
    sealer.push(&manifest.encode());
    target.put(&name, sealer.finish()).await?;
    let read = manifest_of(target, key, &manifest.id).await?;
    if read == *manifest {
        Ok(())
    } else {
        Err(StreamError::Unlike(name).into())
    }
}
