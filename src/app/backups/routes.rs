//! Endpoints of backups, for administrators.

use actix_web::HttpResponse;
use actix_web::web::{Data, Json};
use api::Code;
use api::bodies::{self, BackupWanted};
use backup::Wish;

use super::error::BackupError;
use super::service::BeginError;
use crate::app::admin::intent::Actor;
use crate::app::sessions::{Administrator, After, Origin};
use crate::app::state::App;
use crate::faces::http::Problem;

/// Shows backups and the one under way.
pub async fn show(app: Data<App>, _admin: Administrator) -> Json<bodies::Backups> {
    Json(app.backups().view())
}

/// Starts a backup.
pub async fn begin(
    app: Data<App>,
    After(admin, wanted): After<Administrator, Json<BackupWanted>>,
    origin: Origin,
) -> Result<HttpResponse, Problem> {
    let wish = match wanted.full {
        true => Wish::Full,
        false => Wish::Incremental,
    };
    let actor = Actor::administrator(&admin, &origin);
    match app.backups().begin(app.store(), app.ambient(), wish, actor) {
        Ok(job) => Ok(HttpResponse::Accepted().json(job)),
        Err(error @ BeginError::Running) => {
            Err(Problem::new(Code::BackupRunning, error.to_string()))
        }
        Err(BeginError::Settings(error @ BackupError::NoTarget)) => {
            Err(Problem::new(Code::NoBackupTarget, error.to_string()))
        }
        Err(error) => Err(Problem::internal(&error)),
    }
}
