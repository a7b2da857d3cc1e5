//! Backups as administrators see them.

use backup::{Kind, Progress, Standing, Wish};
use serde::Serialize;
use utoipa::ToSchema;

/// A backup in progress.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Job {
    /// `full` or `incremental`.
    pub kind: String,
    /// Step: `copying`, `writing` or `verifying`.
    pub phase: String,
    /// Progress of the step.
    pub done: u64,
    /// Size of the step.
    pub total: u64,
    /// Unix seconds.
    pub started_at: u64,
}

/// A backup in the target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Listed {
    /// Its name.
    pub id: String,
    /// `full` or `incremental`.
    pub kind: String,
    /// Unix seconds of its state.
    pub created_at: u64,
    /// Bytes that it holds.
    pub bytes: u64,
    /// Whether the key of the database is inside.
    pub key_inside: bool,
    /// Why it is unusable, if so.
    pub trouble: Option<String>,
}

/// Backups as administrators see them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct View {
    /// The target; absent if none is configured.
    pub target: Option<String>,
    /// The policy of retention.
    pub keep: String,
    /// The backup in progress.
    pub running: Option<Job>,
    /// Unix seconds of the newest one.
    pub last_success: Option<u64>,
    /// Why the last attempt failed, if it did.
    pub trouble: Option<String>,
    /// Unix seconds of the next scheduled backup.
    pub next_due: Option<u64>,
    /// Number of backups.
    pub count: usize,
    /// The newest ones, newest first.
    pub backups: Vec<Listed>,
}

/// A backup that is being made.
pub(super) struct Running {
    pub wish: Wish,
    pub started_at: u64,
    pub progress: Progress,
}

impl Running {
    pub fn job(&self) -> Job {
        let Standing { phase, done, total } = self.progress.look();
        Job {
            kind: kind_of(self.wish).to_owned(),
            phase: phase.as_str().to_owned(),
            done,
            total,
            started_at: self.started_at,
        }
    }
}

/// The kind that comes of a wish.
pub(super) fn kind_of(wish: Wish) -> &'static str {
    match wish {
        Wish::Full => Kind::Full.as_str(),
        Wish::Incremental => Kind::Incremental.as_str(),
    }
}

impl From<&backup::Listed> for Listed {
    fn from(listed: &backup::Listed) -> Self {
        let manifest = listed.manifest.as_ref();
        Self {
            id: listed.id.to_string(),
            kind: listed.id.kind().as_str().to_owned(),
            created_at: listed.id.time(),
            bytes: manifest.map_or(0, |manifest| manifest.stored_bytes()),
            key_inside: manifest.is_ok_and(|manifest| manifest.key_inside),
            trouble: manifest.err().map(ToString::to_string),
        }
    }
}
