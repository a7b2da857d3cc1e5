//! Proofs of the audit log, and its verification from the admin page.

use std::sync::Arc;

use api::bodies::{AuditKey, AuditProof};
use store::Fault;

use super::intent::{AUDIT_VERIFICATION, Actor, Intent};
use crate::app::authority::{Authorized, permit};
use crate::app::origin::Origin;
use crate::app::{App, Problem};

/// Shows the newest head, the witnesses and the last verification.
pub async fn show(app: &App, _: &Authorized<permit::ReadAudit>) -> Result<AuditProof, Problem> {
    Ok(app.auditor().proof(app.store()).await?)
}

/// Starts to verify the whole log, unless a verification is in progress.
pub async fn verify(
    app: &Arc<App>,
    auditor: &Authorized<permit::VerifyAudit>,
    origin: &Origin,
) -> Result<(), Problem> {
    if !app.auditor().begin_verification() {
        return Ok(());
    }
    let actor = Actor::of(auditor, origin);
    let what = serde_json::json!({});
    let declared =
        Intent::declare(app.store(), app.ambient(), actor, &AUDIT_VERIFICATION, what).await;
    let intent = match declared {
        Ok(intent) => intent,
        Err(cause) => {
            app.auditor().abandon_verification();
            return Err(cause.into());
        }
    };
    let app = Arc::clone(app);
    tokio::spawn(async move {
        let verifying = Arc::clone(&app);
        let outcome = intent.carry_out(move |intent| async move {
            let (store, ambient) = (verifying.store(), verifying.ambient());
            let verified = verifying.auditor().verify(store, ambient).await?;
            let result = serde_json::json!({
                "whole": verified.whole,
                "records": verified.records,
                "vouched": verified.vouched,
                "findings": verified.findings,
            });
            if !verified.whole {
                tracing::error!(findings = ?verified.findings, "the audit log does not verify");
            }
            let record = intent.done_with(ambient.now(), result);
            store.append_audit(vec![record]).await
        });
        let outcome: Result<(), Fault> = outcome.await;
        if let Err(cause) = outcome {
            app.auditor().abandon_verification();
            tracing::error!(%cause, "the audit log could not be verified");
        }
    });
    Ok(())
}

/// Publishes the key, so that whoever gets heads or an export can compare it.
pub fn key(app: &App) -> AuditKey {
    let (fingerprint, verify_key) = app.auditor().published_key();
    AuditKey {
        format: "secure-messaging/1 audit key".to_owned(),
        fingerprint,
        verify_key,
    }
}
