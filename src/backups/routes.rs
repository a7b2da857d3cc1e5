//! Endpoints of backups, for administrators.

use actix_web::HttpResponse;
use actix_web::web::{Data, Json};
use api::Code;
use backup::Wish;
use serde::Deserialize;
use utoipa::ToSchema;

use super::error::BackupError;
use super::service::BeginError;
use super::view::View;
use crate::admin::intent::Actor;
use crate::http::Problem;
use crate::sessions::{Administrator, After, Origin};
use crate::state::App;

/// The wanted kind of backup.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default)]
pub struct Wanted {
    /// Whether to copy every page, not only changed ones.
    pub full: bool,
}

/// Shows backups and the one in progress.
pub async fn show(app: Data<App>, _admin: Administrator) -> Json<View> {
    Json(app.backups().view())
}

/// Starts a backup.
pub async fn begin(
    app: Data<App>,
    After(admin, wanted): After<Administrator, Json<Wanted>>,
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
