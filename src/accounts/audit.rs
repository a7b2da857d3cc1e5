//! Makes audit events; none of them reveals who talks to whom.

use serde_json::Value;
use store::{AuditEvent, UserId};

use crate::http::Problem;
use crate::sessions::{Origin, SignedIn};
use crate::state::App;

/// Makes an event; `details` are sealed under the key of `user`, or of the system.
pub fn event(
    user: Option<UserId>,
    action: &'static str,
    timestamp: u64,
    details: Value,
) -> AuditEvent {
    AuditEvent {
        user_id: user,
        action,
        timestamp,
        details,
    }
}

/// Makes the record of a change of one's own account; fails if the account may not make another change now.
pub fn change(
    app: &App,
    who: &SignedIn,
    origin: &Origin,
    action: &'static str,
) -> Result<AuditEvent, Problem> {
    app.limits().change(who.key())?;
    let now = app.ambient().now();
    Ok(event(Some(who.user_id()), action, now, origin.details()))
}

/// Every action that this server writes, for the filter of the admin page.
pub const ACTIONS: &[&str] = &[
    "account.alias_changed",
    "account.erased",
    "account.passphrase_changed",
    "account.recovered",
    "account.recovery_failed",
    "account.registered",
    "admin.audit_viewed",
    "admin.refused",
    "admin.users_viewed",
    "audit.foreign_record",
    "audit.retention",
    "audit.rolled_back",
    "backup.restored",
    "invite.created",
    "invite.used",
    "invite.withdrawn",
    "keys.identity_replaced",
    "keys.prekeys_published",
    "keys.published",
    store::ROWS_BOUND,
    "limits.fired",
    store::RENEWAL_FINISHED,
    store::RENEWAL_STARTED,
    store::ROTATION_FINISHED,
    store::ROTATION_STARTED,
    "server.started",
    "server.stopped",
    "session.created",
    "session.expired",
    "session.revoked",
    "session.signed_out",
    "sign_in.failed",
    "sign_in.succeeded",
    "store.row_damaged",
    "vault.full",
];
