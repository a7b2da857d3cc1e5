//! What administrators ask of the backups.

use api::Code;
use api::bodies::{self, BackupJob, BackupWanted};
use backup::Wish;

use super::error::BackupError;
use super::service::BeginError;
use super::work::Work;
use crate::app::administration::intent::Actor;
use crate::app::authority::{Authorized, permit};
use crate::app::origin::Origin;
use crate::app::{App, Problem};

/// Shows backups and the one under way.
pub fn show(app: &App, _: &Authorized<permit::ReadBackups>) -> bodies::Backups {
    app.backups().view()
}

/// Starts a backup.
pub fn begin(
    app: &App,
    admin: &Authorized<permit::MakeBackups>,
    origin: &Origin,
    wanted: &BackupWanted,
) -> Result<BackupJob, Problem> {
    let wish = match wanted.full {
        true => Wish::Full,
        false => Wish::Incremental,
    };
    let work = Work::Make {
        wish,
        with_key: false,
    };
    let actor = Actor::of(admin, origin);
    match app.backups().begin(app.store(), app.ambient(), work, actor) {
        Ok(begun) => Ok(begun.job),
        Err(error @ BeginError::Running) => {
            Err(Problem::new(Code::BackupRunning, error.to_string()))
        }
        Err(BeginError::Settings(error @ BackupError::NoTarget)) => {
            Err(Problem::new(Code::NoBackupTarget, error.to_string()))
        }
        Err(error) => Err(Problem::internal(&error)),
    }
}
