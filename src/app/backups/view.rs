//! Backups as administrators see them.

use api::bodies::{Backup, BackupJob};
use backup::{Kind, Progress, Standing, Wish};

/// A backup that is being made.
pub(super) struct Running {
    pub wish: Wish,
    pub started_at: u64,
    pub progress: Progress,
}

impl Running {
    pub(super) fn job(&self) -> BackupJob {
        let Standing { phase, done, total } = self.progress.look();
        BackupJob {
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

/// Makes a backup of the target as administrators see it.
pub(super) fn shown(listed: &backup::Listed) -> Backup {
    let manifest = listed.manifest.as_ref();
    Backup {
        id: listed.id.to_string(),
        kind: listed.id.kind().as_str().to_owned(),
        created_at: listed.id.time(),
        bytes: manifest.map_or(0, |manifest| manifest.stored_bytes()),
        key_inside: manifest.is_ok_and(|manifest| manifest.key_inside),
        trouble: manifest.err().map(ToString::to_string),
    }
}
