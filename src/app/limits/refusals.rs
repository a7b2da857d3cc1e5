//! Audit records of refusals, the same for HTTP and the WebSocket.

use api::{Action, Code};
use store::UserId;

use crate::app::App;
use crate::app::Problem;
use crate::app::accounts::audit;
use crate::app::origin::Origin;

/// Records that a limit fired or that the vault was full; other refusals leave no record here.
pub(crate) async fn note(app: &App, problem: &Problem, user: Option<UserId>, origin: &Origin) {
    let details = || origin.answered(problem.code().status());
    let (action, details) = match (problem.code(), problem.limit()) {
        (Code::VaultFull, _) => {
            let mut details = details();
            if let Ok(stats) = app.vault().stats().await {
                details["messages_held"] = stats.messages.into();
                details["bytes_held"] = stats.bytes.into();
            }
            (Action::VaultFull, details)
        }
        (_, Some(limit)) => {
            let mut details = details();
            details["limit"] = limit.name().into();
            (Action::LimitsFired, details)
        }
        _ => return,
    };
    let subject = problem.subject().or(user);
    let event = audit::event(subject, action, app.ambient().now(), details);
    app.repeats().note(event, origin.ip.network());
}
