//! "Delete my account": its owner erases everything that the server keeps of it.
//!
//! Specification: `docs/protocol/accounts.md#deleting-an-account`.

use api::bodies::AccountDeletion;
use api::{Action, Code};
use std::sync::Arc;

use ephemeral::Unreachable;
use store::{AccountChangeError, AuditEvent, Fault, SessionId, UserId};
use tokio::runtime::Handle;

use crate::app::origin::Arrival;
use crate::app::origin::Origin;
use crate::app::sessions::SignedIn;
use crate::app::sessions::reauth::Reauthenticated;
use crate::app::{App, Problem};
use api::close;

use super::audit;

/// Erases the account, in the database and in memory, and ends every session of it.
pub async fn delete(
    app: &Arc<App>,
    who: &SignedIn,
    origin: &Origin,
    body: AccountDeletion,
) -> Result<(), Problem> {
    let _proof = Reauthenticated::check(app, who, &body.reauth_token).await?;
    // Neither the account nor the address: this outlives them, and stays readable.
    let details = serde_json::json!({
        "by": "its owner",
        "request_id": origin.request_id.to_string(),
        "status": 204,
        "latency_ms": origin.arrival.as_ref().map(Arrival::millis),
    });
    let record = audit::event(None, Action::AccountErased, app.ambient().now(), details);
    let user = who.user_id();
    // To its end also when the browser goes away: memory must not keep what the database has not.
    let owned = Arc::clone(app);
    let erasing = tokio::spawn(async move { erase(&owned, user, record).await });
    erasing.await.map_err(|cause| Problem::internal(&cause))??;
    Ok(())
}

async fn erase(app: &App, user: UserId, record: AuditEvent) -> Result<(), Problem> {
    let superseding = app.sessions().supersede(user);
    let ended = app.store().erase_own_account(user, vec![record]).await?;
    drop(superseding);
    app.sessions()
        .end(user, &ended, close::ACCOUNT_CLOSED)
        .await;
    Ok(forget(app, user, &ended).await?)
}

/// Forgets in memory what there is of an account that the database does not have any more.
///
/// Call it when its sessions have ended: then nothing can be posted in its name but what is under way
/// already.
pub async fn forget(app: &App, user: UserId, ended: &[SessionId]) -> Result<(), Fault> {
    let unreachable = |cause: Unreachable| Fault::Unavailable(cause.to_string());
    let claims = app.plane().claims();
    claims
        .forget_claimer(user, ended)
        .await
        .map_err(unreachable)?;
    // It looks at every message, which the threads that serve have no time for.
    let (plane, serving) = (app.plane().clone(), Handle::current());
    tokio::task::spawn_blocking(move || serving.block_on(plane.vault().forget_account(user)))
        .await
        .map_err(|cause| Fault::Unavailable(cause.to_string()))?
        .map_err(unreachable)?;
    Ok(())
}

impl From<AccountChangeError> for Problem {
    fn from(error: AccountChangeError) -> Self {
        match error {
            AccountChangeError::NoSuchUser => Self::signed_out(),
            AccountChangeError::LastAdministrator => Self::new(
                Code::LastAdministrator,
                "Nothing was deleted. Make somebody else an administrator first, at the server's \
                 terminal: secure-messaging admin promote HANDLE",
            ),
            AccountChangeError::Fault(fault) => Self::from(&fault),
        }
    }
}
