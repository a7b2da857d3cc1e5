//! How far a backup or a restore is, for a bar or a page to draw.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

/// What is being done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// Nothing yet.
    Waiting,
    /// The database is being copied.
    Copying,
    /// Pages are sealed and sent.
    Writing,
    /// What was sent is read back and opened.
    Verifying,
    /// Pages are fetched and put together.
    Restoring,
    /// What was put together is compared.
    Comparing,
}

impl Phase {
    const ALL: [Self; 6] = [
        Self::Waiting,
        Self::Copying,
        Self::Writing,
        Self::Verifying,
        Self::Restoring,
        Self::Comparing,
    ];

    /// The name of the phase.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Copying => "copying",
            Self::Writing => "writing",
            Self::Verifying => "verifying",
            Self::Restoring => "restoring",
            Self::Comparing => "comparing",
        }
    }
}

/// A snapshot of the progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// The phase.
    pub phase: Phase,
    /// Steps that are done.
    pub done: u64,
    /// All steps.
    pub total: u64,
}

/// Progress that one side writes and others read; clones are the same.
#[derive(Debug, Clone, Default)]
pub struct Progress(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    phase: AtomicU8,
    done: AtomicU64,
    total: AtomicU64,
}

impl Progress {
    /// Starts a phase with this many steps.
    pub fn begin(&self, phase: Phase, total: u64) {
        let number = Phase::ALL.iter().position(|one| *one == phase);
        self.0.done.store(0, Ordering::Relaxed);
        self.0.total.store(total, Ordering::Relaxed);
        self.0
            .phase
            .store(number.unwrap_or_default() as u8, Ordering::Relaxed);
    }

    /// Adds steps that are done.
    pub fn add(&self, steps: u64) {
        self.0.done.fetch_add(steps, Ordering::Relaxed);
    }

    /// Sets the steps that are done.
    pub fn set(&self, done: u64, total: u64) {
        self.0.done.store(done, Ordering::Relaxed);
        self.0.total.store(total, Ordering::Relaxed);
    }

    /// Takes a snapshot of another process over.
    pub fn show(&self, standing: Standing) {
        self.begin(standing.phase, standing.total);
        self.set(standing.done, standing.total);
    }

    /// Returns a snapshot.
    pub fn look(&self) -> Standing {
        let number = usize::from(self.0.phase.load(Ordering::Relaxed));
        Standing {
            phase: Phase::ALL.get(number).copied().unwrap_or(Phase::Waiting),
            done: self.0.done.load(Ordering::Relaxed),
            total: self.0.total.load(Ordering::Relaxed),
        }
    }
}
