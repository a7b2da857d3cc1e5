//! A file that changes, a generator that repeats itself, a key.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use backup::{AuditHead, BackupKey, Created, Progress, Source, Target, Wish};
use rand_core::{Infallible, TryCryptoRng, TryRng};

pub(crate) const PAGE: u32 = 4_096;
/// The time at which everything begins.
pub(crate) const NOW: u64 = 1_800_000_000;

/// The same numbers in every run.
pub(crate) struct Numbers(u64);

impl Numbers {
    pub(crate) fn from(seed: u64) -> Self {
        Self(seed.wrapping_mul(2).wrapping_add(1))
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}

impl TryRng for Numbers {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(self.next() as u32)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(self.next())
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for byte in bytes {
            *byte = self.next() as u8;
        }
        Ok(())
    }
}

impl TryCryptoRng for Numbers {}

pub(crate) fn key(seed: u64) -> BackupKey {
    BackupKey::generate(&mut Numbers::from(seed))
}

/// A file of pages in a folder of its own.
pub(crate) struct Changing {
    pub folder: tempfile::TempDir,
    pub numbers: Numbers,
    pub bytes: Vec<u8>,
}

impl Changing {
    pub(crate) fn new(pages: usize) -> Self {
        let mut numbers = Numbers::from(7);
        let bytes = (0..pages * PAGE as usize)
            .map(|_| numbers.next() as u8)
            .collect();
        let changing = Self {
            folder: tempfile::tempdir().unwrap(),
            numbers,
            bytes,
        };
        changing.write();
        changing
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("copy")
    }

    fn write(&self) {
        std::fs::write(self.path(), &self.bytes).unwrap();
    }

    /// Changes some pages and perhaps the length.
    pub(crate) fn change(&mut self, pages: usize, grow: i64) {
        let len = self.bytes.len() as i64 + grow * i64::from(PAGE);
        let numbers = &mut self.numbers;
        self.bytes
            .resize_with(len as usize, || numbers.next() as u8);
        for _ in 0..pages {
            let at = self.numbers.below(self.bytes.len() as u64) as usize;
            self.bytes[at] ^= 0x55;
        }
        self.write();
    }
}

pub(crate) fn source(file: &Path, created_at: u64) -> Source<'_> {
    Source {
        file,
        page_size: PAGE,
        created_at,
        program: "0.0.0",
        schema: 2,
        audit: AuditHead {
            id: 9,
            hash: "00".repeat(64),
        },
        tables: BTreeMap::from([("users".to_owned(), 3)]),
        key_file: None,
    }
}

pub(crate) async fn make(target: &Target, changing: &mut Changing, at: u64, wish: Wish) -> Created {
    let path = changing.path();
    let source = source(&path, at);
    let numbers = &mut changing.numbers;
    backup::create(
        target,
        &key(1),
        &source,
        wish,
        numbers,
        &Progress::default(),
    )
    .await
    .unwrap()
}

/// Restores the state of a time and answers the file's bytes.
pub(crate) async fn restored(
    target: &Target,
    at: Option<u64>,
) -> Result<Vec<u8>, backup::RestoreError> {
    let folder = tempfile::tempdir().unwrap();
    let into = folder.path().join("restored");
    let plan = backup::plan(target, &key(1), at).await?;
    backup::assemble(target, &key(1), &plan, &into, &Progress::default()).await?;
    Ok(std::fs::read(into).unwrap())
}
