//! Administration: audit log, figures, accounts, who may register, keys and backups.

use actix_web::HttpResponse;
use actix_web::web::{Data, Json, Query};
use api::bodies::{
    Accounts, AccountsWanted, AuditKey, AuditPage, AuditProof, BackupWanted, Backups, Figures,
    Keys, RecordsWanted, RegistrationChoice,
};

use crate::app::administration::{audit_log, audit_proof, server};
use crate::app::authority::{Authorized, permit};
use crate::app::origin::Origin;
use crate::app::{App, Problem, backups, keys};

use super::{Answer, done};

/// Reads the audit log.
pub(crate) async fn records(
    app: Data<App>,
    reader: Authorized<permit::ReadAudit>,
    wanted: Query<RecordsWanted>,
) -> Result<Json<AuditPage>, Problem> {
    audit_log::page(&app, &reader, &wanted).await.map(Json)
}

/// Shows what proves the audit log.
pub(crate) async fn proof(
    app: Data<App>,
    reader: Authorized<permit::ReadAudit>,
) -> Result<Json<AuditProof>, Problem> {
    audit_proof::show(&app, &reader).await.map(Json)
}

/// Begins to verify the audit log.
pub(crate) async fn verify(
    app: Data<App>,
    auditor: Authorized<permit::VerifyAudit>,
    origin: Origin,
) -> Answer {
    audit_proof::verify(&app, &auditor, &origin).await?;
    Ok(HttpResponse::Accepted().finish())
}

/// Publishes the key of the audit log's heads.
pub(crate) async fn audit_key(app: Data<App>) -> Json<AuditKey> {
    Json(audit_proof::key(&app))
}

/// Shows figures of the server.
pub(crate) async fn figures(
    app: Data<App>,
    reader: Authorized<permit::ReadFigures>,
) -> Result<Json<Figures>, Problem> {
    server::figures(&app, &reader).await.map(Json)
}

/// Chooses who may register.
pub(crate) async fn choose_registration(
    app: Data<App>,
    admin: Authorized<permit::ChooseRegistration>,
    origin: Origin,
    body: Json<RegistrationChoice>,
) -> Answer {
    done(server::choose(&app, &admin, &origin, &body).await)
}

/// Lists accounts.
pub(crate) async fn accounts(
    app: Data<App>,
    admin: Authorized<permit::ListAccounts>,
    origin: Origin,
    wanted: Query<AccountsWanted>,
) -> Result<Json<Accounts>, Problem> {
    let listed = server::users(&app, &admin, &origin, &wanted);
    listed.await.map(Json)
}

/// Shows the keys.
pub(crate) async fn keys(
    app: Data<App>,
    admin: Authorized<permit::ReadKeys>,
) -> Result<Json<Keys>, Problem> {
    keys::requests::show(&app, &admin).await.map(Json)
}

/// Begins to move everything to a new key.
pub(crate) async fn rotate_keys(
    app: Data<App>,
    admin: Authorized<permit::ChangeKeys>,
    origin: Origin,
) -> Answer {
    let job = keys::requests::rotate(&app, &admin, &origin).await?;
    Ok(HttpResponse::Accepted().json(job))
}

/// Begins to seal everything anew under fresh data keys.
pub(crate) async fn renew_keys(
    app: Data<App>,
    admin: Authorized<permit::ChangeKeys>,
    origin: Origin,
) -> Answer {
    let job = keys::requests::renew(&app, &admin, &origin).await?;
    Ok(HttpResponse::Accepted().json(job))
}

/// Shows backups.
pub(crate) async fn backups(
    app: Data<App>,
    admin: Authorized<permit::ReadBackups>,
) -> Json<Backups> {
    Json(backups::requests::show(&app, &admin))
}

/// Begins a backup.
pub(crate) async fn begin_backup(
    app: Data<App>,
    admin: Authorized<permit::MakeBackups>,
    origin: Origin,
    wanted: Json<BackupWanted>,
) -> Answer {
    let job = backups::requests::begin(&app, &admin, &origin, &wanted)?;
    Ok(HttpResponse::Accepted().json(job))
}
