//! A model of a disk that forgets what was not synced.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Bytes that a disk writes as one; a write over more may be torn between them.
const SECTOR: usize = 512;

/// What becomes of writes that were not synced when the power went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    /// All are gone.
    All,
    /// Each sector of each is there or not, drawn from this seed; in no order.
    Some(u64),
}

enum Change {
    Write { offset: usize, bytes: Vec<u8> },
    Truncate(usize),
}

#[derive(Default)]
struct FileState {
    /// `None` until the first sync: after a cut there may be no such file.
    durable: Option<Vec<u8>>,
    pending: Vec<Change>,
}

#[derive(Default)]
struct State {
    files: BTreeMap<PathBuf, FileState>,
    operations: u64,
    cut_at: Option<u64>,
    cut: bool,
    at_cut: Option<Box<dyn FnOnce() + Send>>,
    full: bool,
    failing_syncs: u32,
    syncs: u64,
}

/// What stable storage holds of the files of one test, and how it misbehaves.
///
/// The files themselves are real and go on working after a cut; only this picture of them stops.
#[derive(Default)]
pub struct Disk {
    state: Mutex<State>,
}

impl Disk {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Cuts the power at the given number of writes and syncs from now.
    pub fn cut_after(&self, operations: u64) {
        let mut state = self.state();
        state.cut_at = Some(state.operations + operations);
    }

    /// Calls this at the moment of the cut, before anybody is told of it: what else is on the disk
    /// can be noted then. It must not ask this disk anything.
    pub fn at_cut(&self, note: impl FnOnce() + Send + 'static) {
        self.state().at_cut = Some(Box::new(note));
    }

    /// Whether the power is cut. What was acknowledged while it was not must survive.
    pub fn is_cut(&self) -> bool {
        self.state().cut
    }

    /// Makes every write fail for want of space, or none.
    pub fn set_full(&self, full: bool) {
        self.state().full = full;
    }

    /// Makes the next syncs fail.
    pub fn fail_syncs(&self, count: u32) {
        self.state().failing_syncs = count;
    }

    /// Syncs that succeeded.
    pub fn syncs(&self) -> u64 {
        self.state().syncs
    }

    /// Writes and syncs so far.
    pub fn operations(&self) -> u64 {
        self.state().operations
    }

    /// Writes what a machine would find after the cut into another folder.
    pub fn restore(&self, folder: &Path, loss: Loss) -> std::io::Result<()> {
        let mut random = match loss {
            Loss::All => None,
            Loss::Some(seed) => Some(seed | 1),
        };
        for (path, file) in &self.state().files {
            let mut image = file.durable.clone();
            if let Some(random) = &mut random {
                for change in &file.pending {
                    change.apply_partly(&mut image, random);
                }
            }
            if let (Some(image), Some(name)) = (image, path.file_name()) {
                std::fs::write(folder.join(name), image)?;
            }
        }
        Ok(())
    }

    pub(super) fn opened(&self, path: &Path) {
        let mut state = self.state();
        if !state.files.contains_key(path) {
            let durable = std::fs::read(path).ok().filter(|bytes| !bytes.is_empty());
            state.files.insert(
                path.to_owned(),
                FileState {
                    durable,
                    pending: Vec::new(),
                },
            );
        }
    }

    pub(super) fn is_full(&self) -> bool {
        self.state().full
    }

    pub(super) fn takes_sync(&self) -> bool {
        let mut state = self.state();
        let fails = state.failing_syncs > 0;
        state.failing_syncs = state.failing_syncs.saturating_sub(1);
        !fails
    }

    pub(super) fn written(&self, path: &Path, offset: usize, bytes: &[u8]) {
        self.change(
            path,
            Change::Write {
                offset,
                bytes: bytes.to_vec(),
            },
        );
    }

    pub(super) fn truncated(&self, path: &Path, len: usize) {
        self.change(path, Change::Truncate(len));
    }

    fn change(&self, path: &Path, change: Change) {
        let mut state = self.state();
        if state.step() {
            state
                .files
                .entry(path.to_owned())
                .or_default()
                .pending
                .push(change);
        }
    }

    pub(super) fn synced(&self, path: &Path) {
        let mut state = self.state();
        if state.step() {
            state.syncs += 1;
            let file = state.files.entry(path.to_owned()).or_default();
            let mut image = file.durable.take().unwrap_or_default();
            for change in file.pending.drain(..) {
                change.apply(&mut image);
            }
            file.durable = Some(image);
        }
    }

    /// A deletion is taken as durable at once: the harsher assumption here, since what SQLite
    /// deletes is a log it no longer needs only if everything else was synced before.
    pub(super) fn deleted(&self, path: &Path) {
        let mut state = self.state();
        if state.step() {
            state.files.remove(path);
        }
    }
}

impl State {
    /// Counts an operation; whether it still reaches the disk.
    fn step(&mut self) -> bool {
        self.operations += 1;
        if !self.cut && self.cut_at.is_some_and(|at| self.operations > at) {
            self.cut = true;
            if let Some(note) = self.at_cut.take() {
                note();
            }
        }
        !self.cut
    }
}

impl Change {
    fn apply(&self, image: &mut Vec<u8>) {
        match self {
            Self::Truncate(len) => image.truncate(*len),
            Self::Write { offset, bytes } => put(image, *offset, bytes),
        }
    }

    fn apply_partly(&self, image: &mut Option<Vec<u8>>, random: &mut u64) {
        match self {
            Self::Truncate(len) => {
                if coin(random)
                    && let Some(image) = image
                {
                    image.truncate(*len);
                }
            }
            Self::Write { offset, bytes } => {
                for (index, sector) in bytes.chunks(SECTOR).enumerate() {
                    if coin(random) {
                        put(
                            image.get_or_insert_default(),
                            offset + index * SECTOR,
                            sector,
                        );
                    }
                }
            }
        }
    }
}

fn put(image: &mut Vec<u8>, offset: usize, bytes: &[u8]) {
    let end = offset + bytes.len();
    if image.len() < end {
        image.resize(end, 0);
    }
    image[offset..end].copy_from_slice(bytes);
}

/// xorshift64: which sectors survive must be repeatable, not unpredictable.
fn coin(random: &mut u64) -> bool {
    *random ^= *random << 13;
    *random ^= *random >> 7;
    *random ^= *random << 17;
    *random >> 63 == 1
}
