//! Makes audit events; none of them reveals who talks to whom.

use api::Action;
use serde_json::Value;
use store::{AuditEvent, UserId};

use crate::app::origin::Origin;
use crate::app::sessions::SignedIn;
use crate::app::{App, Problem};

/// Makes an event; `details` are sealed under the key of `user`, or of the system.
pub fn event(user: Option<UserId>, action: Action, timestamp: u64, details: Value) -> AuditEvent {
    AuditEvent {
        user_id: user,
        action: action.as_str(),
        timestamp,
        details,
    }
}

/// Makes the record of a change of one's own account; fails if the account may not make another change now.
pub async fn change(
    app: &App,
    who: &SignedIn,
    origin: &Origin,
    action: Action,
) -> Result<AuditEvent, Problem> {
    app.limits().change(who.key()).await?;
    let now = app.ambient().now();
    Ok(event(Some(who.user_id()), action, now, origin.details()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_filter_offers_what_the_retention_writes() {
        assert_eq!(Action::AuditRetention.as_str(), ::audit::RETENTION);
    }
}
