//! What is written down of a refusal: the same, whichever road it was given on.

use api::Code;
use serde_json::json;
use store::UserId;

use crate::accounts::audit;
use crate::http::{ClientIp, Problem, RequestId};
use crate::state::App;

/// Writes down that a limit fired or that the vault was full; other refusals leave no record here.
pub(crate) fn note(
    app: &App,
    problem: &Problem,
    user: Option<UserId>,
    from: ClientIp,
    request: RequestId,
) {
    let now = app.ambient().now();
    let event = match (problem.code(), problem.limit()) {
        (Code::VaultFull, _) => {
            let stats = app.vault().stats();
            let details = json!({"messages_held": stats.messages, "bytes_held": stats.bytes});
            audit::event(None, "vault.full", now, details)
        }
        (code, Some(limit)) => {
            let details = json!({
                "request_id": request.to_string(),
                "ip": from.0.to_string(),
                "limit": limit.name(),
                "status": code.status(),
            });
            audit::event(problem.subject().or(user), "limits.fired", now, details)
        }
        _ => return,
    };
    app.repeats().note(event, from.network());
}
